"""The executor's own bookkeeping, against a cluster in memory that says what the test wants."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import KilledWorker

from nbautoml.compute import connection
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
        self.workers: dict[str, Any] = {
            "a": {"nthreads": 1, "metrics": {"memory": 10, MEMORY_METRIC: 5}}
        }
        self.n_connected = 0
        self.given: list[Any] = []
        self.n_graphs = 0

    def connect(self) -> Any:
        self.n_connected += 1
        return SimpleNamespace(
            subscribe_topic=lambda topic, handler: setattr(self, "handler", handler),
            register_plugin=lambda plugin: None,
            map=self._map,
            sync=lambda function, callback_timeout, **given: function(**given),
            scheduler=SimpleNamespace(identity=lambda n_workers: {"workers": self.workers}),
            run=lambda *given, workers: self.given.append((given, workers)),
            cancel=lambda futures: [f.cancel() for f in futures],
            close=lambda: self.closed.append("client"),
        )

    def close(self) -> None:
        self.closed.append("cluster")

    def _map(self, function: Any, orders: list[Order], **_: Any) -> list[FakeFuture]:
        made = [FakeFuture(order) for order in orders]
        self.n_graphs += 1
        self.futures += made
        return made

    def sent(self, number: int) -> FakeFuture:
        """Wait for the task of that number to be handed over."""
        wait_until(lambda: len(self.futures) > number, "nothing was sent")
        return self.futures[number]

    def tell(self, future: FakeFuture, attempt: str, **news: Any) -> None:
        self.handler((0.0, [{"number": future.order.number, "attempt": attempt, **news}]))


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


def test_tasks_that_wait_are_handed_over_together(cluster: FakeCluster) -> None:
    may_start = threading.Event()

    def start(spec: ExecutorSpec) -> FakeCluster:
        may_start.wait(30)
        return cluster

    executor = DaskExecutor(replace(SPEC, n_workers=3), start)
    for n in range(4):
        executor.submit(task(square, n))
    may_start.set()
    cluster.sent(2)
    executor.close()

    assert (len(cluster.futures), cluster.n_graphs) == (3, 1)
    assert [future.order.number for future in cluster.futures] == [0, 1, 2]


def test_news_that_came_together_count_in_their_order(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one = Inbox(executor), task(square, 1)
    inbox.submit(one)
    about = {"number": cluster.sent(0).order.number, "attempt": "a"}
    cluster.handler((0.0, [about | {"started": True}, about | {"ending": ending(4)}]))

    report = inbox.report(one)

    assert (report.value, report.attempts) == (4, 1)


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


def test_tasks_of_a_lost_cluster_run_again_on_the_next_one(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one, after = Inbox(executor), task(square, 1), task(square, 2)
    inbox.submit(one, after)
    lost = cluster.sent(0)
    cluster.tell(lost, "a", started=True)
    lost.settle("cancelled")
    again = cluster.sent(1)
    cluster.tell(lost, "a", ending=ending("late"))
    cluster.tell(again, "b", started=True)
    cluster.tell(again, "b", ending=ending("right"))

    report = inbox.report(one)

    assert (report.value, report.attempts) == ("right", 2)
    assert [future.order.number for future in cluster.futures[:2]] == [0, 0]
    assert (cluster.n_connected, cluster.closed) == (2, ["client", "cluster"])


def test_a_client_that_connected_again_by_itself_is_not_trusted(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler behind the same address may be another one."""
    clients: list[Any] = []
    connect = cluster.connect

    def connect_and_keep() -> Any:
        clients.append(connect())
        return clients[-1]

    monkeypatch.setattr(cluster, "connect", connect_and_keep)
    executor = DaskExecutor(SPEC, lambda spec: cluster)
    inbox, one, after = Inbox(executor), task(square, 1), task(square, 2)
    inbox.submit(one)
    cluster.sent(0).settle("finished", ending(1))
    inbox.report(one)
    clients[0].scheduler_comm = object()
    inbox.submit(after)
    cluster.sent(1).settle("finished", ending(4))

    assert inbox.report(after).value == 4
    assert len(clients) == 2
    executor.close()


