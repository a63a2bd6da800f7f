"""A run's own process: it outlives its submitter, ends cleanly, and is started again when lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from nbautoml.domain.events import LogWritten
from nbautoml.domain.ids import new_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import TrainingError
from nbautoml.runs.controller import launch
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.recovery import MAX_RESTARTS, RESTARTS, recover_runs
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, create_session
from nbautoml.testing.step_work import TYPE
from nbautoml.workspace.config_file import address_for

pytestmark = pytest.mark.integration

LONG = {"steps": 600, "seconds": 0.05}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = create_session(address_for("w", tmp_path))
    yield session
    with session.read() as tx:
        owners = [r.owner for r in tx.runs.list() if r.owner and not r.status.is_terminal]
    for owner in owners:
        if psutil.pid_exists(owner.pid):
            os.kill(owner.pid, signal.SIGKILL)
    session.close()


def create(session: Session, **settings: object) -> Run:
    run_id = new_run_id("Step")
    with session.write() as tx:
        tx.experiments.get_or_create("e")
        tx.runs.create(
            RunRecord(
                id=run_id,
                experiment="e",
                type=TYPE,
                status=RunStatus.NOT_STARTED,
                created_at=time.time(),
                settings=settings,
            )
        )
    return Run(Experiment(WorkspaceHandle(session), "e"), run_id)


def steps(run: Run) -> list[str]:
    with run.session.read() as tx:
        records = tx.events.read(run.id)
    return [r.event.message for r in records if isinstance(r.event, LogWritten)]


def wait_for_steps(run: Run, at_least: int, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while len(steps(run)) < at_least:
        assert time.monotonic() < end, f"only {len(steps(run))} steps; {run.get_details()}"
        time.sleep(0.05)


def owner_pid(run: Run) -> int:
    with run.session.read() as tx:
        owner = tx.runs.get(run.id).owner
    assert owner is not None
    return owner.pid


def test_a_run_completes_in_its_own_process(session: Session) -> None:
    run = create(session, steps=3)
    launch(session, run.id)
    details = run.wait_for_completion()
    assert details["status"] == "Completed"
    assert owner_pid(run) != os.getpid()
    assert steps(run) == ["step 0", "step 1", "step 2"]


def test_a_users_mistake_fails_the_run_with_its_message(session: Session) -> None:
    run = create(session, steps=1, fail="user")
    launch(session, run.id)
    with pytest.raises(TrainingError, match=r"data\.csv is empty\."):
        run.wait_for_completion()
    assert steps(run) == []


def test_a_bug_fails_the_run_and_keeps_its_traceback(session: Session) -> None:
    run = create(session, steps=1, fail="bug")
    launch(session, run.id)
    assert run.wait_for_completion(raise_on_error=False)["error"] == "ZeroDivisionError: a bug"
    assert "raise ZeroDivisionError" in steps(run)[0]


def test_cancel_ends_the_run_and_keeps_what_was_done(session: Session) -> None:
    run = create(session, **LONG)
    launch(session, run.id)
    wait_for_steps(run, 2)
    run.cancel()
    assert run.wait_for_completion()["status"] == "Canceled"
    assert 2 <= len(steps(run)) < 600


def test_a_run_that_never_began_can_be_canceled(session: Session) -> None:
    run = create(session, steps=1)
    run.cancel()
    assert run.get_status() == "Canceled"
    launch(session, run.id)
    assert run.wait_for_completion()["status"] == "Canceled"


def test_a_killed_controller_is_started_again_and_repeats_nothing(session: Session) -> None:
    run = create(session, steps=40, seconds=0.05)
    launch(session, run.id)
    wait_for_steps(run, 5)
    first = owner_pid(run)
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 15
    while not recover_runs(session):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert run.wait_for_completion()["status"] == "Completed"
    assert owner_pid(run) != first
    assert steps(run) == [f"step {i}" for i in range(40)]
    assert run.properties[RESTARTS] == "1"


def test_a_run_that_keeps_killing_its_process_is_marked_failed(session: Session) -> None:
    run = create(session, **LONG)
    run.add_properties({RESTARTS: str(MAX_RESTARTS)})
    launch(session, run.id)
    wait_for_steps(run, 1)
    os.kill(owner_pid(run), signal.SIGKILL)
    end = time.monotonic() + 15
    while run.get_status() != "Failed":
        assert time.monotonic() < end
        recover_runs(session)
        time.sleep(0.1)
    assert "ended unexpectedly 4 times" in run.get_details()["error"]


def test_two_controllers_of_one_run_do_its_work_once(session: Session) -> None:
    run = create(session, steps=20, seconds=0.05)
    launch(session, run.id)
    launch(session, run.id)
    assert run.wait_for_completion()["status"] == "Completed"
    assert steps(run) == [f"step {i}" for i in range(20)]


SUBMITTER = """
import sys, time
from pathlib import Path
from nbautoml.runs.controller import launch
from nbautoml.store.session import open_session
from nbautoml.workspace.config_file import address_for
session = open_session(address_for("w", Path(sys.argv[1])))
launch(session, sys.argv[2])
print("launched", flush=True)
time.sleep(60)
"""


def test_killing_the_submitter_and_its_process_group_leaves_the_run_alone(
    session: Session, tmp_path: Path
) -> None:
    run = create(session, steps=20, seconds=0.05)
    submitter = subprocess.Popen(
        [sys.executable, "-c", SUBMITTER, str(tmp_path), run.id],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert submitter.stdout is not None
    assert submitter.stdout.readline() == b"launched\n"
    wait_for_steps(run, 1)
    os.killpg(submitter.pid, signal.SIGKILL)
    submitter.wait()
    submitter.stdout.close()
    assert run.wait_for_completion()["status"] == "Completed"
    assert len(steps(run)) == 20


def test_the_log_of_the_process_is_kept_and_its_scratch_removed(session: Session) -> None:
    run = create(session, steps=1, fail="bug")
    launch(session, run.id)
    run.wait_for_completion(raise_on_error=False)
    assert run.get_file_names() == ["logs/nbautoml/controller.log"]
    assert not (session.state_dir / "runs" / run.id / "scratch").exists()


def test_a_run_can_be_awaited(session: Session) -> None:
    import asyncio

    run = create(session, steps=2)
    launch(session, run.id)

    async def wait() -> Run:
        return await run

    assert asyncio.run(wait()).get_status() == "Completed"
