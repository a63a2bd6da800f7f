"""What a saved model is made of: the fitted pipelines whose answers it averages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: scikit-learn carries no types

import numpy as np
import numpy.typing as npt

from nbautoml.runtime.bag import FoldBag
from nbautoml.runtime.featurizer import DataTransformer, Featurizer
from nbautoml.runtime.input_adapter import InputAdapter
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline
from nbautoml.runtime.stacking import StackEnsembleClassifier, StackEnsembleRegressor
from nbautoml.runtime.voting import PreFittedSoftVotingClassifier, PreFittedSoftVotingRegressor

FloatArray = npt.NDArray[np.float64]

_VOTES = (PreFittedSoftVotingClassifier, PreFittedSoftVotingRegressor)
_STACKS = (StackEnsembleClassifier, StackEnsembleRegressor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One fitted pipeline: featurizer, scaler where there is one, estimator.

    Parameters
    ----------
    pipeline : ModelPipeline
        Takes rows as the input adapter reads them.
    weight : float
        Its share of the model's answer; those of all parts sum to 1.
    """

    pipeline: ModelPipeline
    weight: float

    @property
    def featurizer(self) -> Featurizer:
        """The first step."""
        featurizer: Featurizer = self.pipeline.steps[0][1]
        return featurizer

    def behind_featurizer(self) -> ModelPipeline:
        """Return the steps that take features."""
        rest = self.pipeline
        return ModelPipeline(rest.steps[1:], classes=rest.classes, codes=rest.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A model as the weighted mean of its parts' answers.

    Parameters
    ----------
    adapter : InputAdapter
        Reads raw rows for the parts.
    parts : tuple of Part
        The parts, with one weight each.
    """

    adapter: InputAdapter
    parts: tuple[Part, ...]


def split_model(model: Any) -> Mixture | None:
    """Return a model as the mean of its parts; None where it is no such mean.

    A stack is none: what is on top of its members need not be linear. Neither are a vote by the
    geometric mean and a model that this package did not make.

    Parameters
    ----------
    model : estimator
        What a run answers with.
    """
    if not isinstance(model, ModelPipeline):
        return None
    reader = model.steps[0][1]
    if not isinstance(reader, DataTransformer):
        return None
    if isinstance(reader, MemberInput):
        parts = _parts_of(model.steps[-1][1], 1.0)
    else:
        steps = [("featurizer", reader.featurizer_), *model.steps[1:]]
        parts = [
            Part(pipeline=ModelPipeline(steps, classes=model.classes, codes=model.codes), weight=1)
        ]
    return None if parts is None else Mixture(adapter=reader.adapter, parts=tuple(parts))


def _parts_of(member: Any, weight: float) -> list[Part] | None:
    if isinstance(member, ModelPipeline):
        if isinstance(member.steps[0][1], Featurizer):
            return [Part(pipeline=member, weight=weight)]
        return _parts_of(member.steps[-1][1], weight)
    if isinstance(member, FoldBag):
        members: Sequence[Any] = member.estimators
        weights = member.weights or [1.0] * len(members)
    elif isinstance(member, _VOTES) and not getattr(member, "is_geometric", False):
        members, weights = [one for _, one in member.estimators], member.weights
    else:
        return None
    found: list[Part] = []
    for one, share in zip(members, weights, strict=True):
        parts = _parts_of(one, weight * share / sum(weights))
        if parts is None:
            return None
        found += parts
    return found


def held_out_model(model: Any, fold: int, n_folds: int) -> ModelPipeline | None:
    """Return a model with only those fold models in it that a fold's validation rows are new to.

    What an ensemble makes of its members (weights, the model on top of a stack) stays as it is.

    Parameters
    ----------
    model : estimator
        What a run answers with.
    fold : int
        Number of the fold.
    n_folds : int
        How many folds the run has.

    Returns
    -------
    ModelPipeline or None
        None where the model does not hold one model a fold.
    """
    if n_folds < 2 or not isinstance(model, ModelPipeline):
        return None
    if not isinstance(model.steps[0][1], MemberInput):
        return None
    last = _only_fold(model.steps[-1][1], fold, n_folds)
    if last is None:
        return None
    steps = [*model.steps[:-1], (model.steps[-1][0], last)]
    return ModelPipeline(steps, classes=model.classes, codes=model.codes)


def _only_fold(member: Any, fold: int, n_folds: int) -> Any:
    if isinstance(member, ModelPipeline):
        if isinstance(member.steps[0][1], Featurizer):
            return None
        name, step = member.steps[-1]
        last = _only_fold(step, fold, n_folds)
        return None if last is None else ModelPipeline([(name, last)], classes=member.classes)
    if isinstance(member, FoldBag):
        # With weights, the last one was fitted on all rows.
        folds = member.estimators if member.weights is None else member.estimators[:-1]
        return FoldBag([folds[fold]]) if len(folds) == n_folds else None
    if not isinstance(member, (*_VOTES, *_STACKS)):
        return None
    named = member.base_learners if isinstance(member, _STACKS) else member.estimators
    views = [(name, _only_fold(one, fold, n_folds)) for name, one in named]
    if any(view is None for _, view in views):
        return None
    return _with_members(member, views)


def _with_members(member: Any, views: list[tuple[str, ModelPipeline]]) -> Any:
    if isinstance(member, StackEnsembleClassifier):
        return StackEnsembleClassifier(views, member.weights, member.meta_learner, member.classes)
    if isinstance(member, StackEnsembleRegressor):
        return StackEnsembleRegressor(views, member.weights, member.meta_learner)
    if isinstance(member, PreFittedSoftVotingClassifier):
        return PreFittedSoftVotingClassifier(
            views, member.weights, member.classes, member.is_geometric
        )
    return PreFittedSoftVotingRegressor(views, member.weights)


def ask(model: Any, X: Any, n_classes: int) -> FloatArray:
    """Return what a model says of rows, as numbers.

    Parameters
    ----------
    model : estimator
        With ``predict_proba`` for classes, ``predict`` for numbers.
    X : DataFrame or array of shape (n_rows, n_columns)
        The rows.
    n_classes : int
        Number of classes; 0 for numbers.

    Returns
    -------
    ndarray of shape (n_rows, n_classes) or (n_rows, 1)
    """
    if n_classes:
        return np.asarray(model.predict_proba(X), dtype=np.float64)
    return np.asarray(model.predict(X), dtype=np.float64).reshape(-1, 1)


def shown_outputs(answers: FloatArray) -> FloatArray:
    """Return the outputs that are explained: of two classes only the second, else all.

    Examples
    --------
    >>> shown_outputs(np.array([[0.25, 0.75]])).tolist()
    [[0.75]]
    """
    return answers[:, 1:] if answers.shape[1] == 2 else answers
