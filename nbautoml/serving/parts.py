"""Many rows in several threads: models let go of the interpreter while they predict."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeAlias  # Any: answers of a model

import numpy as np
import numpy.typing as npt

from nbautoml.runtime.threads import n_processors
from nbautoml.serving.schema import CheckedRows

Model: TypeAlias = Callable[[CheckedRows], npt.NDArray[Any]]
FEWEST_ROWS = 200
"""Of a part: fewer are predicted in less time than it takes to hand them over."""
MOST_ROWS = 1_000
"""Of a part, where there are several: for more, models start threads of their own."""


class Parts:
    """Asks a model about parts of the rows, in several threads.

    Rows are independent of one another, so that the answers are those for all rows at once. The
    thread that asks does not wait for others to begin: each takes the next part, as long as there
    is one. Who asks at the same time gets as many threads fewer, since a part has costs of its own.

    Parameters
    ----------
    n_threads : int or None
        How many; as many as this process has processors where it is None.
    """

    def __init__(self, n_threads: int | None) -> None:
        self.n_threads = n_threads or n_processors()
        self._lock = threading.Lock()
        self._n_asking = 0
        self._pool: ThreadPoolExecutor | None = None

    def ask(self, model: Model, rows: CheckedRows) -> npt.NDArray[Any]:
        """Return what a model answers.

        Parameters
        ----------
        model : callable
            Answers; may be called from several threads at once.
        rows : CheckedRows
            What it is asked.
        """
        with self._lock:
            self._n_asking += 1
        try:
            return self._ask(model, rows, self.n_threads + 1 - self._n_asking)
        finally:
            with self._lock:
                self._n_asking -= 1

    def _ask(self, model: Model, rows: CheckedRows, n_threads: int) -> npt.NDArray[Any]:
        n_parts = count_parts(rows.n_rows, n_threads)
        if n_parts == 1:
            return model(rows)
        ends = [rows.n_rows * place // n_parts for place in range(n_parts + 1)]
        parts = [rows.part(start, end) for start, end in zip(ends, ends[1:], strict=False)]
        work = _Work(model, parts)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_threads - 1, thread_name_prefix="part")
        others = [self._pool.submit(work.do) for _ in range(n_threads - 1)]
        try:
            work.do()
        finally:
            work.left.clear()
            begun = [other for other in others if not other.cancel()]
            wait(begun)
        for other in begun:
            other.result()
        return np.concatenate([work.found[place] for place in range(n_parts)])


def count_parts(n_rows: int, n_threads: int) -> int:
    """Return into how many parts rows are cut.

    Examples
    --------
    >>> [count_parts(n_rows, 2) for n_rows in (399, 400, 700, 1_000, 4_001)]
    [1, 2, 2, 2, 5]
    """
    n_parts = min(n_threads, n_rows // FEWEST_ROWS)
    if n_threads < 2 or n_parts < 2:
        return 1
    return max(n_parts, -(-n_rows // MOST_ROWS))


class _Work:
    """Parts that are left, and answers that are found."""

    def __init__(self, model: Model, parts: Sequence[CheckedRows]) -> None:
        self._model = model
        self.left = deque(enumerate(parts))
        self.found: dict[int, npt.NDArray[Any]] = {}

    def do(self) -> None:
        """Answer parts until none is left."""
        while self.left:
            try:
                place, part = self.left.popleft()
            except IndexError:  # another thread took it in between
                return
            self.found[place] = self._model(part)
