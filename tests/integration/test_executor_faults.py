"""What happens to tasks and processes when a worker or the owner of the executor is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from nbautoml.compute.local import start_executor
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.domain.ports import Executor
from nbautoml.domain.status import TrialOutcome
from nbautoml.testing.executor_contract import (
    Inbox,
    gate,
    hold_interpreter,
    is_gone,
    square,
    task,
    wait_for_file,
    wait_until,
)

pytestmark = pytest.mark.integration

SPEC = ExecutorSpec(n_workers=2, threads_per_worker=1, memory_limit_bytes=None, preload=())

# It has no `__main__` guard: workers must not run the owner's main module again.
OWNER = """
import os, sys
from nbautoml.compute.local import start_executor
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.testing.executor_contract import Inbox, hold_interpreter, start_descendant, task

executor = start_executor(
    ExecutorSpec(n_workers=2, threads_per_worker=1, memory_limit_bytes=None, preload=())
)
inbox, tasks = Inbox(executor), [task(hold_interpreter), task(start_descendant)]
inbox.submit(*tasks)
for one in tasks:
    inbox.bodies(one, at_least=1)
print("running", flush=True)
if sys.argv[1] == "wait":
    sys.stdin.read()
"""


@pytest.fixture
def executor() -> Iterator[Executor]:
    executor = start_executor(SPEC)
    yield executor
    executor.close()


@pytest.fixture
def owner_script(tmp_path: Path) -> Path:
    path = tmp_path / "owner.py"
    path.write_text(OWNER)
    return path


def start_owner(script: Path, what_then: str) -> subprocess.Popen[str]:
    """Start the owner, and return when its tasks run."""
    root = Path(__file__).parents[2]
    owner = subprocess.Popen(
        [sys.executable, str(script), what_then],
        env={**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(script.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "running\n"
    return owner


def worker_of(child_pid: int) -> int:
    """Return the worker above a task's process: between them is the template."""
    template = psutil.Process(child_pid).parent()
    assert template is not None
    worker = template.parent()
    assert worker is not None
    return worker.pid


def test_one_template_serves_all_slots(executor: Executor) -> None:
    inbox, running = Inbox(executor), [task(hold_interpreter) for _ in range(executor.n_slots)]
    inbox.submit(*running)
    pids = [inbox.bodies(one, at_least=1)[0] for one in running]
    assert len(set(pids)) == 2
    assert len({psutil.Process(pid).ppid() for pid in pids}) == 1
    for one in running:
        executor.cancel(one.key)
    assert {r.outcome for r in inbox.reports(running)} == {TrialOutcome.CANCELED}


def test_tasks_of_a_killed_worker_run_again(executor: Executor) -> None:
    inbox = Inbox(executor)
    with gate() as opened:
        one, neighbour = (task(wait_for_file, str(opened)) for _ in range(2))
        inbox.submit(one, neighbour)
        inbox.bodies(neighbour, at_least=1)
        (first_pid,) = inbox.bodies(one, at_least=1)
        os.kill(worker_of(first_pid), signal.SIGKILL)
        second_pid = inbox.bodies(one, at_least=2)[1]
        wait_until(lambda: is_gone(first_pid), "the first attempt lives on")
        opened.touch()
        report, other = inbox.reports([one, neighbour])

    assert (report.outcome, report.value, report.attempts) == (
        TrialOutcome.COMPLETED,
        second_pid,
        2,
    )
    # One worker looks after both slots.
    assert (other.outcome, other.attempts) == (TrialOutcome.COMPLETED, 2)


def test_task_that_loses_three_workers_is_given_up(executor: Executor) -> None:
    one, inbox = task(hold_interpreter), Inbox(executor)
    inbox.submit(one)
    for attempt in range(3):
        pid = inbox.bodies(one, at_least=attempt + 1)[attempt]
        os.kill(worker_of(pid), signal.SIGKILL)

    report = inbox.report(one)

    assert (report.outcome, report.attempts) == (TrialOutcome.WORKER_LOST, 3)
    assert "3 times" in report.error
    after = task(square, 3)
    inbox.submit(after)
    assert inbox.report(after).value == 9


def test_worker_survives_what_kills_its_task(executor: Executor) -> None:
    inbox, workers = Inbox(executor), []
    for _ in range(3):
        one = task(hold_interpreter)
        inbox.submit(one)
        (pid,) = inbox.bodies(one, at_least=1)
        workers.append(worker_of(pid))
        os.kill(pid, signal.SIGKILL)
        report = inbox.report(one)
        assert (report.outcome, report.attempts) == (TrialOutcome.CRASHED, 1)
        assert "SIGKILL" in report.error

    assert all(psutil.Process(pid).is_running() for pid in workers)


def test_template_that_dies_is_replaced(executor: Executor) -> None:
    inbox = Inbox(executor)
    blockers = [task(hold_interpreter) for _ in range(2)]
    inbox.submit(*blockers)
    pids = [inbox.bodies(one, at_least=1)[0] for one in blockers]
    for pid in pids:
        template = psutil.Process(pid).parent()
        assert template is not None
        template.kill()
        os.kill(pid, signal.SIGKILL)
    assert [r.outcome for r in inbox.reports(blockers)] == [TrialOutcome.CRASHED] * 2

    after = [task(square, n) for n in range(6)]
    inbox.submit(*after)

    assert [r.value for r in inbox.reports(after)] == [0, 1, 4, 9, 16, 25]


def test_nothing_survives_a_killed_owner(owner_script: Path) -> None:
    with start_owner(owner_script, "wait") as owner:
        below = [p.pid for p in psutil.Process(owner.pid).children(recursive=True)]
        owner.kill()

    assert len(below) >= 5  # a worker, its template, 2 children or more, 1 descendant of a task
    wait_until(
        lambda: all(map(is_gone, below)),
        f"alive: {[p for p in below if not is_gone(p)]}",
    )


def test_owner_that_forgets_to_close_ends_and_leaves_nothing(owner_script: Path) -> None:
    with start_owner(owner_script, "leave") as owner:
        below = [p.pid for p in psutil.Process(owner.pid).children(recursive=True)]
        assert owner.wait(timeout=60) == 0

    wait_until(
        lambda: all(map(is_gone, below)),
        f"alive: {[p for p in below if not is_gone(p)]}",
    )


def test_close_during_start_leaves_nothing() -> None:
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    executor = start_executor(SPEC)
    executor.submit(task(square, 1))

    executor.close()

    left = [
        p
        for p in psutil.Process().children(recursive=True)
        if p.pid not in before and "resource_tracker" not in str(p.cmdline())
    ]
    wait_until(lambda: all(is_gone(p.pid) for p in left), f"alive: {left}")
