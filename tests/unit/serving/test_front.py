"""The front against workers that answer, die and lie; callers speak real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from nbautoml.serving.folder import LiveFile, write_json
from nbautoml.serving.front import Front, Route
from nbautoml.serving.guard import MAX_BODY_BYTES

KEY = "a key of sixteen"
Behave = Callable[[socket.socket, bytes], None]


def listening() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener


class Worker:
    """Takes connections one after the other and lets each behaviour of a list have one request."""

    def __init__(self) -> None:
        self.listener = listening()
        self.behaviours: list[Behave] = []
        self.seen: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(caller,), daemon=True).start()

    def _talk(self, caller: socket.socket) -> None:
        with caller:
            while data := read_message(caller):
                self.seen.append(data)
                behave = self.behaviours.pop(0) if self.behaviours else ok
                behave(caller, data)
                if caller.fileno() < 0:
                    return


def read_message(caller: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = caller.recv(65_536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += caller.recv(65_536)
    return head + b"\r\n\r\n" + body


def ok(caller: socket.socket, data: bytes) -> None:
    body = data.partition(b"\r\n\r\n")[2]
    text = b"HTTP/1.1 200 OK\r\nX-Model: m:1\r\nContent-Length: %d\r\n\r\n" % len(body)
    caller.sendall(text + body)


def ok_in_chunks(caller: socket.socket, data: bytes) -> None:
    caller.sendall(
        b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )


def die(caller: socket.socket, data: bytes) -> None:
    caller.close()


def die_in_the_middle(caller: socket.socket, data: bytes) -> None:
    caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    caller.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.listener.close()


@pytest.fixture
def route(worker: Worker) -> Route:
    return Route(port=worker.port, is_pure=True, worker=1)


@pytest.fixture
def door(route: Route, tmp_path: Path) -> Iterator[socket.socket]:
    settings = {"auth_enabled": True, "keys": {"primary": KEY}}
    write_json(tmp_path / "settings.json", settings)
    listener = listening()
    listener.setblocking(False)
    live = LiveFile(tmp_path / "settings.json")
    front = Front(listener, route, live, host="127.0.0.1")
    front.start()
    yield listener
    front.stop()
    listener.close()


@pytest.fixture
def caller(door: socket.socket) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=10) as client:
        yield client


def test_requests_and_replies_pass_as_they_are(caller: httpx.Client, worker: Worker) -> None:
    replies = [caller.post("/score?a=1", content=b"x" * n) for n in (1, 200_000)]

    assert [len(reply.content) for reply in replies] == [1, 200_000]
    assert replies[0].headers["x-model"] == "m:1"
    assert worker.seen[0].startswith(b"POST /score?a=1 HTTP/1.1\r\n")
    assert f"Bearer {KEY}".encode() in worker.seen[0]


def test_bodies_without_a_length_are_passed_on_with_one(
    caller: httpx.Client, worker: Worker
) -> None:
    worker.behaviours = [ok, ok_in_chunks]

    assert caller.post("/score", content=iter([b"ab", b"", b"cd"])).content == b"abcd"
    reply = caller.get("/metrics")
    assert (reply.status_code, reply.content) == (201, b"abcde")


def test_a_model_is_asked_again_when_its_worker_dies(caller: httpx.Client, worker: Worker) -> None:
    worker.behaviours = [ok, die, die_in_the_middle]

    assert caller.post("/score", content=b"1").content == b"1"
    assert caller.post("/score", content=b"2").content == b"2"
    assert len(worker.seen) == 4


def test_a_request_that_kills_its_workers_is_given_up(caller: httpx.Client, worker: Worker) -> None:
    worker.behaviours = [die] * 3

    reply = caller.post("/score", content=b"poison")

    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert reply.json()["title"] == "Come again"
    assert len(worker.seen) == 3
    assert caller.post("/score", content=b"good").content == b"good"


def test_connections_to_a_worker_that_was_replaced_are_not_used_again(
    caller: httpx.Client, worker: Worker, route: Route
) -> None:
    assert caller.post("/score", content=b"1").content == b"1"
    other = Worker()
    route.port, route.worker = other.port, 2

    assert caller.post("/score", content=b"2").content == b"2"
    assert (len(worker.seen), len(other.seen)) == (1, 1)
    other.listener.close()


def test_a_script_is_asked_once(caller: httpx.Client, worker: Worker, route: Route) -> None:
    route.is_pure = False
    worker.behaviours = [die]

    reply = caller.post("/score", content=b"pay")

    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert len(worker.seen) == 1


def test_who_waits_for_a_worker_is_answered_when_there_is_one(
    caller: httpx.Client, route: Route
) -> None:
    silent = listening()
    route.port = silent.getsockname()[1]
    found: list[bytes] = []
    thread = threading.Thread(
        target=lambda: found.append(caller.post("/score", content=b"1").content)
    )
    thread.start()
    worker, _ = silent.accept()
    ok(worker, read_message(worker))
    thread.join(10)

    assert found == [b"1"]
    worker.close()
    silent.close()


def test_after_a_failure_callers_are_told_why(caller: httpx.Client, route: Route) -> None:
    route.failure = "It crashed."

    reply = caller.post("/score", content=b"1")

    assert (reply.status_code, reply.headers["retry-after"]) == (503, "30")
    assert reply.json()["detail"] == "It crashed."


def test_nobody_without_a_key_gets_as_far_as_a_worker(caller: httpx.Client, worker: Worker) -> None:
    reply = caller.post("/score", content=b"x" * 300_000, headers={"Authorization": "Bearer no"})

    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert worker.seen == []
    assert caller.get("/healthz", headers={"Authorization": ""}).status_code == 200


def test_a_body_that_is_too_large_is_refused_however_it_comes(
    caller: httpx.Client, worker: Worker
) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 2**20 + 2):
            yield b" " * 2**20

    replies = [caller.post("/score", content=endless())]
    replies.append(caller.post("/score", content=b" " * (MAX_BODY_BYTES + 1)))

    assert [reply.status_code for reply in replies] == [413, 413]
    assert "32 MiB" in replies[0].json()["detail"]
    assert worker.seen == []


HOST = b"Host: localhost\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n"
BROKEN = {
    "no request": (b"hello\r\n\r\n", 400),
    "another version": (b"GET / HTTP/2\r\nHost: localhost\r\n\r\n", 400),
    "two lengths": (
        b"POST /score HTTP/1.1\r\n%sContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        400,
    ),
    "a length and chunks": (
        b"POST /score HTTP/1.1\r\n%sContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "another coding": (b"POST /score HTTP/1.1\r\n%sTransfer-Encoding: gzip\r\n\r\n", 400),
    "a negative length": (b"POST /score HTTP/1.1\r\n%sContent-Length: -1\r\n\r\n", 400),
    "a bad chunk": (b"POST /score HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n", 400),
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    "an endless head": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000, 431),
}


@pytest.mark.parametrize(("data", "status"), BROKEN.values(), ids=BROKEN)
def test_what_two_readers_could_read_differently_is_refused(
    door: socket.socket, worker: Worker, data: bytes, status: int
) -> None:
    with socket.create_connection(door.getsockname(), timeout=10) as raw:
        raw.sendall(data % HOST if b"%s" in data else data)
        reply = raw.recv(65_536)

    assert reply.startswith(b"HTTP/1.1 %d " % status), reply
    assert worker.seen == []


def test_several_requests_in_one_go_are_answered_in_order(door: socket.socket) -> None:
    one = b"POST /score HTTP/1.1\r\n%sContent-Length: 1\r\n\r\n" % HOST
    with socket.create_connection(door.getsockname(), timeout=10) as raw:
        raw.sendall(one + b"1" + one + b"2")
        data = b""
        while data.count(b"HTTP/1.1 200") < 2 or not data.endswith(b"2"):
            data += raw.recv(65_536)

    first, second = data.split(b"HTTP/1.1 200")[1:]
    assert (first[-1:], second[-1:]) == (b"1", b"2")


def test_a_large_body_is_asked_for_when_the_caller_waits_for_that(door: socket.socket) -> None:
    head = b"POST /score HTTP/1.1\r\n%sContent-Length: 2\r\nExpect: 100-continue\r\n\r\n" % HOST
    with socket.create_connection(door.getsockname(), timeout=10) as raw:
        raw.sendall(head)
        assert raw.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw.sendall(b"ab")
        assert b"200" in raw.recv(65_536)
