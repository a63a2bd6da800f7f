"""Threads of predictions: one model a thread, and one thread in a model.

Many fitted models predict together, and each of them is a few milliseconds of work cut into
hundreds of pieces, one for each tree. OpenMP's threads wait for one another after each piece,
and they wait by spinning: where other work has the processors, a piece of microseconds takes a
time slice. So models are asked side by side, each on a single thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any  # Any: scikit-learn carries no types

import numpy.typing as npt
from threadpoolctl import ThreadpoolController

FEW_ROWS = 1_000
"""Up to so many rows one thread asks all models: starting others takes as long as the answers."""


def n_processors() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Threads:
    """Keeps the threads of this process's predictions apart; a pickle of it is a new one."""

    def __init__(self) -> None:
        self._here = threading.local()
        self._openmp: Any = None

    def __reduce__(self) -> tuple[type[Threads], tuple[()]]:
        return Threads, ()

    @contextmanager
    def alone(self, n_rows: int) -> Iterator[None]:
        """Keep predictions for few rows on this thread."""
        if n_rows > FEW_ROWS or self._is_alone:
            yield
            return
        self._here.is_alone = True
        try:
            if set(self._limits()) <= {1}:  # to set them takes longer than a row does
                yield
            else:
                with self._controller().limit(limits=1):
                    yield
        finally:
            self._here.is_alone = False

    def ask(self, models: Sequence[Any], method: str, X: Any) -> list[npt.NDArray[Any]]:
        """Return what each model answers.

        Parameters
        ----------
        models : sequence of estimator
            Fitted models.
        method : {"predict", "predict_proba"}
            What to call.
        X : DataFrame or array of shape (n_rows, n_columns)
            Rows for each of them.

        Returns
        -------
        list of ndarray
            In the order of the models.
        """
        n_threads = min(len(models), self._n_threads())
        if n_threads < 2 or len(X) <= FEW_ROWS:
            return [getattr(model, method)(X) for model in models]
        with ThreadPoolExecutor(n_threads, initializer=self._stay_alone) as pool:
            return list(pool.map(lambda model: getattr(model, method)(X), models))

    @property
    def _is_alone(self) -> bool:
        return getattr(self._here, "is_alone", False)

    def _stay_alone(self) -> None:
        """Mark a thread as one of several; OpenMP counts the threads of each thread apart."""
        self._here.is_alone = True
        self._controller().limit(limits=1)

    def _n_threads(self) -> int:
        """Return how many threads models may use from here, by what limits OpenMP."""
        if self._is_alone:
            return 1
        return min([n_processors(), *self._limits()])

    def _limits(self) -> list[int]:
        """Return how many threads each of OpenMP's libraries may use from here."""
        return [library.num_threads for library in self._controller().lib_controllers]

    def _controller(self) -> ThreadpoolController:
        """Return what limits OpenMP's threads; to find its libraries takes milliseconds."""
        if self._openmp is None:
            self._openmp = ThreadpoolController().select(user_api="openmp")
        return self._openmp


THREADS = Threads()
