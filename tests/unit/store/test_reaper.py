"""Which owners are dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from nbautoml.domain.records import Owner, RunRecord
from nbautoml.domain.status import TERMINAL, RunStatus
from nbautoml.store.reaper import find_orphans, is_orphan, this_process
from nbautoml.store.session import Session, open_memory_session
from nbautoml.testing.store_cases import add_run

NOW = 1000.0
RUN = RunRecord(
    id="r",
    experiment="e",
    type="t",
    status=RunStatus.RUNNING,
    created_at=NOW - 500,
    heartbeat_at=NOW - 1,
)


@pytest.fixture
def dead() -> Owner:
    """Return a process of this host that has ended and was collected."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return replace(this_process(), pid=process.pid)


@pytest.fixture
def session() -> Iterator[Session]:
    with open_memory_session() as session:
        yield session


def test_a_living_owner_is_no_orphan_however_silent() -> None:
    run = replace(RUN, owner=this_process(), heartbeat_at=NOW - 400)

    assert not is_orphan(run, now=NOW)


def test_a_dead_process_of_this_host_is_seen_at_once(dead: Owner) -> None:
    assert is_orphan(replace(RUN, owner=dead), now=NOW)


def test_a_zombie_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    try:
        psutil.wait_procs([psutil.Process(process.pid)], timeout=0)
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        owner = replace(this_process(), pid=process.pid)

        assert is_orphan(replace(RUN, owner=owner), now=NOW)
    finally:
        process.wait()


@pytest.mark.parametrize(("seconds", "expected"), [(29.0, False), (31.0, True)])
def test_an_owner_elsewhere_is_dead_when_it_is_silent(seconds: float, expected: bool) -> None:
    owner = Owner(host="elsewhere", pid=1, started_at=1.0)
    run = replace(RUN, owner=owner, heartbeat_at=NOW - seconds)

    assert is_orphan(run, now=NOW) is expected
    assert not is_orphan(run, now=NOW, grace_seconds=60.0)


def test_a_run_that_is_being_handed_over_gets_time(dead: Owner) -> None:
    run = replace(RUN, owner=dead, status=RunStatus.NOT_STARTED, heartbeat_at=None)

    assert not is_orphan(replace(run, created_at=NOW - 29), now=NOW)
    assert is_orphan(replace(run, created_at=NOW - 31), now=NOW)


def test_a_run_without_an_owner_is_no_orphan() -> None:
    assert not is_orphan(RUN, now=NOW)


def test_a_start_time_that_differs_by_rounding_is_the_same() -> None:
    me = this_process()
    owner = replace(me, started_at=me.started_at + 0.5)

    assert not is_orphan(replace(RUN, owner=owner, heartbeat_at=0.0), now=NOW)


def test_runs_that_ended_are_not_looked_at(session: Session, dead: Owner) -> None:
    for status in RunStatus:
        add_run(session, status.value, status=status, owner=dead, created_at=0.0)
    add_run(session, "child", status=RunStatus.RUNNING, owner=dead, parent_id="Running", number=0)

    found = {run.id for run in find_orphans(session, now=NOW)}

    assert found == {s.value for s in RunStatus if s not in TERMINAL} | {"child"}


def test_a_process_of_another_user_is_not_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_process: psutil.Process) -> float:
        raise psutil.AccessDenied(1)

    monkeypatch.setattr(psutil.Process, "create_time", refuse)
    owner = Owner(host=socket.gethostname(), pid=os.getpid(), started_at=500.0)

    assert is_orphan(replace(RUN, owner=owner, heartbeat_at=NOW - 31), now=NOW)
    assert not is_orphan(replace(RUN, owner=owner), now=NOW)
