"""The executor's own bookkeeping, against a cluster in memory that says what the test wants."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import KilledWorker

from nbautoml.compute import executor as subject
from nbautoml.compute.executor import DaskExecutor
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.compute.supervisor import Ending, Order
from nbautoml.compute.trial import MEMORY_METRIC
from nbautoml.domain.ports import TaskMessage, TaskReport, TrialTask, WorkerState
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ComputeError
from nbautoml.testing.executor_contract import Inbox, square, task, wait_until

SPEC = ExecutorSpec(n_workers=1, threads_per_worker=2, memory_limit_bytes=1000, preload=())


class FakeFuture:
    def __init__(self, order: Order) -> None:
        self.order = order
        self.status = "pending"
        self.outcome: Any = None
        self.callbacks: list[Callable[[FakeFuture], None]] = []

    def add_done_callback(self, callback: Callable[[FakeFuture], None]) -> None:
        self.callbacks.append(callback)

    def result(self) -> Any:
        return self.outcome

    exception = result

    def cancel(self) -> None:
        self.settle("cancelled")

    def settle(self, status: str, outcome: Any = None) -> None:
        self.status, self.outcome = status, outcome
        for callback in self.callbacks:
            callback(self)


class FakeCluster:
    """Cluster and client in one: tests play the workers."""

    def __init__(self) -> None:
        self.futures: list[FakeFuture] = []
        self.closed: list[str] = []
        self.handler: Callable[[Any], None] = lambda event: None

    def connect(self) -> Any:
        return SimpleNamespace(
            subscribe_topic=lambda topic, handler: setattr(self, "handler", handler),
            register_plugin=lambda plugin: None,
            submit=self._submit,
            scheduler_info=lambda n_workers: {
                "workers": {"a": {"nthreads": 1, "metrics": {"memory": 10, MEMORY_METRIC: 5}}}
            },
            cancel=lambda futures: [f.cancel() for f in futures],
            close=lambda: self.closed.append("client"),
        )

    def close(self) -> None:
        self.closed.append("cluster")

    def _submit(self, function: Any, order: Order, **_: Any) -> FakeFuture:
        self.futures.append(FakeFuture(order))
        return self.futures[-1]

    def sent(self, number: int) -> FakeFuture:
        """Wait for the task of that number to be handed over."""
        wait_until(lambda: len(self.futures) > number, "nothing was sent")
        return self.futures[number]

    def tell(self, future: FakeFuture, attempt: str, **news: Any) -> None:
        self.handler((0.0, {"number": future.order.number, "attempt": attempt, **news}))


def ending(value: Any = None, outcome: TrialOutcome = TrialOutcome.COMPLETED) -> bytes:
    return pickle.dumps(Ending(outcome=outcome, seconds=1.5, value=pickle.dumps(value)))


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def executor(cluster: FakeCluster) -> Iterator[DaskExecutor]:
    executor = DaskExecutor(SPEC, lambda spec: cluster)
    yield executor
    executor.close()


def test_tasks_beyond_the_slots_stay_here(executor: DaskExecutor, cluster: FakeCluster) -> None:
    inbox = Inbox(executor)
    first, second = task(square, 1), task(square, 2)
    inbox.submit(first, second)
    future = cluster.sent(0)
    cluster.tell(future, "a", started=True)
    cluster.tell(future, "a", ending=ending(1))
    inbox.report(first)
    n_sent_before = len(cluster.futures)
    future.settle("finished")
    cluster.sent(1)

    assert n_sent_before == 1


@pytest.mark.parametrize(("own", "expected"), [(None, 1000), (10, 10), (5000, 1000)])
def test_smaller_memory_limit_counts(
    executor: DaskExecutor, cluster: FakeCluster, own: int | None, expected: int
) -> None:
    executor.submit(task(square, 1, memory_limit_bytes=own, time_limit_seconds=7.0))

    order = cluster.sent(0).order

    assert (order.memory_limit_bytes, order.time_limit_seconds) == (expected, 7.0)


def test_attempt_that_was_given_up_is_not_heard(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one = Inbox(executor), task(square, 1)
    inbox.submit(one)
    future = cluster.sent(0)
    cluster.tell(future, "a", started=True)
    cluster.tell(future, "a", messages=[pickle.dumps("first")])
    cluster.tell(future, "b", started=True)
    cluster.tell(future, "a", messages=[pickle.dumps("late")])
    cluster.tell(future, "a", ending=ending("wrong"))
    cluster.tell(future, "b", messages=[pickle.dumps("second")])
    cluster.tell(future, "b", ending=ending("right"))

    report = inbox.report(one)

    assert inbox.bodies(one) == ["first", "second"]
    assert (report.value, report.attempts, report.seconds) == ("right", 2, 1.5)


def test_ending_may_come_as_the_result_alone(executor: DaskExecutor, cluster: FakeCluster) -> None:
    inbox, one = Inbox(executor), task(square, 1)
    inbox.submit(one)
    cluster.sent(0).settle("finished", ending(4))

    assert inbox.report(one).value == 4


def test_killed_worker_is_reported_with_attempts(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one = Inbox(executor), task(square, 1)
    inbox.submit(one)
    future = cluster.sent(0)
    for attempt in "abc":
        cluster.tell(future, attempt, started=True)
    future.settle("error", KilledWorker("key", SimpleNamespace(address="a"), 2))

    report = inbox.report(one)

    assert (report.outcome, report.attempts) == (TrialOutcome.WORKER_LOST, 3)


def test_error_of_the_worker_itself_is_a_failure(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one = Inbox(executor), task(square, 1)
    inbox.submit(one)
    cluster.sent(0).settle("error", OSError("disk full"))

    report = inbox.report(one)

    assert (report.outcome, report.error) == (
        TrialOutcome.FAILED,
        "Its worker could not run it: disk full",
    )


def test_value_of_an_unknown_class_is_a_failure(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one = Inbox(executor), task(square, 1)
    inbox.submit(one)
    broken = Ending(outcome=TrialOutcome.COMPLETED, seconds=0.0, value=b"cno_such_module\nX\n.")
    cluster.sent(0).settle("finished", pickle.dumps(broken))

    report = inbox.report(one)

    assert report.outcome is TrialOutcome.FAILED
    assert "no_such_module" in report.error


def test_silent_worker_does_not_delay_a_cancel_for_ever(
    executor: DaskExecutor, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "CANCEL_SECONDS", 0.05)
    inbox, one, after = Inbox(executor), task(square, 1), task(square, 2)
    inbox.submit(one, after)
    cluster.tell(cluster.sent(0), "a", started=True)
    executor.cancel(one.key)

    assert inbox.report(one).outcome is TrialOutcome.CANCELED
    assert cluster.sent(1).order.number == 1


def test_task_that_ended_before_its_cancel_keeps_its_outcome(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one = Inbox(executor), task(square, 1)
    inbox.submit(one)
    future = cluster.sent(0)
    cluster.tell(future, "a", started=True)
    executor.cancel(one.key)
    cluster.tell(future, "a", ending=ending(1))

    assert inbox.report(one).outcome is TrialOutcome.COMPLETED


def test_task_that_dask_repeats_after_its_report_is_stopped(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one, after = Inbox(executor), task(square, 1), task(square, 2)
    inbox.submit(one, after)
    future = cluster.sent(0)
    cluster.tell(future, "a", started=True)
    cluster.tell(future, "a", ending=ending(1))
    cluster.tell(future, "b", started=True)
    cluster.sent(1)

    assert future.status == "cancelled"
    assert inbox.report(one).attempts == 1


def test_lost_connection_is_an_error_at_each_poll(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    executor.submit(task(square, 1))
    cluster.sent(0).settle("cancelled")

    for _ in range(2):
        with pytest.raises(ComputeError, match="connection to the Dask scheduler was lost"):
            executor.poll(30)


def test_reports_come_before_the_error(executor: DaskExecutor, cluster: FakeCluster) -> None:
    one, other = task(square, 1), task(square, 2)
    executor.submit(one)
    executor.submit(other)
    cluster.sent(0).settle("finished", ending(1))
    cluster.sent(1).settle("cancelled")
    found: list[TaskMessage | TaskReport] = []

    with pytest.raises(ComputeError):
        while True:
            found += executor.poll(30)

    assert [item.key for item in found] == [one.key]


def test_start_that_fails_is_an_error_at_poll_with_its_cause() -> None:
    def start(spec: ExecutorSpec) -> FakeCluster:
        raise OSError("no ports left")

    executor = DaskExecutor(SPEC, start)
    executor.submit(task(square, 1))

    with pytest.raises(ComputeError, match="could not be started: no ports left") as caught:
        executor.poll(30)

    assert isinstance(caught.value.__cause__, OSError)
    executor.close()


def test_cluster_that_cannot_be_reached_is_closed(cluster: FakeCluster) -> None:
    def refuse() -> Any:
        raise OSError("refused")

    cluster.connect = refuse  # type: ignore[method-assign]
    executor = DaskExecutor(SPEC, lambda spec: cluster)
    with pytest.raises(ComputeError, match="refused"):
        executor.poll(30)
    executor.close()

    assert cluster.closed == ["cluster"]


def test_tasks_wait_while_the_cluster_starts(cluster: FakeCluster) -> None:
    is_up = threading.Event()

    def start(spec: ExecutorSpec) -> FakeCluster:
        assert is_up.wait(60)
        return cluster

    executor = DaskExecutor(SPEC, start)
    inbox, one, other = Inbox(executor), task(square, 1), task(square, 2)
    inbox.submit(one, other)
    executor.cancel(one.key)
    report = inbox.report(one)
    state = executor.workers()
    is_up.set()
    cluster.sent(0)
    executor.close()

    assert report.outcome is TrialOutcome.CANCELED
    assert state == WorkerState(n_workers=0, n_busy=0, memory_bytes=0, free_bytes=1000)
    assert [future.order.number for future in cluster.futures] == [1]
    assert cluster.closed == ["client", "cluster"]


def test_workers_are_described_from_their_heartbeats(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    executor.submit(task(square, 1))
    cluster.sent(0)

    assert executor.workers() == WorkerState(
        n_workers=1, n_busy=1, memory_bytes=15, free_bytes=1000
    )
    assert (executor.n_slots, executor.threads_per_slot) == (1, 2)


def test_poll_without_news_is_empty(executor: DaskExecutor) -> None:
    assert list(executor.poll(0)) == []
    assert list(executor.poll(0.01)) == []


def test_cancel_of_an_unknown_key_changes_nothing(executor: DaskExecutor) -> None:
    executor.cancel("unknown")

    assert list(executor.poll(0)) == []


def test_event_that_cannot_be_read_stops_the_executor_loudly(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    executor.submit(TrialTask(key="k", entry="m:f", payload=None))
    future = cluster.sent(0)
    cluster.tell(future, "a", started=True)
    cluster.tell(future, "a", messages=[b"not a pickle"])

    with pytest.raises(ComputeError, match="The executor stopped"):
        executor.poll(30)
