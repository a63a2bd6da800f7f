"""The line in front of a model: what waits while it works is answered together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from nbautoml.serving.scorer import Answer, Asked, Scorer

MOST_BYTES = 2**18
"""Bodies of requests that are answered together: nothing is gained beyond some hundred rows."""


class Line:
    """Requests that wait for one model.

    A model's answer is work for the processor, so a second thread would only slow the first. But
    much of an answer for one row is the same for ten, so those that came in while the model worked
    are handed to it together. Nobody waits for others to come.

    Parameters
    ----------
    scorer : Scorer
        What answers.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="score")
        self._waiting: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._n_working = 0

    def __len__(self) -> int:
        """How many requests wait or are being answered."""
        return len(self._waiting) + self._n_working

    async def ask(self, asked: Asked) -> Answer:
        """Return the answer; what the scorer raises for this request is raised here."""
        place: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, place))
        if not self._n_working:
            self._start()
        return await place

    def _start(self) -> None:
        """Hand over the first of the line, and those behind it that fit."""
        batch = [self._waiting.popleft()]
        size = len(batch[0][0].body)
        while self._waiting and len(batch) < self._scorer.most_at_once:
            size += len(self._waiting[0][0].body)
            if size > MOST_BYTES:
                break
            batch.append(self._waiting.popleft())
        self._n_working = len(batch)
        loop, places = asyncio.get_running_loop(), [place for _, place in batch]
        asked = [one for one, _ in batch]
        work = loop.run_in_executor(self._thread, self._scorer.score, asked)
        work.add_done_callback(lambda done: self._finish(places, done))

    def _finish(
        self,
        places: Sequence[asyncio.Future[Answer]],
        done: asyncio.Future[list[Answer | Exception]],
    ) -> None:
        self._n_working = 0
        failure = done.exception()
        found = [failure] * len(places) if failure is not None else done.result()
        for place, answer in zip(places, found, strict=True):
            if place.done():  # its caller is gone, or has waited too long
                continue
            if isinstance(answer, Answer):
                place.set_result(answer)
            elif isinstance(answer, StopIteration):  # no future takes it, and the line would stand
                place.set_exception(RuntimeError(f"StopIteration: {answer}"))
            else:
                place.set_exception(answer)
        if self._waiting:
            self._start()
