"""Finished trials, and what their out-of-fold predictions say together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nbautoml.domain.metrics import MetricSpec
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.ensemble.greedy import relevant_part, select_by_loss
from nbautoml.engine.models._base import Vector
from nbautoml.engine.search.candidate import Candidate

# Ensembles choose among this many of the best trials, and the best of each family.
MOST_CHOICES = 30
# More rows than this do not change which members are chosen, they only take time.
_MOST_ROWS = 10_000
# An ensemble has gained when its loss fell by this share.
_GAIN = 1e-4
# How far the log loss orders trials of equal score.
_TIE_WEIGHT = 1e-4
_LARGEST_TIE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One finished trial.

    Parameters
    ----------
    number : int
        Its number in the run.
    key : str
        What it depends on.
    candidate : Candidate
        What was tried.
    outcome : TrialOutcome
        How it ended.
    score, score_std : float or None
        Mean and standard deviation of the primary metric over the folds.
    metrics : mapping
        Means of all metrics over the folds.
    fold_scores : tuple of float
        The primary metric of each fold, in their order; empty for a trial of an earlier
        attempt.
    rounds : tuple of int
        Boosting rounds of each fold; empty where nothing boosts.
    fold_seconds : float
        Mean seconds of a fold.
    model_bytes : int
        Size of the stored model; 0 where it is not known.
    oof : Path or None
        File of the out-of-fold predictions.
    error : str
        Why it did not complete.
    """

    number: int
    key: str
    candidate: Candidate
    outcome: TrialOutcome
    score: float | None = None
    score_std: float | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    fold_scores: tuple[float, ...] = ()
    rounds: tuple[int, ...] = ()
    fold_seconds: float = 0.0
    model_bytes: int = 0
    oof: Path | None = None
    error: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether an ensemble may use it."""
        return self.outcome is TrialOutcome.COMPLETED and self.oof is not None


class TrialBook:
    """Finished trials of a run, in the order in which the search took them in.

    Parameters
    ----------
    metric : MetricSpec
        The primary metric.
    y_valid : ndarray of shape (n_valid,)
        Labels of the validation rows.
    w_valid : ndarray of shape (n_valid,), optional
        How much each of them counts.
    """

    def __init__(self, metric: MetricSpec, y_valid: Vector, w_valid: Vector | None = None) -> None:
        self.metric = metric
        self._y = y_valid
        self._weight = w_valid
        self._records: list[TrialRecord] = []
        self._since_gain = 0
        self._best_loss = math.inf
        self._members: tuple[Candidate, ...] = ()
        self._rows = thin_rows(len(y_valid), _MOST_ROWS)
        self._relevant: dict[int, npt.NDArray[np.float32]] = {}
        self._is_proba = False

    @property
    def records(self) -> tuple[TrialRecord, ...]:
        """All finished trials."""
        return tuple(self._records)

    @property
    def completed(self) -> list[TrialRecord]:
        """Trials that have a score."""
        return [
            r for r in self._records if r.outcome is TrialOutcome.COMPLETED and r.score is not None
        ]

    @property
    def best(self) -> TrialRecord | None:
        """The trial with the best score; the earlier one of equals."""
        return min(self.completed, key=lambda r: self.metric.sort_key(r.score), default=None)

    @property
    def n_since_gain(self) -> int:
        """Trials since the best score or the ensemble's loss last became better."""
        return self._since_gain

    @property
    def members(self) -> tuple[Candidate, ...]:
        """What an ensemble would use now, the heaviest first."""
        return self._members

    def add(self, record: TrialRecord) -> None:
        """Take in a finished trial."""
        before = self.best
        self._records.append(record)
        self._since_gain += 1
        if record.outcome is not TrialOutcome.COMPLETED:
            return
        if self.metric.is_better(record.score, before.score if before else None):
            self._since_gain = 0
        if record.is_usable:
            self._update_members(record)

    def start_anew(self) -> None:
        """Count trials without gain from here on: the run was continued to try more."""
        self._since_gain = 0

    def loss_of(self, record: TrialRecord) -> float | None:
        """Return a number that is smaller for a better trial; None when it has no score."""
        if record.outcome is not TrialOutcome.COMPLETED or record.score is None:
            return None
        tie = record.metrics.get("log_loss") or 0.0
        return self.metric.sort_key(record.score) + _TIE_WEIGHT * min(tie, _LARGEST_TIE)

    def choices(self) -> list[TrialRecord]:
        """Return the trials among which an ensemble chooses, the best first."""
        usable = [r for r in self.completed if r.is_usable]
        usable.sort(key=lambda r: (self.metric.sort_key(r.score), r.number))
        best_of_family: dict[str, TrialRecord] = {}
        for record in usable:
            best_of_family.setdefault(record.candidate.family, record)
        extra = [r for r in usable[MOST_CHOICES:] if r in best_of_family.values()]
        return usable[:MOST_CHOICES] + extra

    def _update_members(self, record: TrialRecord) -> None:
        prediction = stack_oof([record], self._rows)
        self._is_proba = prediction.ndim == 3
        part = relevant_part(prediction, self._y[self._rows])[0]
        self._relevant[record.number] = part.astype(np.float32)
        choices = self.choices()
        self._relevant = {r.number: self._relevant[r.number] for r in choices}
        relevant = np.stack(list(self._relevant.values()))
        y = self._y[self._rows]
        weight = None if self._weight is None else self._weight[self._rows]
        counts, loss = select_by_loss(relevant, y, is_proba=self._is_proba, weight=weight)
        order = np.argsort(-counts, kind="stable")
        self._members = tuple(choices[i].candidate for i in order if counts[i])
        if loss < self._best_loss * (1.0 - _GAIN):
            self._best_loss = loss
            self._since_gain = 0


def thin_rows(n_rows: int, most: int) -> npt.NDArray[np.int64]:
    """Return evenly spread rows, all of them when there are few."""
    if n_rows <= most:
        return np.arange(n_rows)
    return np.unique(np.linspace(0, n_rows - 1, most).astype(np.int64))


def stack_oof(records: list[TrialRecord], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return out-of-fold predictions of trials, shape (n_models, n_rows[, n_classes])."""
    return np.stack([np.load(r.oof, mmap_mode="r")[rows] for r in records if r.oof is not None])
