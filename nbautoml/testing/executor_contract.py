"""What every executor must do: checks for the local one and for other backends.

Use them with pytest; the executor needs at least two slots and may serve all checks::

    @pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
    def test_executor(check, executor):
        check(executor)

    def test_close():
        check_close_leaves_nothing(lambda: start_executor(spec))
"""

from __future__ import annotations

import itertools
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn  # Any: payloads and values belong to the entries

import psutil

from nbautoml.domain.ports import Emit, Executor, TaskMessage, TaskReport, TrialTask
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ComputeError, ConfigError

PATIENCE_SECONDS = 120.0
"""How long a check waits before it says that something never came."""

_STEP_BYTES = 8 << 20
_POLL_SECONDS = 0.02
_MEGABYTE = 1 << 20


# What the tasks do; these run in the executor's processes.


def square(payload: float, emit: Emit) -> float:
    """Return the square of the payload."""
    return payload * payload


def count(payload: int, emit: Emit) -> str:
    """Emit the numbers below the payload."""
    for number in range(payload):
        emit(number)
    return "counted"


def wait_for_file(payload: str, emit: Emit) -> int:
    """Emit the process id, and return it when the file is there."""
    emit(os.getpid())
    while not Path(payload).exists():
        time.sleep(_POLL_SECONDS)
    return os.getpid()


def raise_error(payload: str, emit: Emit) -> NoReturn:
    """Raise an error with that text."""
    raise ValueError(payload)


class Unpicklable(Exception):  # noqa: N818 - the name says what matters
    """An error, and a value, that cannot be pickled."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("this thing does not travel")


def raise_unpicklable(payload: str, emit: Emit) -> NoReturn:
    """Raise an error that cannot be pickled."""
    raise Unpicklable(payload)


def return_unpicklable(payload: str, emit: Emit) -> Unpicklable:
    """Return a value that cannot be pickled."""
    return Unpicklable(payload)


def return_bytes(payload: int, emit: Emit) -> bytes:
    """Return that many bytes."""
    return b"x" * payload


def hold_interpreter(payload: None, emit: Emit) -> int:
    """Emit the process id, and loop for ever in native code that holds the interpreter lock."""
    emit(os.getpid())
    return sum(itertools.repeat(0))


def hold_memory(payload: int, emit: Emit) -> list[bytearray]:
    """Take that many bytes, in steps that a watcher can follow."""
    emit(os.getpid())
    held = []
    for _ in range(payload // _STEP_BYTES):
        held.append(bytearray(b"x" * _STEP_BYTES))
        time.sleep(_POLL_SECONDS)
    return held


def read_mapped(payload: str, emit: Emit) -> int:
    """Read each page of a mapped file, and stay until a watcher has looked."""
    with Path(payload).open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    total = sum(mapped[start] for start in range(0, len(mapped), mmap.PAGESIZE))
    time.sleep(0.5)
    return total


def leave(payload: int, emit: Emit) -> NoReturn:
    """End the process at once, with that exit code."""
    os.write(2, b"leaving now\n")
    os._exit(payload)


def break_memory(payload: None, emit: Emit) -> None:
    """Die of a segmentation fault."""
    print("about to break", file=sys.stderr)  # noqa: T201 - the report shows it
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(PATIENCE_SECONDS)


def start_descendant(payload: None, emit: Emit) -> None:
    """Start a process in a session of its own, emit both process ids, and wait for it."""
    command = [sys.executable, "-c", "import time; time.sleep(1000)"]
    with subprocess.Popen(command) as descendant:
        emit([os.getpid(), descendant.pid])


# What the checks use.


def task(function: Callable[..., object], payload: Any = None, **settings: Any) -> TrialTask:
    """Return a task with a new key for one of the functions above."""
    return TrialTask(
        key=f"{function.__name__}-{uuid.uuid4().hex[:8]}",
        entry=f"{function.__module__}:{function.__name__}",
        payload=payload,
        **settings,
    )


class Inbox:
    """Collects what an executor tells.

    Parameters
    ----------
    executor : Executor
        The executor under test.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.items: list[TaskMessage | TaskReport] = []

    def submit(self, *tasks: TrialTask) -> None:
        """Submit the tasks in that order."""
        for one in tasks:
            self._executor.submit(one)

    def wait(self, is_enough: Callable[[], bool], what: str) -> None:
        """Poll until there is enough; fail when it does not come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_enough():
            assert time.monotonic() < deadline, f"{what} did not come; there is {self.items}"
            self.items += self._executor.poll(0.5)

    def report(self, one: TrialTask) -> TaskReport:
        """Wait for a task's report."""
        self.wait(lambda: bool(self._reports(one.key)), f"the report of {one.key}")
        return self._reports(one.key)[0]

    def reports(self, tasks: Iterable[TrialTask]) -> list[TaskReport]:
        """Wait for the reports of all the tasks, and return them in the tasks' order."""
        return [self.report(one) for one in tasks]

    def bodies(self, one: TrialTask, at_least: int = 0) -> list[Any]:
        """Wait for so many messages of a task, and return their bodies."""
        self.wait(lambda: len(self._bodies(one.key)) >= at_least, f"messages of {one.key}")
        return self._bodies(one.key)

    def _bodies(self, key: str) -> list[Any]:
        return [i.body for i in self.items if isinstance(i, TaskMessage) and i.key == key]

    def _reports(self, key: str) -> list[TaskReport]:
        return [i for i in self.items if isinstance(i, TaskReport) and i.key == key]


