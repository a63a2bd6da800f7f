"""StackEnsemble: a model that learned how to join the predictions of fitted models."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: scikit-learn carries no types

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from nbautoml.runtime.bag import PackedPart, PackedSaved, featurizer_of
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline, spread_proba
from nbautoml.runtime.threads import THREADS

# Probabilities are kept this far from 0 and 1, so that one sure mistake has finite odds.
_SMALLEST = 1e-4
VOTE_SCALE = 3.0
"""The members' vote is given to the meta learner this large: a penalty on its weight is then a
ninth of that on the others, and what few rows do not teach stays near the vote."""


def meta_features(
    predictions: npt.NDArray[Any],
    weights: Sequence[float],
    *,
    center: float = 0.0,
    scale: float = 1.0,
) -> npt.NDArray[np.float64]:
    """Return what a meta learner sees: the members' vote, and how far each of them is from it.

    Parameters
    ----------
    predictions : ndarray of shape (n_members, n_rows) or (n_members, n_rows, n_classes)
        Numbers, or probabilities; the latter are taken as log odds.
    weights : sequence of float
        The members' weights in the vote; they sum to 1.
    center, scale : float
        What numbers are counted from, and in.

    Returns
    -------
    ndarray of shape (n_rows, (n_members + 1) * n_outputs)
        `n_outputs` is 1 for numbers and for two classes, else the number of classes.

    Examples
    --------
    >>> meta_features(np.array([[1.0, 2.0], [3.0, 2.0]]), [0.5, 0.5])
    array([[ 6., -1.,  1.],
           [ 6.,  0.,  0.]])
    """
    vote = np.tensordot(np.asarray(weights), predictions, axes=1)
    if predictions.ndim == 2:
        levels = (np.vstack([vote[np.newaxis], predictions]) - center) / scale
        return np.column_stack([VOTE_SCALE * levels[0], *(levels[1:] - levels[0])])
    odds = [_log_odds(one) for one in (vote, *predictions)]
    return np.concatenate([VOTE_SCALE * odds[0], *(one - odds[0] for one in odds[1:])], axis=1)


def _log_odds(proba: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return log odds of the second of two classes, or of each class against their mean."""
    logs = np.log(np.clip(proba, _SMALLEST, 1.0 - _SMALLEST, dtype=np.float64))
    if logs.shape[1] == 2:
        return np.asarray(logs[:, 1:] - logs[:, :1])
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedMeta:
    """A fitted meta learner, and the units of the numbers that it was fitted on.

    It learned class codes, or the label less `center`, divided by `scale`.
    """

    model: Any  # an estimator of scikit-learn or LightGBM
    center: float = 0.0
    scale: float = 1.0

    def predict(
        self, predictions: npt.NDArray[Any], weights: Sequence[float]
    ) -> npt.NDArray[np.float64]:
        """Return numbers, or probabilities of all classes, from those of the members.

        Parameters
        ----------
        predictions : ndarray of shape (n_members, n_rows) or (n_members, n_rows, n_classes)
            What the members say.
        weights : sequence of float
            The members' weights in the vote.
        """
        features = meta_features(predictions, weights, center=self.center, scale=self.scale)
        if predictions.ndim == 2:
            return np.asarray(self.model.predict(features), np.float64) * self.scale + self.center
        known = np.asarray(self.model.predict_proba(features), dtype=np.float64)
        return spread_proba(known, self.model.classes_.astype(np.int64), predictions.shape[2])


class _Stack(BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """What stacks have in common; the attributes are those that the SDK's stacks show."""

    base_learners: list[tuple[str, ModelPipeline]]
    meta_learner: FittedMeta

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def _base_learners(self) -> list[tuple[str, ModelPipeline]]:
        return self.base_learners

    @property
    def _meta_learner(self) -> Any:
        return self.meta_learner.model


class StackEnsembleClassifier(ClassifierMixin, _Stack):  # type: ignore[misc] # untyped
    """A model on top of the members' log odds.

    Parameters
    ----------
    base_learners : list of (str, ModelPipeline)
        Iteration number as text, and its fitted pipeline.
    weights : list of float
        The members' weights in the vote that the meta learner corrects; they sum to 1.
    meta_learner : FittedMeta
        What was fitted on the members' predictions.
    classes : ndarray of shape (n_classes,)
        Labels in the order of their codes.
    """

    def __init__(
        self,
        base_learners: list[tuple[str, ModelPipeline]],
        weights: list[float],
        meta_learner: FittedMeta,
        classes: npt.NDArray[Any],
    ) -> None:
        self.base_learners = base_learners
        self.weights = weights
        self.meta_learner = meta_learner
        self.classes = classes

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Labels in the order of the columns of `predict_proba`."""
        return self.classes

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return probabilities, shape (n_rows, n_classes)."""
        members = [member for _, member in self.base_learners]
        answers = np.stack(THREADS.ask(members, "predict_proba", X))
        return self.meta_learner.predict(answers, self.weights)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest label of each row."""
        return np.asarray(self.classes[np.argmax(self.predict_proba(X), axis=1)])


class StackEnsembleRegressor(RegressorMixin, _Stack):  # type: ignore[misc] # untyped
    """A model on top of the members' numbers.

    Parameters
    ----------
    base_learners : list of (str, ModelPipeline)
        Iteration number as text, and its fitted pipeline.
    weights : list of float
        The members' weights in the vote that the meta learner corrects; they sum to 1.
    meta_learner : FittedMeta
        What was fitted on the members' predictions.
    """

    def __init__(
        self,
        base_learners: list[tuple[str, ModelPipeline]],
        weights: list[float],
        meta_learner: FittedMeta,
    ) -> None:
        self.base_learners = base_learners
        self.weights = weights
        self.meta_learner = meta_learner

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the number of each row, shape (n_rows,)."""
        members = [member for _, member in self.base_learners]
        answers = np.stack(THREADS.ask(members, "predict", X))
        return self.meta_learner.predict(answers, self.weights)


def open_stacking(
    adapter: bytes,
    names: tuple[str, ...],
    weights: tuple[float, ...],
    members: tuple[PackedPart | PackedSaved, ...],
    meta: bytes,
) -> ModelPipeline:
    """Return the user's pipeline of a stack.

    Parameters
    ----------
    adapter : bytes
        Pickle of the input adapter.
    names : tuple of str
        The members' iteration numbers, the heaviest first.
    weights : tuple of float
        The members' weights in the vote.
    members : tuple of PackedPart or PackedSaved
        The members.
    meta : bytes
        Pickle of a `FittedMeta`.
    """
    opened = [(name, member.open()) for name, member in zip(names, members, strict=True)]
    first = opened[0][1]
    reader = MemberInput.from_fitted(pickle.loads(adapter), featurizer_of(first))
    meta_learner: FittedMeta = pickle.loads(meta)
    if first.classes is None:
        step: Any = StackEnsembleRegressor(opened, list(weights), meta_learner)
        name = "stackensembleregressor"
    else:
        step = StackEnsembleClassifier(opened, list(weights), meta_learner, first.classes)
        name = "stackensembleclassifier"
    return ModelPipeline([("datatransformer", reader), (name, step)], classes=first.classes)