def test_a_task_that_was_canceled_is_not_run_again(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one, lost = Inbox(executor), task(square, 1), task(square, 2)
    inbox.submit(one)
    cluster.tell(cluster.sent(0), "a", started=True)
    executor.cancel(one.key)
    inbox.submit(lost)
    cluster.tell(cluster.futures[0], "a", ending=ending(1))
    cluster.sent(1).settle("cancelled")

    assert inbox.report(one).outcome in {TrialOutcome.CANCELED, TrialOutcome.COMPLETED}
    assert cluster.sent(2).order.number == 1


def test_a_task_that_loses_the_cluster_again_and_again_is_given_up(
    executor: DaskExecutor, cluster: FakeCluster
) -> None:
    inbox, one = Inbox(executor), task(square, 1)
    inbox.submit(one)
    for number in range(subject.MOST_LOSSES + 1):
        cluster.sent(number).settle("cancelled")

    report = inbox.report(one)

    assert report.outcome is TrialOutcome.WORKER_LOST
    assert "lost 6 times" in report.error


def test_workers_that_do_not_come_back_are_an_error_after_the_reports(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "RETRY_SECONDS", 0.01)
    executor = DaskExecutor(replace(SPEC, patience_seconds=0.05), lambda spec: cluster)
    one, other = task(square, 1), task(square, 2)
    executor.submit(one)
    executor.submit(other)
    cluster.sent(0).settle("finished", ending(1))

    def refuse() -> Any:
        raise OSError("nobody answers")

    future = cluster.sent(1)
    cluster.connect = refuse  # type: ignore[method-assign]
    future.settle("cancelled")
    found: list[TaskMessage | TaskReport] = []
    with pytest.raises(ComputeError, match="not back after 0.05 s: nobody answers"):
        while True:
            found += executor.poll(30)

    assert [item.key for item in found] == [one.key]
    with pytest.raises(ComputeError):
        executor.poll(0)
    executor.close()


def test_tasks_that_wait_without_any_worker_end_in_an_error(cluster: FakeCluster) -> None:
    cluster.workers = {}
    executor = DaskExecutor(replace(SPEC, patience_seconds=0.2), lambda spec: cluster)
    executor.submit(task(square, 1))
    cluster.sent(0)
    with pytest.raises(ComputeError, match="There has been no worker for"):
        while True:
            executor.poll(0.05)
    executor.close()


def test_a_worker_gets_only_what_was_put_on_the_shelf(
    executor: DaskExecutor, cluster: FakeCluster, tmp_path: Path
) -> None:
    (tmp_path / "y.npy").write_bytes(b"numbers")
    one = task(square, 1, reads=tmp_path, writes=tmp_path / "out")
    executor.submit(one)
    future = cluster.sent(0)
    folders = future.order.folders
    assert folders is not None
    cluster.tell(future, "a", started=True)
    for name in ("y.npy", "../secret"):
        question = {"ticket": name, "worker": "w", "shelf": folders.key, "name": name, "offset": 3}
        cluster.tell(future, "a", ask=question)
    wait_until(lambda: len(cluster.given) == 2, "no answers")

    answers = {given[1]: (given[2:], workers) for given, workers in cluster.given}
    assert answers["y.npy"] == ((b"bers", ""), ["w"])
    assert answers["../secret"][0][0] == b""
    assert "no file '../secret'" in answers["../secret"][0][1]


def test_files_of_a_worker_far_away_are_there_when_its_task_is_reported(
    executor: DaskExecutor, cluster: FakeCluster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    inbox, one = Inbox(executor), task(square, 1, reads=tmp_path, writes=out)
    inbox.submit(one)
    told = Ending(
        outcome=TrialOutcome.COMPLETED,
        seconds=1.0,
        value=pickle.dumps(1),
        files={"fold0.npy": b"predictions"},
    )
    cluster.sent(0).settle("finished", pickle.dumps(told))

    assert inbox.report(one).outcome is TrialOutcome.COMPLETED
    assert (out / "fold0.npy").read_bytes() == b"predictions"


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
