"""A worker's server in this process: real connections, and how it lets its callers go."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from nbautoml.serving.app import Service
from nbautoml.serving.folder import Folder, write_json
from nbautoml.serving.guard import MAX_BODY_BYTES
from nbautoml.serving.keys import new_keys
from nbautoml.serving.scorer import Answer, Asked
from nbautoml.serving.server import Server


class Echo:
    """Answers with what it was asked, and waits before it answers ``slow``."""

    version = "m:1"
    methods = ("predict",)
    most_at_once = 4
    n_threads = 1

    def __init__(self) -> None:
        self.go = threading.Event()
        self.has_begun = threading.Event()

    def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
        return [self._answer(one) for one in asked]

    def _answer(self, one: Asked) -> Answer | Exception:
        if one.body == b"slow":
            self.has_begun.set()
            self.go.wait(10)
        if one.body == b"broken":
            return KeyError("here")
        return Answer(content={"body": one.body.decode(), "query": dict(one.query)}, n_rows=1)

    def is_quick(self, asked: Asked) -> bool:
        return asked.body != b"slow"

    def describe_row(self) -> dict[str, object]:
        return {}

    def sample(self) -> list[object]:
        return []


class Running:
    """A server in a thread of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.keys, self.scorer = new_keys(), Echo()
        folder = Folder(tmp_path / "d")
        folder.make()
        write_json(folder.settings_file, {"auth_enabled": True, "keys": self.keys})
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.status, writer = os.pipe()
        service = Service("d", self.scorer, folder)
        self.server = Server(service, self.listener, writer, "127.0.0.1")
        self.thread = threading.Thread(target=asyncio.run, args=(self.server.run(),))
        self.thread.start()
        assert self.told() == {"ready": True}

    def told(self) -> dict[str, object]:
        said: dict[str, object] = json.loads(os.read(self.status, 1_000))
        return said

    def caller(self) -> httpx.Client:
        headers = {
            "Authorization": f"Bearer {self.keys['primary']}",
            "Content-Type": "application/json",
        }
        address = f"http://127.0.0.1:{self.port}"
        return httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=10)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.scorer.go.set()
    running.server.stop()
    running.thread.join(10)


def test_requests_are_answered_one_after_the_other(running: Running) -> None:
    with running.caller() as caller:
        replies = [caller.post("/score?a=1&a=2&b=", content=b"x" * n) for n in (1, 300_000)]

    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].json() == {"body": "x", "query": {"a": "2", "b": ""}}
    assert len(replies[1].json()["body"]) == 300_000
    assert (replies[0].headers["x-model"], len(replies[0].headers["x-request-id"])) == ("m:1", 12)


def test_what_is_there_besides_answers(running: Running) -> None:
    with running.caller() as caller:
        assert caller.get("/healthz", headers={"Authorization": ""}).text == "Healthy"
        assert caller.get("/openapi.json").json()["openapi"].startswith("3.")
        head = caller.head("/swagger.json")
        assert (head.content, int(head.headers["content-length"]) > 100) == (b"", True)
        caller.post("/score", content=b"1")
        assert 'nbautoml_requests_total{status="200"} 1' in caller.get("/metrics").text
        assert caller.post("/score/", content=b"1").status_code == 200
        absent, wrong = caller.get("/%73cores"), caller.delete("/metrics")
    assert (absent.status_code, "nothing at /scores" in absent.json()["detail"]) == (404, True)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")


def test_a_failure_is_a_reply(running: Running) -> None:
    with running.caller() as caller:
        reply = caller.post("/score", content=b"broken")
        assert (reply.status_code, "KeyError" in reply.json()["detail"]) == (500, True)
        assert caller.post("/score", content=b"1").status_code == 200


REFUSED: dict[str, tuple[Callable[[httpx.Client], httpx.Response], int]] = {
    "another key": (lambda c: c.post("/score", headers={"Authorization": "Bearer x"}), 401),
    "another name": (lambda c: c.post("/score", headers={"Host": "evil.example"}), 400),
    "no JSON": (lambda c: c.post("/score", headers={"Content-Type": "text/csv"}), 415),
    "too much": (lambda c: c.post("/score", content=_endless()), 413),
}


def _endless() -> Iterator[bytes]:
    for _ in range(MAX_BODY_BYTES // 2**20 + 2):
        yield b" " * 2**20


@pytest.mark.parametrize(("ask", "status"), REFUSED.values(), ids=REFUSED)
def test_the_worker_looks_again(
    running: Running, ask: Callable[[httpx.Client], httpx.Response], status: int
) -> None:
    with running.caller() as caller:
        try:
            reply = ask(caller)
        except httpx.WriteError:  # it was refused before all of it was sent
            assert status == 413
            return

    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"


def test_what_is_no_request_is_refused(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as raw:
        raw.sendall(b"hello\r\n\r\n")
        assert raw.recv(65_536).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_worker_that_leaves_answers_and_tells_its_callers_to_connect_again(
    running: Running,
) -> None:
    with running.caller() as caller:
        assert "connection" not in caller.post("/score", content=b"1").headers
        running.server.begin_drain()
        assert running.told() == {"let_go": True}
        last = caller.post("/score", content=b"2")

    assert (last.status_code, last.headers["connection"]) == (200, "close")
    running.thread.join(10)
    assert not running.thread.is_alive()


def test_what_has_begun_is_answered_before_the_end(running: Running) -> None:
    found: list[httpx.Response] = []

    def ask() -> None:
        with running.caller() as caller:
            found.append(caller.post("/score", content=b"slow"))

    asking = threading.Thread(target=ask)
    with running.caller() as idle:
        idle.post("/score", content=b"1")
        asking.start()
        assert running.scorer.has_begun.wait(10)
        running.server.stop()
        running.scorer.go.set()
        asking.join(10)
        running.thread.join(10)

    assert [reply.json()["body"] for reply in found] == ["slow"]
    assert not running.thread.is_alive()
