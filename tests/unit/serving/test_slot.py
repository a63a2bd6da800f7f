"""One version's workers: started, replaced, restarted, given up."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass, field

import pytest

from nbautoml.serving.slot import (
    LEAVE_SECONDS,
    MAX_CRASHES,
    START_SECONDS,
    Slot,
    refuse_callers,
)


@dataclass
class FakeWorker:
    revision: int
    pid: int
    started_at: float = 0.0
    is_ready: bool = False
    has_let_go: bool = False
    problem: str = ""
    code: int | None = None
    told: list[str] = field(default_factory=list)

    def poll(self) -> int | None:
        return self.code

    def drain(self) -> None:
        self.told.append("drain")

    def end(self) -> None:
        self.told.append("end")

    def kill(self) -> None:
        self.told.append("kill")
        self.code = -9


class Desk:
    """A slot with workers that do as they are told, and a clock."""

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.log: list[str] = []
        self.now = 100.0
        self.slot = Slot(start=self._start, say=self.log.append)

    def _start(self, revision: int) -> FakeWorker:
        worker = FakeWorker(revision, pid=len(self.workers) + 1, started_at=self.now)
        self.workers.append(worker)
        return worker

    def step(self, seconds: float = 0.1) -> None:
        self.now += seconds
        self.slot.step(self.now)

    def serve(self, revision: int) -> FakeWorker:
        self.slot.want(revision)
        self.step()
        worker = self.workers[-1]
        worker.is_ready = True
        self.step()
        return worker


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_worker_serves_once_it_is_ready(desk: Desk) -> None:
    desk.slot.want(1)
    desk.step()
    assert desk.slot.state()["revision"] is None
    desk.workers[0].is_ready = True
    desk.step()
    assert desk.slot.state() == {
        "wanted": 1,
        "revision": 1,
        "pid": 1,
        "restarts": 0,
        "error": "",
    }


def test_the_old_worker_leaves_only_when_the_new_one_is_ready(desk: Desk) -> None:
    old = desk.serve(1)
    desk.slot.want(2)
    desk.step()
    assert old.told == []
    desk.workers[-1].is_ready = True
    desk.step()
    assert old.told == ["drain"]
    assert desk.slot.state()["revision"] == 2
    # until it says so, it may have taken a caller
    assert desk.slot.is_handing_over
    old.has_let_go = True
    assert not desk.slot.is_handing_over


def test_a_worker_that_does_not_leave_is_asked_and_then_ended(desk: Desk) -> None:
    old = desk.serve(1)
    desk.serve(2)
    desk.step(LEAVE_SECONDS + 1)
    desk.step()
    assert old.told == ["drain", "end"]
    desk.step(6)
    desk.step()
    assert old.told == ["drain", "end", "kill"]
    assert desk.slot.serving is desk.workers[1]


def test_a_crash_is_answered_at_once_and_the_next_ones_with_pauses(desk: Desk) -> None:
    desk.serve(1)
    starts = []
    for _ in range(3):
        worker = desk.workers[-1]
        worker.is_ready, n_before, began = True, len(desk.workers), desk.now
        desk.step()
        worker.code = 1
        while len(desk.workers) == n_before:
            desk.step()
        starts.append(round(desk.now - began, 1))
    assert starts == pytest.approx([0.2, 0.7, 1.2], abs=0.11)
    assert desk.slot.n_restarts == 3


def test_too_many_crashes_in_a_short_time_are_a_failure(desk: Desk) -> None:
    desk.serve(1)
    for _ in range(200):
        desk.workers[-1].is_ready = True
        desk.step()
        desk.workers[-1].code = 139
        desk.step()
    assert desk.slot.has_failed
    assert "ended with 139" in desk.slot.error
    assert len(desk.workers) == MAX_CRASHES


def test_crashes_long_ago_do_not_count(desk: Desk) -> None:
    desk.serve(1)
    for _ in range(3 * MAX_CRASHES):
        desk.workers[-1].is_ready = True
        desk.step()
        desk.workers[-1].code = 1
        desk.step(61)
        desk.step(61)
    assert not desk.slot.has_failed


def test_a_worker_that_says_why_it_cannot_serve_is_not_tried_again(desk: Desk) -> None:
    desk.slot.want(1)
    desk.step()
    desk.workers[0].problem, desk.workers[0].code = "No module named x", 3
    desk.step()
    desk.step(100)
    assert desk.slot.has_failed
    assert desk.slot.error == "No module named x"
    assert len(desk.workers) == 1


def test_a_failed_update_leaves_the_old_worker_alone(desk: Desk) -> None:
    old = desk.serve(1)
    desk.slot.want(2)
    desk.step()
    desk.workers[-1].problem, desk.workers[-1].code = "broken", 3
    desk.step()
    desk.step(100)
    assert (desk.slot.serving, old.told, desk.slot.error) == (old, [], "broken")
    assert not desk.slot.has_failed
    desk.slot.want(1)
    desk.step()
    assert (desk.slot.error, len(desk.workers)) == ("", 2)


def test_a_newer_wish_ends_the_worker_that_was_getting_ready(desk: Desk) -> None:
    desk.serve(1)
    desk.slot.want(2)
    desk.step()
    desk.slot.want(3)
    desk.step()
    desk.step()
    assert desk.workers[1].told == ["kill"]
    assert desk.workers[-1].revision == 3
    assert desk.slot.error == ""


def test_a_worker_that_never_gets_ready_is_a_failure(desk: Desk) -> None:
    desk.slot.want(1)
    desk.step()
    desk.step(START_SECONDS + 1)
    desk.step()
    assert desk.workers[0].told == ["kill"]
    assert "not ready after 300 s" in desk.slot.error


def test_a_slot_that_is_not_wanted_any_more_lets_its_worker_go(desk: Desk) -> None:
    worker = desk.serve(1)
    desk.slot.want(None)
    desk.step()
    assert worker.told == ["drain"]
    assert desk.slot.state()["revision"] is None
    desk.step(100)
    assert len(desk.workers) == 1


def test_callers_of_a_failed_slot_are_told_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        callers = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(3)]
        for caller in callers:
            caller.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        thread = threading.Thread(target=refuse_callers, args=(listener, "it is broken"))
        thread.start()
        thread.join(10)
        for caller in callers:
            with caller:
                said = b""
                while part := caller.recv(4096):
                    said += part
            head, _, body = said.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert json.loads(body)["detail"] == "it is broken"
