"""What is done already of a run, and what is still to do: its start, a resumption, or more of it.

A run that is continued has several legs; each has limits of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbautoml.domain.events import EventRecord, RunConfigured, TrialFinished
from nbautoml.domain.records import RunRecord
from nbautoml.runs.continuation import Continuation, continuation_of, since_continued

if TYPE_CHECKING:
    from nbautoml.engine.plan import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The part of a run that its controller is to do.

    Parameters
    ----------
    asked_at : float
        When it was submitted or continued, in seconds since the epoch.
    is_resumed : bool
        Whether an earlier controller began it and was lost.
    finished : tuple of TrialFinished
        Trials that are done, oldest first.
    n_settled : int
        How many of them are from before this leg.
    continuation : Continuation or None
        How far the run is continued; None in its first leg.
    """

    asked_at: float
    is_resumed: bool
    finished: tuple[TrialFinished, ...]
    n_settled: int = 0
    continuation: Continuation | None = None

    def minutes(self, configured: float | None) -> float | None:
        """Return the time of this leg; None is no limit.

        Parameters
        ----------
        configured : float or None
            What the run was submitted with: it counts again where nothing else is said.
        """
        more = self.continuation
        if more is None or _is_bare(more):
            return configured
        return more.minutes

    def limits(self, configured: Limits) -> Limits:
        """Return the limits of this leg, from those that the run was submitted with."""
        more = self.continuation
        if more is None:
            return configured
        iterations = configured.max_iterations if _is_bare(more) else more.iterations
        return replace(configured, max_iterations=iterations, exit_score=more.exit_score)


def read_leg(run: RunRecord, records: Sequence[EventRecord]) -> Leg:
    """Return the leg that a run is in.

    Parameters
    ----------
    run : RunRecord
        The run.
    records : sequence of EventRecord
        All its events so far.
    """
    since = since_continued(records)
    finished = tuple(r.event for r in records if isinstance(r.event, TrialFinished))
    n_new = sum(isinstance(r.event, TrialFinished) for r in since)
    continuation = continuation_of(run)
    return Leg(
        asked_at=continuation.asked_at if continuation else run.created_at,
        is_resumed=any(isinstance(r.event, RunConfigured) for r in since),
        finished=finished,
        n_settled=len(finished) - n_new,
        continuation=continuation,
    )


def _is_bare(more: Continuation) -> bool:
    """Whether it was not said how far the run is to go on."""
    return more.minutes is None and more.iterations is None
