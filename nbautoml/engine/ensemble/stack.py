"""StackEnsemble: a model on top of the members of the vote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.meta_learner import build_meta_learner, fit_meta
from nbautoml.engine.ensemble.names import META_LEARNERS
from nbautoml.engine.ensemble.nested import IntArray, join
from nbautoml.engine.ensemble.vote import FEWEST_MEMBERS, Vote, heaviest
from nbautoml.engine.search.book import TrialRecord, stack_oof, thin_rows
from nbautoml.engine.search.budget import Deadline
from nbautoml.runtime.stacking import FittedMeta

# A meta learner sees at most so many numbers of a row: with many classes it takes fewer members,
# the heaviest ones. More of them take long to fit, and few rows do not teach so many weights.
_MOST_INPUTS = 60
# More rows than this do not change what it learns.
_MOST_ROWS = 5_000
# A fit that follows is planned to take this many times as long as the one before.
_MARGIN = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """An ensemble with a meta learner.

    Parameters
    ----------
    members : tuple of TrialRecord
        Members, the heaviest of the vote first.
    weights : tuple of float
        Their weights in the vote that the meta learner corrects; they sum to 1.
    meta : FittedMeta
        What was fitted on their out-of-fold predictions.
    predictions : ndarray of shape (n_valid,) or (n_valid, n_classes)
        What such a stack predicts for rows on which neither weights nor meta learner were fitted.
    most_rows : int
        The meta learner was fitted on at most so many rows, evenly spread.
    """

    members: tuple[TrialRecord, ...]
    weights: tuple[float, ...]
    meta: FittedMeta
    predictions: npt.NDArray[np.float32]
    most_rows: int


def most_members(n_classes: int) -> int:
    """Return how many members a meta learner takes; `n_classes` is 0 for numbers.

    With more than 30 classes it is less than two, and there is no stack.

    Examples
    --------
    >>> most_members(0), most_members(2), most_members(10), most_members(100)
    (60, 60, 6, 0)
    """
    return _MOST_INPUTS // (n_classes if n_classes > 2 else 1)


def fit_stack(context: RunContext, vote: Vote, deadline: Deadline) -> Stack | None:
    """Fit a meta learner on the predictions of a vote's members.

    Parameters
    ----------
    context : RunContext
        The run.
    vote : Vote
        The vote; its parts are those of the stack's score.
    deadline : Deadline
        When the fits would take longer than that there is no stack.

    Returns
    -------
    Stack or None
        None when there are too few members, or too little time.
    """
    fitter = _Fitter(context, vote)
    everything = np.arange(len(context.data.valid_rows))
    if len(fitter.places(vote.shares)) < FEWEST_MEMBERS:
        return None
    started = deadline.clock()
    meta, members, weights = fitter.fit(vote.shares, everything)
    seconds = _MARGIN * (deadline.clock() - started)
    predictions = []
    for done, (part, shares) in enumerate(zip(vote.parts, vote.nested_shares, strict=True)):
        if deadline.remaining() < (len(vote.parts) - done) * seconds:
            return None
        rest = np.setdiff1d(everything, part, assume_unique=True)
        predictions.append(fitter.predict(shares, rest, part))
    return Stack(
        members=members,
        weights=weights,
        meta=meta,
        predictions=join(vote.parts, predictions),
        most_rows=fitter.most_rows,
    )


class _Fitter:
    """Fits meta learners on some of the validation rows."""

    def __init__(self, context: RunContext, vote: Vote) -> None:
        self._context = context
        self._vote = vote
        data, options = context.data, context.plan.ensemble
        self._most_members = most_members(data.spec.n_classes)
        self.most_rows = _MOST_ROWS
        if data.n_folds == 1:
            share = options.meta_learner_train_share
            self.most_rows = min(_MOST_ROWS, max(1, round(share * len(data.folds[0][0]))))

    def places(self, shares: IntArray) -> list[int]:
        """Return which of the choices are members."""
        return heaviest(shares)[: self._most_members]

    def fit(
        self, shares: IntArray, rows: IntArray
    ) -> tuple[FittedMeta, tuple[TrialRecord, ...], tuple[float, ...]]:
        """Return a meta learner fitted on some rows, its members and their weights."""
        data, options = self._context.data, self._context.plan.ensemble
        places = self.places(shares)
        members = [self._vote.choices[i] for i in places]
        weights = shares[places] / shares[places].sum()
        rows = rows[thin_rows(len(rows), self.most_rows)]
        of_table = data.valid_rows[rows]
        meta = fit_meta(
            build_meta_learner(
                options.meta_learner or META_LEARNERS[data.spec.task][0],
                options.meta_learner_params,
                seed=self._context.plan.seed,
            ),
            stack_oof(members, rows),
            data.y[of_table],
            weights,
            weight=data.weights_of(of_table),
        )
        return meta, tuple(members), tuple(float(weight) for weight in weights)

    def predict(self, shares: IntArray, rows: IntArray, part: IntArray) -> npt.NDArray[np.float32]:
        """Return what a stack that was fitted on some rows predicts for others."""
        meta, members, weights = self.fit(shares, rows)
        return meta.predict(stack_oof(list(members), part), weights).astype(np.float32)