@contextmanager
def gate() -> Iterator[Path]:
    """Give the path of a file that is not there; `wait_for_file` ends when it is made."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "open"
        try:
            yield path
        finally:
            path.touch()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Poll until something is so; fail when it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(_POLL_SECONDS)


def is_gone(pid: int) -> bool:
    """Whether a process has ended (nobody may have asked for its exit code yet)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


# The checks.


def check_value_comes_back(executor: Executor) -> None:
    """A task completes with the value that its entry returned."""
    one, inbox = task(square, 3), Inbox(executor)
    inbox.submit(one)

    report = inbox.report(one)

    found = (report.outcome, report.value, report.attempts, report.error)
    assert found == (TrialOutcome.COMPLETED, 9, 1, "")
    assert report.peak_memory_bytes > 0


def check_messages_come_first_and_in_order(executor: Executor) -> None:
    """All messages of a task come before its report, in the order in which they were sent."""
    one, inbox = task(count, 500), Inbox(executor)
    inbox.submit(one)

    inbox.report(one)

    *messages, last = (i for i in inbox.items if i.key == one.key)
    assert [m.body for m in messages if isinstance(m, TaskMessage)] == list(range(500))
    assert isinstance(last, TaskReport)


def check_smaller_priority_is_earlier(executor: Executor) -> None:
    """Waiting tasks start by priority, and in order of submission within one."""
    inbox = Inbox(executor)
    with gate() as all_but_one, gate() as last_slot:
        blockers = [task(wait_for_file, str(all_but_one)) for _ in range(executor.n_slots - 1)]
        blockers.append(task(wait_for_file, str(last_slot)))
        inbox.submit(*blockers)
        for blocker in blockers:
            inbox.bodies(blocker, at_least=1)
        waiting = [task(square, n, priority=p) for n, p in enumerate([5, 1, 3, 1])]
        inbox.submit(*waiting)
        last_slot.touch()
        inbox.reports(waiting)
        order = [i.key for i in inbox.items if i.key in {w.key for w in waiting}]
        all_but_one.touch()
        inbox.reports(blockers)

    assert order == [waiting[n].key for n in (1, 3, 2, 0)]


def check_error_has_sentence_and_traceback(executor: Executor) -> None:
    """A task whose entry raises fails with one sentence and the whole traceback."""
    one, inbox = task(raise_error, "no column 'age'\nsecond line"), Inbox(executor)
    inbox.submit(one)

    report = inbox.report(one)

    assert (report.outcome, report.error) == (
        TrialOutcome.FAILED,
        "ValueError: no column 'age'",
    )
    assert "raise_error" in report.traceback
    assert "second line" in report.traceback


def check_unpicklable_things_fail_by_name(executor: Executor) -> None:
    """An error and a value that cannot be pickled make a failed task, and nothing hangs."""
    inbox = Inbox(executor)
    tasks = [task(raise_unpicklable, "odd"), task(return_unpicklable, "odd")]
    inbox.submit(*tasks)

    raised, returned = inbox.reports(tasks)

    assert (raised.outcome, raised.error) == (TrialOutcome.FAILED, "Unpicklable: odd")
    assert returned.outcome is TrialOutcome.FAILED
    assert "this thing does not travel" in returned.error


