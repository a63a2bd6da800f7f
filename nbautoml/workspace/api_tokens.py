"""Tokens for callers from outside: made, shown once, kept as a hash, checked, revoked."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence

from nbautoml.domain.records import ApiTokenRecord
from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.store.session import Session

READ, SUBMIT, ADMIN = "read", "runs:submit", "admin"
"""Scopes: see runs; submit any pipeline; both."""
PIPELINES = "pipelines:"
"""Begins a scope for one published pipeline or endpoint: submit it, and see its runs."""
DEFAULT_SCOPES = (READ, SUBMIT)
SECRET_BYTES = 32
ID_BYTES = 6
DAY_SECONDS = 86_400.0
MAX_DAYS = 3_650
USE_SECONDS = 60.0
"""The last use of a token is written down no more often than this."""
_FORM = re.compile(r"nba_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_NO_HASH = "0" * 64


def create_token(
    session: Session,
    name: str,
    *,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    seconds: float | None = 30 * DAY_SECONDS,
    now: float | None = None,
) -> tuple[str, ApiTokenRecord]:
    """Make a token.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        What it is for.
    scopes : sequence of str
        What it allows: ``"read"``, ``"runs:submit"``, ``"pipelines:<id>"``, ``"admin"``.
    seconds : float, optional
        How long it is good for, 30 days by default; None for until it is revoked.
    now : float, optional
        Seconds since the epoch.

    Returns
    -------
    (str, ApiTokenRecord)
        The token, which is kept nowhere, and what is known of it.

    Raises
    ------
    ConfigError
        When a scope is none, or the time is not above 0 and up to ten years.
    """
    moment = time.time() if now is None else now
    if seconds is not None and not 0.0 < seconds <= MAX_DAYS * DAY_SECONDS:
        raise ConfigError(
            f"A token is good for more than 0 and up to {MAX_DAYS} days; got "
            f"{seconds / DAY_SECONDS:g} days."
        )
    token_id = secrets.token_hex(ID_BYTES)
    token = f"nba_{token_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    record = ApiTokenRecord(
        id=token_id,
        sha256=_hash(token),
        name=name,
        scopes=_checked(scopes),
        created_at=moment,
        expires_at=None if seconds is None else moment + seconds,
    )
    with session.write() as tx:
        tx.api_tokens.create(record)
    return token, record


def find_token(session: Session, given: str, *, now: float) -> ApiTokenRecord | None:
    """Return what is known of a token; None where it is none, expired or revoked.

    Parameters
    ----------
    session : Session
        The open store.
    given : str
        What a caller sent.
    now : float
        Seconds since the epoch.
    """
    record = _record(session, given)
    # Compared even where there is none, so that the time tells nothing.
    is_known = hmac.compare_digest(_hash(given), record.sha256 if record else _NO_HASH)
    if record is None or not is_known or record.revoked_at is not None:
        return None
    if record.expires_at is not None and record.expires_at <= now:
        return None
    if record.last_used_at is None or now - record.last_used_at >= USE_SECONDS:
        with session.write() as tx:
            tx.api_tokens.note_use(record.id, now)
    return record


def revoke_token(session: Session, token_id: str) -> ApiTokenRecord:
    """Make a token useless from now on.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    with session.write() as tx:
        return tx.api_tokens.revoke(token_id, time.time())


def may_read(token: ApiTokenRecord, *ids: str) -> bool:
    """Whether a token may see a run of pipelines and endpoints with these ids.

    Examples
    --------
    >>> token = ApiTokenRecord(id="", sha256="", name="", scopes=("pipelines:p",), created_at=0.0)
    >>> may_read(token, "p"), may_read(token, "q"), may_submit(token, "p")
    (True, False, True)
    """
    return _has(token, READ, ids)


def may_submit(token: ApiTokenRecord, *ids: str) -> bool:
    """Whether a token may submit a pipeline with one of these ids (its own, its endpoint's)."""
    return _has(token, SUBMIT, ids)


def _has(token: ApiTokenRecord, scope: str, ids: Sequence[str]) -> bool:
    allowed = {scope, ADMIN, *(f"{PIPELINES}{id}" for id in ids)}
    return not allowed.isdisjoint(token.scopes)


def _record(session: Session, given: str) -> ApiTokenRecord | None:
    match = _FORM.fullmatch(given)
    if match is None:
        return None
    try:
        with session.read() as tx:
            return tx.api_tokens.get(match.group(1))
    except NotFoundError:
        return None


def _checked(scopes: Sequence[str]) -> tuple[str, ...]:
    known = (READ, SUBMIT, ADMIN)
    if isinstance(scopes, str) or not scopes:
        raise ConfigError(f"scopes of a token must be a list of some of {list(known)}.")
    for scope in scopes:
        is_of_pipeline = scope.startswith(PIPELINES) and len(scope) > len(PIPELINES)
        if scope not in known and not is_of_pipeline:
            raise ConfigError(
                f"A scope of a token must be one of {list(known)}, or '{PIPELINES}<id>'; got "
                f"{scope!r}.{did_you_mean(scope, known)}"
            )
    return tuple(dict.fromkeys(scopes))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", errors="surrogatepass")).hexdigest()
