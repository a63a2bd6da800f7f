"""Turn read columns into the matrix of one representation; fitted inside each fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self  # Any: sklearn's X and y

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin, clone

from nbautoml.runtime.columns import ReadRows
from nbautoml.runtime.input_adapter import InputAdapter
from nbautoml.runtime.lineage import (
    FeatureLineage,
    SummaryRow,
    featurization_summary,
    number_features,
)


class Featurizer(TransformerMixin, BaseEstimator):  # type: ignore[misc] # sklearn is untyped
    """Apply one transformer to each group of columns and put the outputs side by side.

    Parameters
    ----------
    steps : sequence of (str, transformer, sequence of str)
        Name, unfitted transformer and its columns.
    is_dense : bool, default True
        Whether the output is a float32 array; else a csr matrix, when a step makes one.

    Attributes
    ----------
    steps_ : list of (str, transformer, list of str)
        The fitted steps.
    lineage_ : tuple of FeatureLineage
        Raw column, transformation and name of each output.
    categorical_features_ : ndarray of int
        Outputs that are codes of categories.
    is_sparse_ : bool
        Whether the output is a csr matrix.
    """

    def __init__(
        self, steps: Sequence[tuple[str, Any, Sequence[str]]] = (), is_dense: bool = True
    ) -> None:
        self.steps = steps
        self.is_dense = is_dense

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Fit all steps on the training rows."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **fit_params: Any) -> Any:
        """Fit all steps on the training rows and return their features."""
        self.feature_names_in_ = np.array([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        self.steps_ = []
        blocks = []
        for name, transformer, columns in self.steps:
            fitted = clone(transformer)
            block = X[list(columns)]
            # Not the same as fit and then transform: rows must not see their own label.
            blocks.append(fitted.fit_transform(block, y))
            self.steps_.append((name, fitted, list(columns)))
        self.is_sparse_ = not self.is_dense and any(sp.issparse(block) for block in blocks)
        features = [feature for _, step, _ in self.steps_ for feature in step.get_features()]
        self.lineage_ = number_features(features)
        self.categorical_features_ = self._find_categorical(blocks)
        return self._join(blocks, len(X))

    def transform(self, X: pd.DataFrame | ReadRows) -> Any:
        """Return the features of rows.

        Parameters
        ----------
        X : DataFrame or ReadRows
            Output of the input adapter.

        Returns
        -------
        ndarray of float32 or csr_matrix, shape (n_rows, n_features)
        """
        rows = X if isinstance(X, ReadRows) else ReadRows.of(X)
        blocks = [step.transform(rows.take(names)) for _, step, names in self.steps_]
        return self._join(blocks, len(rows))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the engineered names; models know them as ``f0`` to ``fn``."""
        return np.array([entry.name for entry in self.lineage_], dtype=object)

    def _join(self, blocks: list[Any], n_rows: int) -> Any:
        if self.is_sparse_:
            return sp.hstack(blocks, format="csr", dtype=np.float32)
        arrays = [block.toarray() if sp.issparse(block) else block for block in blocks]
        if len(arrays) == 1:
            return arrays[0]
        return np.concatenate([np.empty((n_rows, 0), dtype=np.float32), *arrays], axis=1)

    def _find_categorical(self, blocks: list[Any]) -> npt.NDArray[np.int64]:
        places: list[int] = []
        start = 0
        for (_, step, _), block in zip(self.steps_, blocks, strict=True):
            places += [start + int(i) for i in getattr(step, "categorical_features_", ())]
            start += block.shape[1]
        return np.array(places, dtype=np.int64)


class DataTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc] # sklearn is untyped
    """Raw rows to features: the ``datatransformer`` step of a fitted pipeline.

    Parameters
    ----------
    adapter : InputAdapter
        Reads raw rows.
    featurizer : Featurizer
        Makes features of what was read. `fit` fits a clone of it; a fitted one can be put to
        use as it is with `from_fitted`.

    Attributes
    ----------
    featurizer_ : Featurizer
        The fitted featurizer.
    """

    def __init__(self, adapter: InputAdapter, featurizer: Featurizer) -> None:
        self.adapter = adapter
        self.featurizer = featurizer

    @classmethod
    def from_fitted(cls, adapter: InputAdapter, featurizer: Featurizer) -> Self:
        """Return a fitted transformer around a fitted featurizer."""
        made = cls(adapter, featurizer)
        made.featurizer_ = featurizer
        return made

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the featurizer on raw rows."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Fit the featurizer on raw rows and return their features."""
        self.featurizer_: Featurizer = clone(self.featurizer)
        return self.featurizer_.fit_transform(self.adapter.transform(X), y)

    def transform(self, X: Any) -> Any:
        """Return the features of raw rows."""
        return self.featurizer_.transform(self.adapter.read(X))

    @property
    def lineage_(self) -> tuple[FeatureLineage, ...]:
        """Raw column, transformation and name of each output."""
        return self.featurizer_.lineage_

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the engineered names."""
        return self.featurizer_.get_feature_names_out()

    def get_engineered_feature_names(self) -> list[str]:
        """Return the engineered names (the SDK's call)."""
        return [entry.name for entry in self.lineage_]

    def get_featurization_summary(self, is_user_friendly: bool = True) -> list[SummaryRow]:
        """Return one row for each raw column (the SDK's call).

        Parameters
        ----------
        is_user_friendly : bool, default True
            Leave out ``TransformationParams``: each transformation with its input, the type of
            the column and the parameters of the transformer.
        """
        rows = featurization_summary(self.adapter.columns, self.lineage_)
        if not is_user_friendly:
            for row in rows:
                row["TransformationParams"] = self._details(row)
        return rows

    def _details(self, row: SummaryRow) -> dict[str, dict[str, Any]]:
        """Return the transformations of a raw column, as ``Transformer1`` and so on."""
        name = row["RawFeatureName"]
        found = {
            feature.transformation: step.get_params(deep=False)
            for _, step, columns in self.featurizer_.steps_
            if name in columns
            for feature in step.get_features()
            if feature.raw == name
        }
        return {
            f"Transformer{number}": {
                "Input": [name],
                "TransformationFunction": transformation,
                "FeatureType": row["TypeDetected"],
                "ShouldOutput": True,
                "TransformationParams": found[transformation],
            }
            for number, transformation in enumerate(row["Tranformations"], start=1)
        }
