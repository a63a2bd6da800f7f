"""The line in front of a model: what waits while it works is answered together."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
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
    are handed to it together. Nobody waits for others to come. Large requests are answered side by
    side where the scorer has several threads, and nobody with a few rows waits for them. What takes
    long has a thread, in which it keeps nobody from asking; a few rows that take no time are
    answered where they are.

    Parameters
    ----------
    scorer : Scorer
        What answers.
    clock : callable, default time.perf_counter
        Returns the time in seconds.
    """

    def __init__(self, scorer: Scorer, clock: Callable[[], float] = time.perf_counter) -> None:
        self._scorer = scorer
        self._clock = clock
        self._threads = ThreadPoolExecutor(scorer.n_threads, thread_name_prefix="score")
        self._waiting: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._n_working = 0
        self._working: Counter[bool] = Counter()  # batches of a few rows, and of many
        self._is_due = False
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
        place: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, place))
        self._look()
        return await place

    def _look(self) -> None:
        """Begin with the first of the line soon, if its turn has come."""
        if self._is_due or not self._waiting:
            return
        is_few = _is_few(self._waiting[0][0])
        is_next = not (is_few and self._working[True])  # they come together, after those before
        if is_next and self._working.total() < self._scorer.n_threads:
            self._is_due = True
            # Whose requests are being read at this moment come with it.
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        """Hand over the first of the line, and those behind it that fit."""
        self._is_due = False
        batch = self._take()
        asked = [one for one, _ in batch]
        is_few = _is_few(asked[0])
        self._working[is_few] += 1
        self._n_working += len(batch)
        size = sum(len(one.body) for one in asked)
        are_quick = size <= QUICK_BYTES and all(map(self._scorer.is_quick, asked))
        answer = partial(self._answer_quick if are_quick else self._answer, asked)
        finish = partial(self._finish, [place for _, place in batch], is_few)
        if are_quick and self._seconds <= QUICK_SECONDS:
            finish(answer())
            return
        work = asyncio.get_running_loop().run_in_executor(self._threads, answer)
        work.add_done_callback(lambda done: finish(done.result()))
        self._look()

    def _take(self) -> list[tuple[Asked, asyncio.Future[Answer]]]:
        batch = [self._waiting.popleft()]
        size, is_few = len(batch[0][0].body), _is_few(batch[0][0])
        while self._waiting and len(batch) < self._scorer.most_at_once:
            following = self._waiting[0][0]
            size += len(following.body)
            if size > MOST_BYTES or _is_few(following) != is_few:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _answer_quick(self, asked: Sequence[Asked]) -> list[Answer | BaseException]:
        began = self._clock()
        found = self._answer(asked)
        seconds = self._clock() - began
        before = seconds if self._seconds == math.inf else self._seconds
        self._seconds = max(seconds, before * REMEMBERED)
        return found

    def _answer(self, asked: Sequence[Asked]) -> list[Answer | BaseException]:
        """Return an answer for each; a failure of all of them is the answer to each."""
        try:
            return [*self._scorer.score(asked)]
        except BaseException as error:  # noqa: BLE001 - also what a script says when it exits
            return [error] * len(asked)

    def _finish(
        self,
        places: Sequence[asyncio.Future[Answer]],
        is_few: bool,
        found: Sequence[Answer | BaseException],
    ) -> None:
        self._working[is_few] -= 1
        self._n_working -= len(places)
        for place, answer in zip(places, found, strict=True):
            if place.done():  # its caller is gone, or has waited too long
                continue
            if isinstance(answer, Answer):
                place.set_result(answer)
            elif isinstance(answer, StopIteration) or not isinstance(answer, Exception):
                # No future takes the one, and the loop would end with the other.
                place.set_exception(RuntimeError(f"{type(answer).__name__}: {answer}"))
            else:
                place.set_exception(answer)
        self._look()


def _is_few(asked: Asked) -> bool:
    return len(asked.body) <= QUICK_BYTES
