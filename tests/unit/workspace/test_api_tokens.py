"""Tokens of callers from outside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.store.session import Session, open_memory_session
from nbautoml.workspace.api_tokens import (
    DAY_SECONDS,
    USE_SECONDS,
    create_token,
    find_token,
    may_read,
    may_submit,
    revoke_token,
)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_memory_session(root=str(tmp_path)) as session:
        yield session


def test_a_token_is_found_by_its_hash_alone(session: Session) -> None:
    token, record = create_token(session, "cron", now=10.0)

    assert token.startswith(f"nba_{record.id}_")
    assert len(token) == len("nba_") + 12 + 1 + 43
    assert record.sha256 == hashlib.sha256(token.encode()).hexdigest()
    found = find_token(session, token, now=11.0)
    assert found is not None
    assert (found.name, found.scopes) == ("cron", ("read", "runs:submit"))
    with session.read() as tx:
        [stored] = tx.api_tokens.list()
    assert token not in repr(stored)


def test_no_two_tokens_are_the_same(session: Session) -> None:
    assert len({create_token(session, "t")[0] for _ in range(20)}) == 20


@pytest.mark.parametrize("given", ["", "nba_", "x", "nba_zzzzzzzzzzzz_" + "a" * 43, "\ud800"])
def test_what_is_no_token_is_not_found(session: Session, given: str) -> None:
    create_token(session, "t")

    assert find_token(session, given, now=0.0) is None


def test_each_sign_of_a_token_counts(session: Session) -> None:
    token, _ = create_token(session, "t", now=0.0)
    last = "A" if token[-1] != "A" else "B"

    assert find_token(session, token[:-1] + last, now=1.0) is None
    assert find_token(session, token[:-1], now=1.0) is None
    assert find_token(session, token + "A", now=1.0) is None


def test_a_token_ends(session: Session) -> None:
    token, _ = create_token(session, "t", seconds=10.0, now=100.0)
    for_ever, _ = create_token(session, "u", seconds=None, now=100.0)

    assert find_token(session, token, now=109.9) is not None
    assert find_token(session, token, now=110.0) is None
    assert find_token(session, for_ever, now=1e12) is not None


def test_a_revoked_token_is_none(session: Session) -> None:
    token, record = create_token(session, "t")

    assert revoke_token(session, record.id).revoked_at is not None
    assert find_token(session, token, now=0.0) is None
    with pytest.raises(NotFoundError, match="'x'"):
        revoke_token(session, "x")


def test_the_last_use_is_written_down_now_and_then(session: Session) -> None:
    token, record = create_token(session, "t", now=0.0)
    uses = []
    for now in (5.0, 6.0, 5.0 + USE_SECONDS):
        find_token(session, token, now=now)
        with session.read() as tx:
            uses.append(tx.api_tokens.get(record.id).last_used_at)

    assert uses == [5.0, 5.0, 5.0 + USE_SECONDS]


def test_scopes_add_up(session: Session) -> None:
    _, token = create_token(session, "t", scopes=["read", "pipelines:p", "read"])

    assert token.scopes == ("read", "pipelines:p")
    assert may_read(token, "q")
    assert may_submit(token, "p")
    assert not may_submit(token, "q")
    assert not may_submit(token)


@pytest.mark.parametrize("scopes", [[], "read", ["raed"], ["pipelines:"], ["read", "x"]])
def test_a_scope_that_is_none_is_refused(session: Session, scopes: list[str]) -> None:
    with pytest.raises(ConfigError, match="scope"):
        create_token(session, "t", scopes=scopes)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 3_651 * DAY_SECONDS])
def test_a_time_that_is_none_is_refused(session: Session, seconds: float) -> None:
    with pytest.raises(ConfigError, match="up to 3650 days"):
        create_token(session, "t", seconds=seconds)
