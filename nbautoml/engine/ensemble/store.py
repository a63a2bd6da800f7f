"""Ensembles as trials: their scores, their files and what the run's log says of them."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any  # Any: settings are JSON values

import numpy as np
import numpy.typing as npt

from nbautoml.domain import events as ev
from nbautoml.domain.events import TrialFinished
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.names import META_LEARNERS, STACK, VOTING
from nbautoml.engine.ensemble.recipe import RECIPE, Recipe, recipe_below, recipe_of
from nbautoml.engine.ensemble.stack import Stack, most_members
from nbautoml.engine.ensemble.verdict import score_folds
from nbautoml.engine.ensemble.vote import Vote
from nbautoml.engine.search.active import mean_and_std
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial_files import MODEL, mean_metrics, put_trial
from nbautoml.runtime.bag import PackedPart, PackedRefit, PackedSaved
from nbautoml.runtime.stacking import FittedMeta, open_stacking
from nbautoml.runtime.voting import open_voting

Member = PackedPart | PackedSaved | PackedRefit


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """What is stored of an ensemble.

    Parameters
    ----------
    name : str
        ``"VotingEnsemble"`` or ``"StackEnsemble"``.
    members : tuple of TrialRecord
        Members, the heaviest first.
    weights : tuple of float
        Their weights; they sum to 1 but for a vote by the geometric mean.
    predictions : ndarray of shape (n_valid,) or (n_valid, n_classes)
        Predictions for rows on which nothing of it was chosen or fitted.
    meta : FittedMeta or None
        The meta learner of a stack.
    params : mapping
        Further settings that the trial shows.
    recipe : Recipe
        How its score came about.
    """

    name: str
    members: tuple[TrialRecord, ...]
    weights: tuple[float, ...]
    predictions: npt.NDArray[np.float32]
    recipe: Recipe
    meta: FittedMeta | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown_params(self) -> dict[str, Any]:
        """The trial's settings: the members' weights by number, and the meta learner."""
        members = {str(m.number): w for m, w in zip(self.members, self.weights, strict=True)}
        return {"members": members, **self.params}

    @property
    def key(self) -> str:
        """A hash of all that it is made of."""
        keys = "".join(member.key for member in self.members)
        text = keys + json.dumps(self.shown_params, default=str)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def as_voting(vote: Vote) -> Ensemble:
    """Return a vote as what is stored of it."""
    return Ensemble(
        name=VOTING,
        members=vote.members,
        weights=vote.weights,
        predictions=vote.predictions,
        recipe=recipe_of(vote),
        params={"mean": "geometric"} if vote.is_geometric else {},
    )


def as_stack(context: RunContext, stack: Stack, vote: Vote) -> Ensemble:
    """Return a stack as what is stored of it."""
    options, spec = context.plan.ensemble, context.data.spec
    return Ensemble(
        name=STACK,
        members=stack.members,
        weights=stack.weights,
        predictions=stack.predictions,
        recipe=replace(
            recipe_below(vote),
            meta_learner=options.meta_learner or META_LEARNERS[spec.task][0],
            meta_learner_params=options.meta_learner_params,
            most_members=most_members(spec.n_classes),
            most_rows=stack.most_rows,
        ),
        meta=stack.meta,
        params={"meta_learner": type(stack.meta.model).__name__},
    )


def put_ensemble(
    context: RunContext,
    ensemble: Ensemble,
    number: int,
    *,
    seconds: float,
    is_best: bool,
    params: Mapping[str, Any],
) -> TrialRecord:
    """Score and store an ensemble, as an iteration of its own.

    Parameters
    ----------
    context : RunContext
        The run.
    ensemble : Ensemble
        The ensemble.
    number : int
        Its number in the run.
    seconds : float
        What it took so far.
    is_best : bool
        Whether it is better than all trials before it.
    params : mapping
        What the finished trial shows beside the ensemble's settings.
    """
    started = context.ports.clock() - seconds
    record = _record(context, ensemble, number)
    announce(context, number, ensemble.name, ensemble.shown_params)
    recipe = json.dumps(asdict(ensemble.recipe)).encode()
    packed = pack_ensemble(context, ensemble, {})
    put_trial(context, number, ensemble.predictions, packed, {RECIPE: recipe})
    n_folds = context.data.n_folds
    context.ports.events.emit(
        TrialFinished(
            number=number,
            key=record.key,
            outcome=TrialOutcome.COMPLETED,
            pipeline=ensemble.name,
            family=ensemble.name,
            params={**ensemble.shown_params, **params},
            n_folds=n_folds,
            folds_done=n_folds,
            seconds=context.ports.clock() - started,
            score=record.score,
            score_std=record.score_std,
            metrics=record.metrics,
            is_ensemble=True,
            is_best=is_best,
        )
    )
    return record


def put_failure(context: RunContext, number: int, name: str, error: str) -> None:
    """Tell that an ensemble could not be made."""
    announce(context, number, name, {})
    context.ports.events.emit(
        TrialFinished(
            number=number,
            key=f"{name}{number}",
            outcome=TrialOutcome.FAILED,
            pipeline=name,
            family=name,
            params={},
            n_folds=context.data.n_folds,
            folds_done=0,
            seconds=0.0,
            error=error,
            is_ensemble=True,
            is_best=False,
        )
    )


def announce(context: RunContext, number: int, name: str, params: Mapping[str, Any]) -> None:
    """Tell that an ensemble's trial begins."""
    context.ports.events.emit(
        ev.TrialStarted(
            number=number,
            pipeline=name,
            family=name,
            params=params,
            n_folds=context.data.n_folds,
        )
    )


def pack_ensemble(
    context: RunContext, ensemble: Ensemble, refits: Mapping[int, PackedPart | PackedRefit]
) -> bytes:
    """Return an ensemble's model file; members without a refit are their folds' mean.

    Parameters
    ----------
    context : RunContext
        The run.
    ensemble : Ensemble
        The ensemble.
    refits : mapping of int to PackedPart or PackedRefit
        What takes the place of a member's fold models, by trial number.
    """
    artifacts, data = context.ports.artifacts, context.data
    members: list[Member] = []
    for member in ensemble.members:
        part: Member | None = refits.get(member.number)
        if part is None:
            saved = artifacts.local_path(member.number, MODEL)
            part = PackedSaved(model=saved.read_bytes())
        members.append(part)
    names = tuple(str(member.number) for member in ensemble.members)
    parts = (names, ensemble.weights, tuple(members))
    if ensemble.meta is None:
        is_geometric = ensemble.recipe.is_geometric
        return pickle.dumps(data.packed(open_voting, *parts, is_geometric))
    return pickle.dumps(data.packed(open_stacking, *parts, pickle.dumps(ensemble.meta)))


def _record(context: RunContext, ensemble: Ensemble, number: int) -> TrialRecord:
    scored = score_folds(context, ensemble.predictions)
    score, deviation = mean_and_std([m[context.data.spec.primary_metric] for m in scored])
    return TrialRecord(
        number=number,
        key=ensemble.key,
        candidate=Candidate(
            family=ensemble.name,
            model_name=ensemble.name,
            params=ensemble.shown_params,
            scaler="",
        ),
        outcome=TrialOutcome.COMPLETED,
        score=score,
        score_std=deviation,
        metrics=mean_metrics(scored),
    )
