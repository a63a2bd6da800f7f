"""Keys of a deployment: made, compared in constant time, turned into short-lived tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

PRIMARY, SECONDARY = "primary", "secondary"
KEY_BYTES = 24
"""Random bytes of a key: 192 bits, 32 characters."""
TOKEN_SECONDS = 3600.0
"""How long a token is good for; the SDK's tokens last about an hour, too."""
_TOKEN_MARK = "t1"


def new_key() -> str:
    """Return a new random key.

    Examples
    --------
    >>> len(new_key())
    32
    """
    return secrets.token_urlsafe(KEY_BYTES)


def new_keys(primary: str | None = None, secondary: str | None = None) -> dict[str, str]:
    """Return two keys, those that were given or new ones."""
    return {PRIMARY: primary or new_key(), SECONDARY: secondary or new_key()}


def new_token(key: str, *, expires_at: float) -> str:
    """Return a token that stands for a key until a moment.

    Parameters
    ----------
    key : str
        The key; a new key in its place ends the token.
    expires_at : float
        Seconds since the epoch.
    """
    end = str(int(expires_at))
    return f"{_TOKEN_MARK}.{end}.{_sign(key, end)}"


def is_allowed(given: str, keys: Mapping[str, str], *, now: float) -> bool:
    """Whether a caller who gives this may be answered.

    Parameters
    ----------
    given : str
        A key or a token.
    keys : mapping of str to str
        The keys of the deployment.
    now : float
        Seconds since the epoch.

    Examples
    --------
    >>> keys = {"primary": "a", "secondary": "b"}
    >>> is_allowed("b", keys, now=0.0), is_allowed("", keys, now=0.0)
    (True, False)
    >>> token = new_token("a", expires_at=10.0)
    >>> is_allowed(token, keys, now=9.0), is_allowed(token, keys, now=11.0)
    (True, False)
    """
    asked = given.encode()
    # All comparisons are made, so that the time tells nothing of which key is near.
    is_key = [hmac.compare_digest(asked, key.encode()) for key in keys.values()]
    return any(is_key) or _is_token(given, keys, now=now)


def _is_token(given: str, keys: Mapping[str, str], *, now: float) -> bool:
    mark, _, rest = given.partition(".")
    end, _, signature = rest.partition(".")
    if mark != _TOKEN_MARK or not end.isdecimal() or float(end) <= now:
        return False
    is_signed = [
        hmac.compare_digest(signature.encode(), _sign(key, end).encode()) for key in keys.values()
    ]
    return any(is_signed)


def _sign(key: str, end: str) -> str:
    return hmac.new(key.encode(), f"token:{end}".encode(), hashlib.sha256).hexdigest()
