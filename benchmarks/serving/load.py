"""Asking a server again and again, by some callers at once, and the figures of that."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON values

import httpx

MILLISECOND = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Requests of one kind: the seconds of each, and of all of them together."""

    each: tuple[float, ...]
    wall: float

    def figures(self, n_rows: int) -> dict[str, Any]:
        """Return median and 99th percentile in milliseconds, and rows a second."""
        return {
            "p50_ms": round(statistics.median(self.each) / MILLISECOND, 2),
            "p99_ms": round(statistics.quantiles(self.each, n=100)[98] / MILLISECOND, 2),
            "rows_a_second": round(len(self.each) * n_rows / self.wall, 1),
        }


def joined(parts: list[Times]) -> Times:
    """Return the requests of several rounds as if they were of one."""
    return Times(
        each=tuple(seconds for part in parts for seconds in part.each),
        wall=sum(part.wall for part in parts),
    )


def ask(address: str, body: bytes, headers: Mapping[str, str], n: int, n_callers: int) -> Times:
    """Send `n` requests, shared among callers that each wait for their answers."""
    each: list[float] = []

    def work() -> None:
        given = {"Content-Type": "application/json", **headers}
        with httpx.Client(headers=given, trust_env=False, timeout=60) as client:
            for _ in range(max(1, n // n_callers)):
                each.append(timed(lambda: client.post(address, content=body).raise_for_status()))

    threads = [threading.Thread(target=work) for _ in range(n_callers)]
    wall = timed(lambda: _run(threads))
    return Times(each=tuple(each), wall=wall)


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