def check_unknown_entry_fails(executor: Executor) -> None:
    """An entry that does not exist makes a failed task."""
    one = TrialTask(key=uuid.uuid4().hex, entry="nbautoml.no_such_module:run", payload=None)
    inbox = Inbox(executor)
    inbox.submit(one)

    report = inbox.report(one)

    assert report.outcome is TrialOutcome.FAILED
    assert "no_such_module" in report.error


def check_wrong_tasks_are_refused(executor: Executor) -> None:
    """A key that was used and a payload that cannot be pickled are errors of the caller's."""
    one, inbox = task(square, 2), Inbox(executor)
    inbox.submit(one)
    for wrong in (one, task(square, lambda: None)):
        try:
            executor.submit(wrong)
        except ConfigError as exc:
            assert wrong.key in exc.message
        else:
            raise AssertionError(f"{wrong} was accepted")

    inbox.report(one)


def check_time_limit_ends_native_code(executor: Executor) -> None:
    """A task that holds the interpreter lock in native code ends at its limit."""
    one, inbox = task(hold_interpreter, time_limit_seconds=0.5), Inbox(executor)
    inbox.submit(one)

    report = inbox.report(one)

    assert (report.outcome, report.attempts) == (TrialOutcome.TIME_LIMIT, 1)
    assert "0.5 s" in report.error
    assert report.seconds >= 0.5
    pid = inbox.bodies(one)[0]
    wait_until(lambda: is_gone(pid), "the task's process lives on")


def check_memory_limit_spares_neighbours(executor: Executor) -> None:
    """A task that takes too much memory is ended by name; another one does not notice."""
    inbox = Inbox(executor)
    limit = 300 * _MEGABYTE
    with gate() as opened:
        neighbour = task(wait_for_file, str(opened))
        hog = task(hold_memory, 4000 * _MEGABYTE, memory_limit_bytes=limit)
        inbox.submit(neighbour)
        neighbour_pid = inbox.bodies(neighbour, at_least=1)[0]
        inbox.submit(hog)
        report = inbox.report(hog)
        opened.touch()
        other = inbox.report(neighbour)

    assert (report.outcome, report.attempts) == (TrialOutcome.MEMORY_LIMIT, 1)
    assert report.peak_memory_bytes > limit
    assert f"{report.peak_memory_bytes / 1e6:,.0f} MB" in report.error
    assert f"{limit / 1e6:,.0f} MB" in report.error
    found = (other.outcome, other.attempts, other.value)
    assert found == (TrialOutcome.COMPLETED, 1, neighbour_pid)


def check_mapped_files_are_not_charged(executor: Executor) -> None:
    """A task may map and read a file that is larger than its memory limit."""
    inbox = Inbox(executor)
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(600 * _MEGABYTE)
        one = task(read_mapped, file.name, memory_limit_bytes=300 * _MEGABYTE)
        inbox.submit(one)
        report = inbox.report(one)

    assert (report.outcome, report.value) == (TrialOutcome.COMPLETED, 0)


def check_exit_is_a_crash(executor: Executor) -> None:
    """A task that ends its process crashes once, with the exit code and what it printed."""
    one, inbox = task(leave, 3), Inbox(executor)
    inbox.submit(one)

    report = inbox.report(one)

    assert (report.outcome, report.attempts) == (TrialOutcome.CRASHED, 1)
    assert "exit code 3" in report.error
    assert "leaving now" in report.traceback


def check_signal_is_a_crash(executor: Executor) -> None:
    """A task that dies of a signal crashes once, with the signal's name and what it printed."""
    one, inbox = task(break_memory), Inbox(executor)
    inbox.submit(one)

    report = inbox.report(one)

    assert (report.outcome, report.attempts) == (TrialOutcome.CRASHED, 1)
    assert "SIGSEGV" in report.error
    assert "about to break" in report.traceback


def check_running_task_can_be_canceled(executor: Executor) -> None:
    """Cancel kills a running task with all that it started, and frees its slot."""
    inbox = Inbox(executor)
    tasks = [task(start_descendant) for _ in range(executor.n_slots)]
    inbox.submit(*tasks)
    pids = [pid for one in tasks for pid in inbox.bodies(one, at_least=1)[0]]
    for one in tasks:
        executor.cancel(one.key)

    reports = inbox.reports(tasks)

    assert [r.outcome for r in reports] == [TrialOutcome.CANCELED] * len(tasks)
    wait_until(lambda: all(map(is_gone, pids)), "a canceled task's process lives on")
    next_ones = [task(square, 2) for _ in tasks]
    inbox.submit(*next_ones)
    assert [r.value for r in inbox.reports(next_ones)] == [4] * len(tasks)


