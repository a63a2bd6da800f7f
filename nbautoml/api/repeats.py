"""Requests that a caller may repeat: the second one finds the run that the first one made."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any  # Any: JSON values

from nbautoml.api.problems import Refused
from nbautoml.domain.records import SubmissionRecord
from nbautoml.store.session import Session

HEADER = "Idempotency-Key"
SUBMISSION = "nbautoml.submission"
"""Property of a run: the key of the request that made it."""
KEPT_SECONDS = 86_400.0
"""A key means the same request for so long."""
LOST_SECONDS = 60.0
"""A request that has made no run for so long is one whose service died."""
KEY_PATTERN = "[!-~]{1,255}"
_KEY = re.compile(KEY_PATTERN)


def check_key(key: str | None) -> str | None:
    """Return the key of a request, if it has one.

    Raises
    ------
    Refused
        When it cannot be one.
    """
    if key is not None and not _KEY.fullmatch(key):
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            f"{HEADER} must be 1 to 255 visible ASCII characters without spaces.",
        )
    return key


def name_of(token_id: str, key: str) -> str:
    """Return the name of a request: keys of different tokens have nothing to do with each other."""
    return hashlib.sha256(f"{token_id}:{key}".encode()).hexdigest()


def fingerprint_of(place: str, body: Any) -> str:
    """Return a hash of what a request asks for."""
    text = json.dumps([place, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def once(
    session: Session,
    name: str,
    fingerprint: str,
    start: Callable[[], str],
    *,
    clock: Callable[[], float] = time.time,
) -> str:
    """Start a run unless the same request has made one; return the run's id either way.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        Of the request.
    fingerprint : str
        Of what it asks for.
    start : callable
        Starts the run with `name` as its property, and returns its id.
    clock : callable
        Returns the seconds since the epoch.

    Raises
    ------
    Refused
        When the key was used for something else, or the first request is still under way.
    """
    record = SubmissionRecord(key=name, fingerprint=fingerprint, created_at=clock())
    with session.write() as tx:
        tx.submissions.drop_before(record.created_at - KEPT_SECONDS)
        before = tx.submissions.take(record)
        if before is not None and _is_lost(before, record, tx.runs.list):
            tx.submissions.drop(name)
            before = tx.submissions.take(record)
    if before is not None:
        return _run_of(session, before, fingerprint)
    try:
        run_id = start()
    except BaseException:
        with session.write() as tx:
            tx.submissions.drop(name)
        raise
    with session.write() as tx:
        tx.submissions.finish(name, run_id)
    return run_id


def _is_lost(before: SubmissionRecord, now: SubmissionRecord, runs: Callable[..., Any]) -> bool:
    """Whether the service died while it worked on a request, before there was a run."""
    is_old = now.created_at - before.created_at > LOST_SECONDS
    return before.run_id is None and is_old and not runs(properties={SUBMISSION: before.key})


def _run_of(session: Session, before: SubmissionRecord, fingerprint: str) -> str:
    if before.fingerprint != fingerprint:
        raise Refused(
            HTTPStatus.CONFLICT,
            f"This {HEADER} was used for another request. Give each request a key of its own.",
        )
    if before.run_id is not None:
        return before.run_id
    with session.read() as tx:
        found = tx.runs.list(properties={SUBMISSION: before.key}, limit=1)
    if found:
        return found[0].id
    raise Refused(
        HTTPStatus.CONFLICT,
        "The first request with this key is still under way. Ask again in a moment.",
        headers={"Retry-After": "2"},
    )
