"""VotingEnsemble: a weighted mean of models that are fitted already.

Means of probabilities are too cautious where all members are right for different reasons. Their
geometric mean, the logarithmic opinion pool, keeps what they agree on (Genest and Zidek 1986,
"Combining probability distributions", Statistical Science 1(1)).
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any  # Any: scikit-learn carries no types

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from nbautoml.runtime.bag import PackedPart, PackedSaved, featurizer_of
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline
from nbautoml.runtime.threads import THREADS

LEAST_PROBABILITY = 1e-4
"""In a geometric mean smaller probabilities count as this: one member alone rules nothing out."""


def log_shares(probabilities: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return what a geometric mean adds up of one member: logarithms, with a floor."""
    return np.asarray(np.log(np.maximum(probabilities, LEAST_PROBABILITY)))


def share_out(logs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the probabilities whose logarithms these are, but for a term of each row."""
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def geometric_mean(
    answers: Sequence[npt.NDArray[Any]], weights: Sequence[float] | npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Return the weighted geometric mean of probabilities; each row sums to 1.

    Parameters
    ----------
    answers : sequence of ndarray of shape (n_rows, n_classes)
        Probabilities by each member.
    weights : sequence of float
        To which power each member's probabilities are taken. With a sum above 1 the answer is
        more certain than a mean, and below 1 less.

    Examples
    --------
    >>> one, other = np.array([[0.5, 0.3, 0.2]]), np.array([[0.98, 0.01, 0.01]])
    >>> geometric_mean([one, other], [0.5, 0.5]).round(2)
    array([[0.88, 0.07, 0.06]])
    """
    logs = [log_shares(np.asarray(answer, dtype=np.float64)) for answer in answers]
    return share_out(np.tensordot(np.asarray(weights), np.stack(logs), axes=1))


class PreFittedSoftVotingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # untyped
    """Weighted mean of the members' probabilities.

    Parameters
    ----------
    estimators : list of (str, ModelPipeline)
        Iteration number as text, and its fitted pipeline.
    weights : list of float
        One for each member; they sum to 1 but for a geometric mean.
    classes : ndarray of shape (n_classes,)
        Labels in the order of their codes.
    is_geometric : bool, default False
        Whether probabilities are joined by `geometric_mean`, not by their plain mean.
    """

    def __init__(
        self,
        estimators: list[tuple[str, ModelPipeline]],
        weights: list[float],
        classes: npt.NDArray[Any],
        is_geometric: bool = False,
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.classes = classes
        self.is_geometric = is_geometric

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Labels in the order of the columns of `predict_proba`."""
        return self.classes

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return probabilities, shape (n_rows, n_classes)."""
        votes = THREADS.ask([member for _, member in self.estimators], "predict_proba", X)
        if self.is_geometric:
            return geometric_mean(votes, self.weights)
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
    is_geometric: bool = False,
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
    is_geometric : bool, default False
        As `PreFittedSoftVotingClassifier` takes it.
    """
    opened = [(name, member.open()) for name, member in zip(names, members, strict=True)]
    first = opened[0][1]
    reader = MemberInput.from_fitted(pickle.loads(adapter), featurizer_of(first))
    if first.classes is None:
        step: Any = PreFittedSoftVotingRegressor(opened, list(weights))
        name = "prefittedsoftvotingregressor"
    else:
        step = PreFittedSoftVotingClassifier(opened, list(weights), first.classes, is_geometric)
        name = "prefittedsoftvotingclassifier"
    return ModelPipeline([("datatransformer", reader), (name, step)], classes=first.classes)
