"""The fitted pipeline that users hold: raw rows in, original labels out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: scikit-learn carries no types; rows are a frame or an array

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import Pipeline

from nbautoml.runtime.featurizer import DataTransformer
from nbautoml.runtime.threads import FEW_ROWS, THREADS

FORESTS = frozenset(
    {
        "RandomForestClassifier",
        "RandomForestRegressor",
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
    }
)
"""Classes of scikit-learn whose answer is the mean of their trees' answers."""


class ModelPipeline(Pipeline):  # type: ignore[misc] # scikit-learn is untyped
    """A fitted scikit-learn pipeline that answers in the labels of the training data.

    Its last step answers in class codes; they are decoded here.

    Parameters
    ----------
    steps : list of (str, estimator)
        Fitted steps; the last one predicts.
    classes : ndarray of shape (n_classes,), optional
        Labels in the order of their codes; None for numbers.
    codes : ndarray of shape (n_known,), optional
        Codes that the last step knows, when its training rows did not hold every class;
        the probability of the others is 0.

    Attributes
    ----------
    predicts_whole : bool
        Whether numbers are rounded to whole ones; False until it is set.
    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the columns of `predict_proba`.
    """

    predicts_whole = False

    def __init__(
        self,
        steps: list[tuple[str, Any]],
        *,
        classes: npt.NDArray[Any] | None = None,
        codes: npt.NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__(steps)
        self.classes = classes
        self.codes = codes

    @property
    def takes_columns(self) -> bool:
        """Whether rows may also be a mapping of names to lists or arrays of cells.

        Answers are the same, and come sooner: making a frame of a row takes longer than most
        models take for it.
        """
        return isinstance(self.steps[0][1], DataTransformer)

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Labels in the order of the columns of `predict_proba`."""
        if self.classes is None:
            raise AttributeError("A model that predicts numbers has no classes_.")
        return self.classes

    def predict(self, X: Any, **params: Any) -> npt.NDArray[Any]:
        """Return the label or the number for each row.

        Parameters
        ----------
        X : DataFrame or array of shape (n_rows, n_columns), or mapping
            Rows as they came in the training data; columns are found by name. A mapping has
            columns of cells by their names: see `takes_columns`.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        if self.classes is None:
            numbers = self._numbers(X)
            return np.rint(numbers).astype(np.int64) if self.predicts_whole else numbers
        return np.asarray(self.classes[np.argmax(self._proba(X), axis=1)])

    def predict_proba(self, X: Any, **params: Any) -> npt.NDArray[np.float64]:
        """Return the probability of each class.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Columns in the order of `classes_`.

        Raises
        ------
        AttributeError
            When the model predicts numbers.
        """
        if self.classes is None:
            raise AttributeError("A model that predicts numbers has no predict_proba.")
        return self._proba(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any) -> float:
        """Return the accuracy, or r2 for numbers."""
        metric = r2_score if self.classes is None else accuracy_score
        return float(metric(y, self.predict(X), sample_weight=sample_weight))

    def _features(self, X: Any) -> Any:
        for _, step in self.steps[:-1]:
            X = step.adapter.read(X) if isinstance(step, MemberInput) else step.transform(X)
        return X

    def _numbers(self, X: Any) -> npt.NDArray[np.float64]:
        features = self._features(X)
        if features.shape[0] == 0:  # most estimators refuse to predict no rows
            return np.empty(0)
        with THREADS.alone(features.shape[0]):
            return np.asarray(answer_of(self.steps[-1][1], "predict", features), dtype=np.float64)

    def _proba(self, X: Any) -> npt.NDArray[np.float64]:
        assert self.classes is not None
        features = self._features(X)
        if features.shape[0] == 0:
            return np.empty((0, len(self.classes)))
        with THREADS.alone(features.shape[0]):
            known = np.asarray(
                answer_of(self.steps[-1][1], "predict_proba", features), dtype=np.float64
            )
        if self.codes is None or len(self.codes) == len(self.classes):
            return known
        return spread_proba(known, self.codes, len(self.classes))


class MemberInput(DataTransformer):
    """The ``datatransformer`` step of a model whose members make features themselves.

    It reads raw rows; its names and summary describe the features as one representation has
    them.
    """

    def transform(self, X: Any) -> pd.DataFrame:
        """Return the rows as read, for the members to featurize."""
        return self.adapter.transform(X)


def answer_of(model: Any, method: str, features: Any) -> Any:
    """Return what a fitted model answers.

    Few rows of a dense matrix are asked of LightGBM's booster and of a forest's trees themselves.
    Their classes do the same, number by number, but take many times as long to look at the rows
    and at their own parameters, and to make a task of each tree.

    Parameters
    ----------
    model : estimator
        Fitted.
    method : {"predict", "predict_proba"}
        What to call; of a classifier only ``predict_proba``.
    features : array or matrix of shape (n_rows, n_features)
        At least one row.
    """
    if not isinstance(features, np.ndarray) or len(features) > FEW_ROWS:
        return getattr(model, method)(features)
    booster = getattr(model, "booster_", None)
    if booster is not None and not callable(getattr(model, "objective_", None)):
        answer = booster.predict(features)
        is_pair = method == "predict_proba" and answer.ndim == 1  # it tells the second of two
        return np.column_stack([1.0 - answer, answer]) if is_pair else answer
    if type(model).__name__ in FORESTS and np.isfinite(features).all():
        return _mean_of_trees(model, method, features)
    return getattr(model, method)(features)


def _mean_of_trees(forest: Any, method: str, features: npt.NDArray[Any]) -> Any:
    rows = np.ascontiguousarray(features, dtype=np.float32)
    total = np.zeros(1)
    for tree in forest.estimators_:
        total = total + tree.tree_.predict(rows)
    mean = total / len(forest.estimators_)
    return mean if method == "predict_proba" else mean[:, 0]


def spread_proba(
    known: npt.NDArray[np.floating[Any]], codes: Sequence[int] | npt.NDArray[Any], n_classes: int
) -> npt.NDArray[np.float64]:
    """Return probabilities of all classes from those of the classes that a model knows.

    Examples
    --------
    >>> spread_proba(np.array([[0.25, 0.75]]), [0, 2], 3)
    array([[0.25, 0.  , 0.75]])
    """
    proba = np.zeros((len(known), n_classes))
    proba[:, codes] = known
    return proba
