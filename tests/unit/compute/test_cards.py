"""The executor and tasks that need a graphics card, against workers that the test plays."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from nbautoml.compute.executor import DaskExecutor
from nbautoml.compute.frames import FrameReader, Kind
from nbautoml.compute.pool import Child
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.compute.supervisor import Ending, Order
from nbautoml.domain.ports import TrialTask
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ConfigError
from nbautoml.testing.executor_contract import Inbox, square, task, wait_until

SPEC = ExecutorSpec(
    n_workers=3, threads_per_worker=1, memory_limit_bytes=None, preload=(), n_gpus=1
)


class Played:
    """A cluster in memory: what was sent to it, and with which resources."""

    def __init__(self) -> None:
        self.sent: list[tuple[Order, Any]] = []
        self.done: list[Any] = []
        self.futures: list[Any] = []

    def connect(self) -> Any:
        return SimpleNamespace(
            subscribe_topic=lambda topic, handler: None,
            register_plugin=lambda plugin: None,
            map=self.map,
            sync=lambda function, callback_timeout, **given: function(**given),
            scheduler=SimpleNamespace(identity=lambda n_workers: {"workers": {}}),
            cancel=lambda futures: None,
            close=lambda: None,
        )

    def close(self) -> None:
        pass

    def map(self, function: Any, orders: list[Order], *, resources: Any, **_: Any) -> list[Any]:
        made = [
            SimpleNamespace(
                status="pending", add_done_callback=self.done.append, result=lambda: ended()
            )
            for _ in orders
        ]
        self.sent += [(order, resources) for order in orders]
        self.futures += made
        return made

    def complete(self, number: int) -> None:
        future = self.futures[number]
        future.status = "finished"
        self.done[number](future)


def ended() -> bytes:
    return pickle.dumps(
        Ending(
            outcome=TrialOutcome.COMPLETED,
            seconds=1.0,
            value=pickle.dumps(None),
            worker="w-1",
            output="hello",
        )
    )


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def executor(played: Played) -> Iterator[DaskExecutor]:
    executor = DaskExecutor(SPEC, lambda spec: played)
    yield executor
    executor.close()


def with_card(**more: Any) -> TrialTask:
    return task(square, 1, n_gpus=1, **more)


def test_one_task_a_card_and_the_others_do_not_wait(played: Played, executor: DaskExecutor) -> None:
    inbox = Inbox(executor)
    inbox.submit(with_card(), with_card(), task(square, 2), task(square, 3))
    wait_until(lambda: len(played.sent) == 3, "three slots are not used")
    assert [resources for _, resources in played.sent] == [{"GPU": 1}, None, None]
    assert [order.n_gpus for order, _ in played.sent] == [1, 0, 0]
    played.complete(1)  # a core is free, the card is not
    with pytest.raises(AssertionError):
        quick_wait(lambda: len(played.sent) > 3)
    played.complete(0)
    wait_until(lambda: len(played.sent) == 4, "the card is free, and nobody gets it")
    assert played.sent[3][1] == {"GPU": 1}


def quick_wait(is_so: Any) -> None:
    import time

    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError


def test_a_report_says_where_it_was_and_what_was_printed(
    played: Played, executor: DaskExecutor
) -> None:
    inbox, one = Inbox(executor), task(square, 2)
    inbox.submit(one)
    wait_until(lambda: len(played.done) == 1, "nothing was sent")
    played.complete(0)
    report = inbox.report(one)
    assert (report.worker, report.output) == ("w-1", "hello")


def test_more_cards_than_there_are_is_a_mistake(executor: DaskExecutor) -> None:
    with pytest.raises(
        ConfigError, match="needs 2 of the workers' graphics cards, and they have 1"
    ):
        executor.submit(task(square, 1, n_gpus=2))


def test_a_child_is_told_its_cards_before_its_task() -> None:
    sent: list[bytes] = []
    channel: Any = SimpleNamespace(sendall=sent.append)
    child = Child(number=1, channel=channel, output=-1, life=-1)
    child.send_task(b"body", (2, 3))
    child.send_task(b"next")
    frames = list(FrameReader().feed(b"".join(sent)))
    assert frames == [
        (Kind.CARDS, b"2,3"),
        (Kind.TASK, b"body"),
        (Kind.CARDS, b""),
        (Kind.TASK, b"next"),
    ]
