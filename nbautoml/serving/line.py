"""The line in front of a model: what waits while it works is answered together."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from nbautoml.serving.scorer import Answer, Asked, Scorer

MOST_BYTES = 2**18
"""Bodies of requests that are answered together: nothing is gained beyond some hundred rows."""
QUICK_BYTES = 2**14
"""Bodies of requests that may be answered without a thread: about a hundred rows."""
QUICK_SECONDS = 0.003
"""What took no longer lately is: to hand it to a thread and back takes a good part of that."""
REMEMBERED = 0.7
"""How much of the longest time counts at the next answer."""


class Line:
    """Requests that wait for one model.

    A model's answer is work for the processor, so a second thread would only slow the first. But
    much of an answer for one row is the same for ten, so those that came in while the model worked
    are handed to it together. Nobody waits for others to come. What takes long has a thread, in
    which nobody is kept from asking; a few rows that take no time are answered where they are.

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
        self._seconds = math.inf

    def __len__(self) -> int:
        """How many requests wait or are being answered."""
        return len(self._waiting) + self._n_working

    @property
    def is_working(self) -> bool:
        """Whether requests are being answered."""
        return self._n_working > 0

    async def ask(self, asked: Asked) -> Answer:
        """Return the answer; what the scorer raises for this request is raised here."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((asked, place))
        if not self._n_working and len(self._waiting) == 1:
            loop.call_soon(self._start)  # whose requests are here by now come with it
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
        asked, places = [one for one, _ in batch], [place for _, place in batch]
        are_few = size <= QUICK_BYTES and all(map(self._scorer.is_quick, asked))
        answer = partial(self._answer_few if are_few else self._answer, asked)
        if are_few and self._seconds <= QUICK_SECONDS:
            self._finish(places, answer())
            return
        work = asyncio.get_running_loop().run_in_executor(self._thread, answer)
        work.add_done_callback(lambda done: self._finish(places, done.result()))

    def _answer_few(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
        began = time.perf_counter()
        found = self._answer(asked)
        seconds = time.perf_counter() - began
        before = seconds if self._seconds == math.inf else self._seconds
        self._seconds = max(seconds, before * REMEMBERED)
        return found

    def _answer(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
        """Return an answer for each; a failure of all of them is the answer to each."""
        try:
            return self._scorer.score(asked)
        except Exception as error:  # noqa: BLE001 - it becomes the answer to these requests
            return [error] * len(asked)

    def _finish(
        self, places: Sequence[asyncio.Future[Answer]], found: Sequence[Answer | Exception]
    ) -> None:
        self._n_working = 0
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
            asyncio.get_running_loop().call_soon(self._start)