def check_waiting_task_can_be_canceled(executor: Executor) -> None:
    """Cancel takes a waiting task off the queue; a second cancel changes nothing."""
    inbox = Inbox(executor)
    with gate() as opened:
        blockers = [task(wait_for_file, str(opened)) for _ in range(executor.n_slots)]
        waiting = task(square, 2)
        inbox.submit(*blockers, waiting)
        executor.cancel(waiting.key)
        report = inbox.report(waiting)
        executor.cancel(waiting.key)
        opened.touch()
        others = inbox.reports(blockers)

    assert (report.outcome, report.seconds) == (TrialOutcome.CANCELED, 0.0)
    assert [r.outcome for r in others] == [TrialOutcome.COMPLETED] * executor.n_slots
    assert sum(i.key == waiting.key for i in inbox.items) == 1


def check_many_tasks_have_one_report_each(executor: Executor) -> None:
    """Hundreds of small tasks all come back, once."""
    inbox = Inbox(executor)
    tasks = [task(square, n) for n in range(200)]
    inbox.submit(*tasks)

    values = [r.value for r in inbox.reports(tasks)]

    assert values == [n * n for n in range(200)]
    assert len(inbox.items) == 200


def check_large_value_comes_back(executor: Executor) -> None:
    """A value of several megabytes comes back whole."""
    one, inbox = task(return_bytes, 5 * _MEGABYTE), Inbox(executor)
    inbox.submit(one)

    assert inbox.report(one).value == b"x" * 5 * _MEGABYTE


def check_workers_are_described(executor: Executor) -> None:
    """While a task runs there are workers, one of them is busy, and they hold memory.

    There may be fewer than slots: those of a cluster come as they are needed.
    """
    inbox = Inbox(executor)
    with gate() as opened:
        one = task(wait_for_file, str(opened))
        inbox.submit(one)
        inbox.bodies(one, at_least=1)
        wait_until(lambda: executor.workers().memory_bytes > 0, "no memory was reported")
        state = executor.workers()
        opened.touch()
        inbox.report(one)

    assert 1 <= state.n_workers <= executor.n_slots
    assert state.n_busy == 1


def check_close_leaves_nothing(make: Callable[[], Executor]) -> None:
    """Close kills what runs; no process is left, and nothing can be submitted any more.

    Parameters
    ----------
    make : callable
        Returns a new executor.
    """
    before = _descendants()
    executor = make()
    inbox = Inbox(executor)
    running, queued = [task(start_descendant), task(hold_interpreter)], task(square, 1)
    inbox.submit(*running, queued)
    pids = [*inbox.bodies(running[0], at_least=1)[0], *inbox.bodies(running[1], at_least=1)]

    executor.close()
    executor.close()

    wait_until(lambda: all(map(is_gone, pids)), "a task's process lives on")
    wait_until(lambda: _descendants() <= before, f"left behind: {_descendants() - before}")
    try:
        executor.submit(task(square, 1))
    except ComputeError as exc:
        assert "closed" in exc.message
    else:
        raise AssertionError("a closed executor took a task")


def _descendants() -> set[int]:
    """Return what runs below this process, but for Python's own keeper of shared memory."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if "resource_tracker" not in " ".join(process.cmdline()):
                found.add(process.pid)
        except psutil.NoSuchProcess:
            continue
    return found


EXECUTOR_CHECKS: tuple[Callable[[Executor], None], ...] = (
    check_value_comes_back,
    check_messages_come_first_and_in_order,
    check_smaller_priority_is_earlier,
    check_error_has_sentence_and_traceback,
    check_unpicklable_things_fail_by_name,
    check_unknown_entry_fails,
    check_wrong_tasks_are_refused,
    check_time_limit_ends_native_code,
    check_memory_limit_spares_neighbours,
    check_mapped_files_are_not_charged,
    check_exit_is_a_crash,
    check_signal_is_a_crash,
    check_running_task_can_be_canceled,
    check_waiting_task_can_be_canceled,
    check_many_tasks_have_one_report_each,
    check_large_value_comes_back,
    check_workers_are_described,
)
"""Checks that share one executor with at least two slots; it is idle after each."""
