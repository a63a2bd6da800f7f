"""VotingEnsemble: a weighted mean of models that are fitted already."""

from __future__ import annotations

import pickle
from typing import Any  # Any: scikit-learn carries no types

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from nbautoml.runtime.bag import PackedPart, PackedSaved, featurizer_of
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline
from nbautoml.runtime.threads import THREADS


class PreFittedSoftVotingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # untyped
    """Weighted mean of the members' probabilities.

    Parameters
    ----------
    estimators : list of (str, ModelPipeline)
        Iteration number as text, and its fitted pipeline.
    weights : list of float
        One for each member; they sum to 1.
    classes : ndarray of shape (n_classes,)
        Labels in the order of their codes.
    """

    def __init__(
        self,
        estimators: list[tuple[str, ModelPipeline]],
        weights: list[float],
        classes: npt.NDArray[Any],
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.classes = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Labels in the order of the columns of `predict_proba`."""
        return self.classes

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return probabilities, shape (n_rows, n_classes)."""
        votes = THREADS.ask([member for _, member in self.estimators], "predict_proba", X)
        return np.average(votes, axis=0, weights=self.weights)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest label of each row."""
        return np.asarray(self.classes[np.argmax(self.predict_proba(X), axis=1)])


class PreFittedSoftVotingRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc] # untyped
    """Weighted mean of the members' numbers.

    Parameters
    ----------
    estimators : list of (str, ModelPipeline)
        Iteration number as text, and its fitted pipeline.
    weights : list of float
        One for each member; they sum to 1.
    """

    def __init__(self, estimators: list[tuple[str, ModelPipeline]], weights: list[float]) -> None:
        self.estimators = estimators
        self.weights = weights

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the weighted mean of each row, shape (n_rows,)."""
        votes = THREADS.ask([member for _, member in self.estimators], "predict", X)
        return np.average(votes, axis=0, weights=self.weights)


def open_voting(
    adapter: bytes,
    names: tuple[str, ...],
    weights: tuple[float, ...],
    members: tuple[PackedPart | PackedSaved, ...],
) -> ModelPipeline:
    """Return the user's pipeline of an ensemble.

    Parameters
    ----------
    adapter : bytes
        Pickle of the input adapter.
    names : tuple of str
        The members' iteration numbers, the heaviest first.
    weights : tuple of float
        The members' weights.
    members : tuple of PackedPart or PackedSaved
        The members.
    """
    opened = [(name, member.open()) for name, member in zip(names, members, strict=True)]
    first = opened[0][1]
    reader = MemberInput.from_fitted(pickle.loads(adapter), featurizer_of(first))
    if first.classes is None:
        step: Any = PreFittedSoftVotingRegressor(opened, list(weights))
        name = "prefittedsoftvotingregressor"
    else:
        step = PreFittedSoftVotingClassifier(opened, list(weights), first.classes)
        name = "prefittedsoftvotingclassifier"
    return ModelPipeline([("datatransformer", reader), (name, step)], classes=first.classes)
