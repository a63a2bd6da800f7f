"""Many rows in several threads: models let go of the interpreter while they predict."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any  # Any: answers of a model

import numpy as np
import numpy.typing as npt

from nbautoml.serving.schema import CheckedRows

FEWEST_ROWS = 200
"""Of a part: fewer are predicted in less time than it takes to hand them over."""
MOST_ROWS = 1_000
"""Of a part, where there are several: for more, models start threads of their own."""


class Parts:
    """Asks a model about parts of the rows, each in a thread of its own.

    Rows are independent of one another, so that the answers are those for all rows at once.

    Parameters
    ----------
    n_threads : int or None
        How many; as many as this process has processors where it is None.
    """

    def __init__(self, n_threads: int | None) -> None:
        self._n_threads = n_threads or _n_processors()
        self._pool: ThreadPoolExecutor | None = None

    def ask(
        self, model: Callable[[CheckedRows], npt.NDArray[Any]], rows: CheckedRows
    ) -> npt.NDArray[Any]:
        """Return what a model answers.

        Parameters
        ----------
        model : callable
            Answers; may be called from several threads at once.
        rows : CheckedRows
            What it is asked.
        """
        n_parts = self.count(rows.n_rows)
        if n_parts == 1:
            return model(rows)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._n_threads, thread_name_prefix="part")
        ends = [rows.n_rows * place // n_parts for place in range(n_parts + 1)]
        parts = [rows.part(start, end) for start, end in zip(ends, ends[1:], strict=False)]
        return np.concatenate(list(self._pool.map(model, parts)))

    def count(self, n_rows: int) -> int:
        """Return into how many parts rows are cut."""
        if self._n_threads == 1:
            return 1
        n_parts = min(self._n_threads, n_rows // FEWEST_ROWS)
        return max(n_parts, 1 if n_parts < 2 else -(-n_rows // MOST_ROWS))


def _n_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
