"""What travels together, and when: with a worker whose loop the test turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nbautoml.compute.news import LINGER_SECONDS, News
from nbautoml.compute.pool import PoolSettings
from nbautoml.compute.trial import TrialPlugin


class PlayedWorker:
    """A worker and its loop in one; what is due later waits for `turn`."""

    def __init__(self) -> None:
        self.loop = self
        self.events: list[tuple[str, Any]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []

    def log_event(self, topic: str, message: Any) -> None:
        self.events.append((topic, list(message)))

    def call_later(self, seconds: float, function: Callable[..., Any], *given: Any) -> None:
        self.later.append((seconds, lambda: function(*given)))

    def turn(self) -> None:
        due, self.later = self.later, []
        for _, action in due:
            action()


@pytest.fixture
def worker() -> PlayedWorker:
    return PlayedWorker()


def test_news_that_were_kept_go_with_the_next_that_are_told(worker: PlayedWorker) -> None:
    news = News(worker)
    news.keep("run", {"number": 1, "started": True})
    news.keep("run", {"number": 2, "started": True})
    n_before = len(worker.events)
    news.tell("run", {"number": 1, "ending": b"x"})
    news.flush()

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


def test_news_are_kept_a_moment_only(worker: PlayedWorker) -> None:
    news = News(worker)
    for number in (1, 2):
        news.flush_soon()
        news.keep("run", {"number": number})
    seconds = [due for due, _ in worker.later]
    worker.turn()
    news.flush_soon()
    news.keep("run", {"number": 3})
    worker.turn()

    assert seconds == [LINGER_SECONDS]
    assert worker.events == [("run", [{"number": 1}, {"number": 2}]), ("run", [{"number": 3}])]


def test_runs_hear_only_their_own_news(worker: PlayedWorker) -> None:
    news = News(worker)
    news.keep("one", {"number": 1})
    news.keep("other", {"number": 7})
    news.flush()

    assert worker.events == [("one", [{"number": 1}]), ("other", [{"number": 7}])]


def plugin_of(worker: PlayedWorker) -> TrialPlugin:
    plugin = TrialPlugin(PoolSettings(n_threads=1, preload=(), import_path=()))
    plugin._news = News(worker)
    return plugin


def test_a_start_that_nothing_follows_is_told_a_moment_later(worker: PlayedWorker) -> None:
    plugin = plugin_of(worker)
    plugin.transition("key", "ready", "executing")
    plugin._news.keep("run", {"number": 1, "started": True})
    n_before = len(worker.events)
    worker.turn()

    assert (n_before, len(worker.events)) == (0, 1)


@pytest.mark.parametrize(
    ("start", "finish"),
    [("executing", "memory"), ("executing", "error"), ("cancelled", "released")],
)
def test_an_ending_is_told_when_dask_learns_of_it(
    worker: PlayedWorker, start: str, finish: str
) -> None:
    plugin = plugin_of(worker)
    plugin._news.keep("run", {"number": 1, "ending": b"x"})
    plugin.transition("key", "waiting", "ready")
    n_before = len(worker.events)
    plugin.transition("key", start, finish)

    assert (n_before, len(worker.events)) == (0, 1)
