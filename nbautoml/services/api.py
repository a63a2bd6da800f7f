"""The REST service and its tokens as fronts need them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any  # Any: JSON values

from nbautoml.domain.records import ApiTokenRecord
from nbautoml.store.session import Session
from nbautoml.workspace.api_process import LOOPBACK, api_status, start_api, stop_api
from nbautoml.workspace.api_tokens import DAY_SECONDS, DEFAULT_SCOPES, create_token, revoke_token


def service(session: Session) -> dict[str, Any]:
    """Return how the service stands: ``is_running``, ``address``, ``host`` and ``pid``."""
    return api_status(session)


def start_service(
    session: Session,
    *,
    host: str = LOOPBACK,
    port: int | None = None,
    allow_remote: bool = False,
) -> dict[str, Any]:
    """Start the service unless it runs; return it as `service` does.

    Raises
    ------
    ConfigError
        When other machines would be let in, and that was not allowed.
    ConflictError
        When it runs at another host or port.
    StoreError
        When it did not start.
    """
    start_api(session, host=host, port=port, allow_remote=allow_remote)
    return api_status(session)


def stop_service(session: Session) -> bool:
    """End the service; return whether it ran."""
    return stop_api(session)


def tokens(session: Session) -> list[dict[str, Any]]:
    """Return the tokens of a workspace, newest first.

    Returns
    -------
    list of dict
        ``id``, ``name``, ``scopes``, ``state`` (``"active"``, ``"expired"`` or ``"revoked"``),
        ``created_at``, ``expires_at`` and ``last_used_at`` (None where there is none).
    """
    with session.read() as tx:
        records = tx.api_tokens.list()
    now = time.time()
    return [_row(record, now) for record in records]


def new_token(
    session: Session,
    name: str,
    *,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    days: float | None = 30.0,
) -> dict[str, Any]:
    """Make a token; return it as `tokens` does, with ``token``, which is told this once.

    Raises
    ------
    ConfigError
        When a scope is none, or the days are too many.
    """
    seconds = None if days is None else days * DAY_SECONDS
    token, record = create_token(session, name, scopes=scopes, seconds=seconds)
    return {**_row(record, time.time()), "token": token}


def end_token(session: Session, token_id: str) -> dict[str, Any]:
    """Make a token useless from now on; return it as `tokens` does.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    return _row(revoke_token(session, token_id), time.time())


def _row(record: ApiTokenRecord, now: float) -> dict[str, Any]:
    is_over = record.expires_at is not None and record.expires_at <= now
    state = "expired" if is_over else "active"
    return {
        "id": record.id,
        "name": record.name,
        "scopes": list(record.scopes),
        "state": "revoked" if record.revoked_at is not None else state,
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "last_used_at": record.last_used_at,
    }
