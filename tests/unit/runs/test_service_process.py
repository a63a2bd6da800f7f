"""Processes that serve a whole workspace: one of a name."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nbautoml.domain.records import Owner, ServiceProcessRecord
from nbautoml.errors import StoreError
from nbautoml.runs import service_process
from nbautoml.runs.service_process import Claim, find_service, is_alive, start_service
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session, create_session
from nbautoml.testing.store_cases import wait_until
from nbautoml.workspace.config_file import address_for


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Session]:
    with create_session(address_for("w", tmp_path)) as session:
        yield session


def dead_process() -> Owner:
    """Return a process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return Owner(host=socket.gethostname(), pid=process.pid, started_at=1.0)


def put(session: Session, owner: Owner, heartbeat_at: float = 0.0) -> ServiceProcessRecord:
    record = ServiceProcessRecord(
        name="x", owner=owner, heartbeat_at=heartbeat_at, facts={"port": 1}
    )
    with session.write() as tx:
        tx.service_processes.put(record)
    return record


def test_a_place_is_held_until_the_end(session: Session) -> None:
    with Claim(session, "x", {"port": 5}) as claim:
        assert claim.is_held
        found = find_service(session, "x")
        assert found is not None
        assert (found.owner.pid, found.facts) == (os.getpid(), {"port": 5})

    assert not claim.is_held


def test_a_process_ends_when_the_workspace_is_gone(
    shared: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_process, "HEARTBEAT_SECONDS", 0.02)
    shared.state_dir.mkdir(exist_ok=True)
    with Claim(shared, "x") as claim:
        shared.state_dir.rename(tmp_path / "gone")
        wait_until(lambda: not claim.is_held)


def test_a_living_process_keeps_its_place(session: Session) -> None:
    put(session, this_process())

    with Claim(session, "x") as claim:
        assert not claim.is_held
    with Claim(session, "y") as other:
        assert other.is_held


def test_the_place_of_a_dead_process_is_free(session: Session) -> None:
    put(session, dead_process(), heartbeat_at=time.time())

    assert find_service(session, "x") is None
    with Claim(session, "x") as claim:
        assert claim.is_held


def test_a_process_elsewhere_lives_as_long_as_its_heart_beats(session: Session) -> None:
    record = put(session, Owner(host="elsewhere", pid=1, started_at=1.0), heartbeat_at=100.0)

    assert is_alive(record, now=129.0)
    assert not is_alive(record, now=131.0)


def test_a_process_whose_place_was_taken_notices(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_process, "HEARTBEAT_SECONDS", 0.01)
    with Claim(session, "x") as claim:
        found = find_service(session, "x")
        assert found is not None
        put(session, replace(found.owner, pid=found.owner.pid + 1))
        wait_until(lambda: not claim.is_held)


def test_a_heart_goes_on_beating_when_the_store_does_not_answer(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_process, "HEARTBEAT_SECONDS", 0.01)
    failed = []
    with Claim(session, "x") as claim:
        before = find_service(session, "x")
        assert before is not None
        write = session.write

        def fail_once(**options: bool) -> object:
            if not failed:
                failed.append(True)
                raise StoreError("away")
            return write(**options)

        monkeypatch.setattr(session, "write", fail_once)
        wait_until(lambda: _beat_of(session) > before.heartbeat_at)
        assert failed
        assert claim.is_held


def _beat_of(session: Session) -> float:
    found = find_service(session, "x")
    return found.heartbeat_at if found else 0.0


def test_a_place_that_was_given_up_is_free(session: Session) -> None:
    with Claim(session, "x") as claim:
        with session.write() as tx:
            claim.give_up(tx)
        assert not claim.is_held
        assert find_service(session, "x") is None


def test_a_process_is_started_once(shared: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def start(module: str, *_arguments: str, **_options: object) -> int:
        started.append(module)
        put(shared, this_process())
        return 1

    monkeypatch.setattr(service_process, "start_detached", start)

    assert start_service(shared, "x", "some.module")
    assert not start_service(shared, "x", "some.module")
    assert started == ["some.module"]


def test_a_workspace_in_memory_has_no_other_processes(session: Session) -> None:
    assert not start_service(session, "x", "some.module")


def test_a_log_does_not_grow_for_ever(shared: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_process, "start_detached", lambda *_, **__: 1)
    monkeypatch.setattr(service_process, "_MOST_LOG_BYTES", 3)
    log = shared.state_dir / "services" / "x.log"
    start_service(shared, "x", "some.module")
    log.write_text("more than three")

    start_service(shared, "x", "some.module")

    assert log.read_text() == ""
    assert log.with_name("x.log.1").read_text() == "more than three"
