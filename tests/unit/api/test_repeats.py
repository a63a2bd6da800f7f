"""Requests that come again while the first is under way, or after its service died."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.api.problems import Refused
from nbautoml.api.repeats import KEPT_SECONDS, LOST_SECONDS, SUBMISSION, fingerprint_of, once
from nbautoml.domain.records import SubmissionRecord
from nbautoml.store.session import Session, open_memory_session
from nbautoml.testing.store_cases import add_run, in_threads


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_memory_session(root=str(tmp_path)) as session:
        yield session


def leave(session: Session, created_at: float) -> None:
    """Leave a request as a service does that died while it worked on it."""
    with session.write() as tx:
        tx.submissions.take(SubmissionRecord(key="k", fingerprint="f", created_at=created_at))


def test_a_request_under_way_is_waited_for(session: Session) -> None:
    leave(session, 100.0)

    with pytest.raises(Refused, match="still under way") as caught:
        once(session, "k", "f", lambda: "run", clock=lambda: 100.0 + LOST_SECONDS)

    assert caught.value.status == 409
    assert caught.value.headers["Retry-After"] == "2"


def test_a_request_whose_service_died_is_done_again(session: Session) -> None:
    leave(session, 100.0)
    later = 101.0 + LOST_SECONDS

    assert once(session, "k", "f", lambda: "run", clock=lambda: later) == "run"
    assert once(session, "k", "f", lambda: "other", clock=lambda: later) == "run"


def test_a_request_whose_run_was_not_written_down_finds_it(session: Session) -> None:
    leave(session, 100.0)
    add_run(session, "run", properties={SUBMISSION: "k"})
    for now in (101.0, 200.0 + LOST_SECONDS):
        found = once(session, "k", "f", lambda: "other", clock=lambda now=now: now)
        assert found == "run"


def test_a_key_is_forgotten_after_a_day(session: Session) -> None:
    once(session, "k", "f", lambda: "run", clock=lambda: 100.0)

    later = 101.0 + KEPT_SECONDS
    assert once(session, "k", "f", lambda: "other", clock=lambda: later) == "other"


def test_of_many_at_once_one_is_done(session: Session) -> None:
    started, answers = [], []
    go = threading.Event()

    def start() -> str:
        started.append(True)
        go.wait(10.0)
        return "run"

    def ask(_number: int) -> None:
        try:
            answers.append(once(session, "k", "f", start))
        except Refused as refused:
            answers.append(refused.status.phrase)
            if len(answers) == 3:
                go.set()

    in_threads(ask)

    assert (len(started), sorted(answers)) == (1, ["Conflict"] * 3 + ["run"])


def test_what_failed_may_come_again(session: Session) -> None:
    def fail() -> str:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        once(session, "k", "f", fail)

    assert once(session, "k", "f", lambda: "run") == "run"


def test_the_order_of_fields_says_nothing() -> None:
    assert fingerprint_of("p", {"a": 1, "b": 2}) == fingerprint_of("p", {"b": 2, "a": 1})
    assert fingerprint_of("p", {"a": 1}) != fingerprint_of("q", {"a": 1})
