"""When a search that finds nothing better may end."""

from __future__ import annotations

from collections.abc import Callable

from nbautoml.engine.search.book import TrialBook
from nbautoml.engine.search.budget import EARLIEST_STOP, LEAST_WAIT, patience


class GainWatch:
    """Watches for how many trials, and for how long, a search gained nothing.

    Parameters
    ----------
    book : TrialBook
        The finished trials.
    n_rows : int
        Rows of the run.
    budget : float or None
        Seconds of a timed run; None where no clock may decide anything.
    clock : callable
        Returns the time in seconds.
    """

    def __init__(
        self, book: TrialBook, *, n_rows: int, budget: float | None, clock: Callable[[], float]
    ) -> None:
        self._book = book
        self._patience = max(patience(n_rows), 1)
        self._budget = budget
        self._clock = clock
        self._gain_at = clock()

    def look(self) -> None:
        """Look at the trial that the book took in last."""
        if self._book.n_since_gain == 0:
            self._gain_at = self._clock()

    def is_over(self) -> bool:
        """Whether the last trials, and a good part of the time that was given, gained nothing."""
        is_early = len(self._book.records) < EARLIEST_STOP
        if is_early or self._book.n_since_gain < self._patience:
            return False
        if self._budget is None:
            return True
        return self._clock() - self._gain_at >= LEAST_WAIT * self._budget
