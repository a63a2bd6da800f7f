"""Who starts a lost run again, how often, and what is seen of it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.domain.events import StatusChanged
from nbautoml.domain.records import Owner, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.runs import recovery as subject
from nbautoml.runs.continuation import RESTARTS
from nbautoml.runs.details import run_snapshot
from nbautoml.runs.recovery import MAX_RESTARTS, RESTARTED_AT, Rescue, recover_runs
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(subject, "launch", lambda session, run_id: found.append(run_id))
    return found


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with create_session(address_for("w", tmp_path)) as session:
        yield session


def dead() -> Owner:
    """An owner whose pid nobody has: it is larger than any that Linux gives."""
    me = this_process()
    return Owner(host=me.host, pid=2**22 + 1, started_at=1.0)


def add(session: Session, run_id: str, owner: Owner, parent: str | None = None) -> None:
    with session.write() as tx:
        tx.experiments.get_or_create("e")
        record = RunRecord(
            id=run_id,
            experiment="e",
            type="t",
            status=RunStatus.NOT_STARTED,
            created_at=time.time(),
            parent_id=parent,
            number=None if parent is None else 0,
        )
        tx.runs.create(record)
        tx.runs.claim(run_id, owner, expected=None)
        tx.events.append(run_id, [StatusChanged(status=RunStatus.RUNNING)], time.time())
        tx.runs.set_status(run_id, RunStatus.RUNNING, time=time.time())


def properties(session: Session) -> dict[str, str]:
    with session.read() as tx:
        return dict(tx.runs.get("run").properties)


def forget_when(session: Session) -> None:
    """Let the last restart be long ago."""
    with session.write() as tx:
        tx.runs.set_properties("run", {RESTARTED_AT: "1.0"})


def test_many_who_look_at_once_start_a_run_once(session: Session, launched: list[str]) -> None:
    add(session, "run", dead())

    found = [recover_runs(session) for _ in range(5)]

    assert found == [["run"], [], [], [], []]
    assert launched == ["run"]
    assert properties(session)[RESTARTS] == "1"


def test_a_run_whose_process_lives_is_left_alone(session: Session, launched: list[str]) -> None:
    add(session, "run", this_process())

    assert recover_runs(session) == []
    assert launched == []


def test_a_run_that_gets_nowhere_is_given_up(session: Session, launched: list[str]) -> None:
    add(session, "run", dead())
    for _ in range(MAX_RESTARTS + 1):
        recover_runs(session)
        forget_when(session)
    recover_runs(session)

    with session.read() as tx:
        run = tx.runs.get("run")
    assert run.status is RunStatus.FAILED
    assert "ended unexpectedly 4 times" in run.reason
    assert launched == ["run"] * MAX_RESTARTS


def test_a_run_that_got_somewhere_is_started_again_each_time(
    session: Session, launched: list[str]
) -> None:
    add(session, "run", dead())
    for number in range(MAX_RESTARTS + 3):
        recover_runs(session)
        add(session, f"run_{number}", dead(), parent="run")
        with session.write() as tx:
            tx.runs.set_status(f"run_{number}", RunStatus.COMPLETED, time=time.time())
        forget_when(session)

    assert len(launched) == MAX_RESTARTS + 3


def test_a_lost_run_is_shown_as_what_it_is(session: Session) -> None:
    add(session, "run", dead())
    snapshot = run_snapshot(session, "run")

    assert snapshot.status is RunStatus.NOT_RESPONDING
    assert "process was lost" in snapshot.reason


def test_a_run_that_lives_is_shown_as_its_log_says(session: Session) -> None:
    add(session, "run", this_process())

    assert run_snapshot(session, "run").status is RunStatus.RUNNING


def test_whoever_waits_looks_now_and_then(
    session: Session, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(session, "run", dead())
    rescue = Rescue(session)
    rescue.look()
    before = list(launched)
    monkeypatch.setattr(subject, "LOOK_SECONDS", 0.0)
    late = Rescue(session)
    late.look()

    assert (before, launched) == ([], ["run"])
