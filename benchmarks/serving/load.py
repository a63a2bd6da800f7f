"""Asking a server again and again, by some callers at once, and the figures of that.

Callers and servers share the processors, so callers do as little as they can: with `http.client`
a request costs its caller a third of what it does with httpx, which for one row was nearly half of
the whole.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any  # Any: JSON values
from urllib.parse import urlsplit

from benchmarks.serving.servers import Server

MILLISECOND = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Requests of one kind: the seconds of each, and of all of them together.

    ``processor`` is the processor time that who answers took for all of them.
    """

    each: tuple[float, ...]
    wall: float
    processor: float

    def figures(self, n_rows: int) -> dict[str, Any]:
        """Return median, 99th percentile and processor time in milliseconds, and rows a second."""
        return {
            "p50_ms": round(statistics.median(self.each) / MILLISECOND, 2),
            "p99_ms": round(statistics.quantiles(self.each, n=100)[98] / MILLISECOND, 2),
            "rows_a_second": round(len(self.each) * n_rows / self.wall, 1),
            "processor_ms": round(self.processor / len(self.each) / MILLISECOND, 2),
        }


def joined(parts: list[Times]) -> Times:
    """Return the requests of several rounds as if they were of one."""
    return Times(
        each=tuple(seconds for part in parts for seconds in part.each),
        wall=sum(part.wall for part in parts),
        processor=sum(part.processor for part in parts),
    )


def ask(server: Server, body: bytes, n: int, n_callers: int) -> Times:
    """Send `n` requests, shared among callers that each wait for their answers."""
    each: list[float] = []
    failures: list[BaseException] = []
    parts = urlsplit(server.address)
    given = {"Content-Type": "application/json", **server.headers}

    def post(connection: HTTPConnection) -> None:
        connection.request("POST", parts.path, body, given)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{server.address} answered {reply.status}: {text[:200]!r}")

    def work() -> None:
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            for _ in range(max(1, n // n_callers)):
                each.append(timed(lambda: post(connection)))
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that asked
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(n_callers)]
    before = server.processor_seconds()
    wall = timed(lambda: _run(threads))
    if failures:
        raise failures[0]
    processor = server.processor_seconds() - before
    return Times(each=tuple(each), wall=wall, processor=processor)


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
