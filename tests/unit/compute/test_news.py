"""What travels together, and when: with a worker whose loop the test turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nbautoml.compute.news import LINGER_SECONDS, News


class PlayedWorker:
    """A worker and its loop in one; what is due later waits for `turn`."""

    def __init__(self) -> None:
        self.loop = self
        self.events: list[tuple[str, Any]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []

    def log_event(self, topic: str, message: Any) -> None:
        self.events.append((topic, message))

    def add_callback(self, function: Callable[..., Any], *given: Any) -> None:
        function(*given)

    def call_later(self, seconds: float, function: Callable[..., Any], *given: Any) -> None:
        self.later.append((seconds, lambda: function(*given)))

    def turn(self) -> None:
        due, self.later = self.later, []
        for _, action in due:
            action()


@pytest.fixture
def worker() -> PlayedWorker:
    return PlayedWorker()


def test_news_that_linger_go_with_the_next_that_are_told(worker: PlayedWorker) -> None:
    news = News(worker)
    news.tell_soon("run", {"number": 1, "started": True})
    news.tell_soon("run", {"number": 2, "started": True})
    n_before = len(worker.events)
    news.tell("run", {"number": 1, "ending": b"x"})
    worker.turn()

    assert n_before == 0
    assert worker.events == [
        (
            "run",
            [
                {"number": 1, "started": True},
                {"number": 2, "started": True},
                {"number": 1, "ending": b"x"},
            ],
        )
    ]


def test_news_linger_a_moment_only(worker: PlayedWorker) -> None:
    news = News(worker)
    news.tell_soon("run", {"number": 1})
    news.tell_soon("run", {"number": 2})
    seconds = [due for due, _ in worker.later]
    worker.turn()
    news.tell_soon("run", {"number": 3})
    worker.turn()

    assert seconds == [LINGER_SECONDS]
    assert worker.events == [("run", [{"number": 1}, {"number": 2}]), ("run", [{"number": 3}])]


def test_runs_hear_only_their_own_news(worker: PlayedWorker) -> None:
    news = News(worker)
    news.tell_soon("one", {"number": 1})
    news.tell("other", {"number": 7})
    worker.turn()

    assert worker.events == [("other", [{"number": 7}]), ("one", [{"number": 1}])]
