"""What each column adds to a model's answer for a row: exact sums, where a model is one.

The answer of a model that is the mean of fitted pipelines (one a fold, or the members of a vote)
is the mean of their answers, so its contributions are the means of theirs. All are on the scale
of the answer: numbers, or probabilities (see `nbautoml.engine.explain.links`). A raw column has
the sum of the contributions of the features that were made of it; a feature of two columns gives
half to each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: matrices are ndarray or csr

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from nbautoml.engine.explain.links import carry
from nbautoml.engine.explain.mixing import engineered_names
from nbautoml.engine.explain.native import margins_of, may_be_sum
from nbautoml.engine.explain.parts import Mixture, Part, ask, shown_outputs
from nbautoml.engine.search.budget import Deadline
from nbautoml.runtime.featurizer import Featurizer
from nbautoml.runtime.pipeline import spread_proba

FloatArray = npt.NDArray[np.float64]
Report = Callable[[int, int], None]
"""Told how many rows of how many are done."""

# Sums are computed in single precision by the libraries, and a few hundred of them are added.
_TOLERANCE, _SMALLEST = 1e-3, 1e-9
_FIRST_ROWS = 8
_MOST_CELLS = 4_000_000
"""Contributions that are held at a time: rows by features by outputs."""
_PER_COLUMN = frozenset({"StandardScalerWrapper", "MaxAbsScaler", "RobustScaler", "MinMaxScaler"})
"""Scalers that keep each feature to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """Contributions of columns to the answers for rows.

    Parameters
    ----------
    names : tuple of str
        The columns.
    values : ndarray of shape (n_outputs, n_rows, n_columns)
        With `base` they sum to the answers. One output for numbers and for two classes (the
        probability of the second), else one a class.
    base : ndarray of shape (n_outputs,)
        The answer before any column is looked at.
    """

    names: tuple[str, ...]
    values: FloatArray
    base: FloatArray

    @property
    def n_rows(self) -> int:
        """How many rows were explained."""
        return int(self.values.shape[1])

    def sizes(self) -> FloatArray:
        """Return the mean absolute contribution of each column, over rows and outputs."""
        if not self.n_rows:
            return np.full(len(self.names), np.nan)
        return np.asarray(np.abs(self.values).mean(axis=(0, 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactContributions:
    """Contributions of raw columns, and of engineered features."""

    raw: Contributions
    engineered: Contributions


def exact_contributions(
    mixture: Mixture,
    frame: pd.DataFrame,
    *,
    n_classes: int,
    n_rows: int,
    deadline: Deadline,
    report: Report | None = None,
) -> ExactContributions | None:
    """Return the contributions of columns, where every part of a model gives its own.

    Parameters
    ----------
    mixture : Mixture
        The model.
    frame : DataFrame of shape (n_all_rows, n_columns)
        Raw rows; their means are what linear models count from.
    n_classes : int
        Number of classes; 0 for numbers.
    n_rows : int
        The first rows of the frame, so many of them, are explained.
    deadline : Deadline
        When to stop, with the rows that are done; at least the first few are.
    report : callable, optional
        Told of the progress.

    Returns
    -------
    ExactContributions or None
        None where a part has no exact contributions, or where they do not sum to its answer.
    """
    if not all(_may_be_sum(part) for part in mixture.parts):
        return None
    columns = mixture.adapter.transform(frame)
    sums = _Sums(mixture, columns, n_classes)
    done: list[tuple[FloatArray, FloatArray]] = []
    n_done = 0
    for rows in _paced(n_rows, sums.most_rows, deadline):
        found = sums.of(columns.iloc[rows])
        if found is None:
            return None
        done.append(found)
        n_done += len(rows)
        if report is not None:
            report(n_done, n_rows)
    raw, engineered = (np.concatenate([one[i] for one in done]) for i in (0, 1))
    return ExactContributions(
        raw=Contributions(names=sums.raw_names, values=_turned(raw), base=sums.base),
        engineered=Contributions(
            names=sums.engineered_names, values=_turned(engineered), base=sums.base
        ),
    )


def _may_be_sum(part: Part) -> bool:
    """Whether a part could be a sum, by the kinds of its steps."""
    *scalers, (_, estimator) = part.pipeline.steps[1:]
    is_per_column = all(type(scaler).__name__ in _PER_COLUMN for _, scaler in scalers)
    return is_per_column and may_be_sum(estimator)


def _turned(values: FloatArray) -> FloatArray:
    """Return values with the outputs first."""
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def _paced(n_rows: int, most: int, deadline: Deadline) -> Iterator[npt.NDArray[np.int64]]:
    """Yield positions of rows: a few at first, then as many as a quarter of the time takes."""
    start, size = 0, min(_FIRST_ROWS, most)
    while start < n_rows and (not start or not deadline.is_over()):
        began = time.monotonic()
        rows = np.arange(start, min(start + size, n_rows))
        yield rows
        start += len(rows)
        pace = len(rows) / max(time.monotonic() - began, 1e-4)
        affordable = deadline.remaining() / 4 * pace
        size = int(min(most, max(1, affordable), 4 * size))


class _Sums:
    """Adds up what the parts of a model say; the base is known after the first rows."""

    def __init__(self, mixture: Mixture, columns: pd.DataFrame, n_classes: int) -> None:
        self.raw_names = tuple(str(name) for name in columns.columns)
        self.engineered_names = engineered_names(mixture.parts)
        self._n_classes = n_classes
        self._parts = [
            _PartSum(part, columns, n_classes, self.raw_names, self.engineered_names)
            for part in mixture.parts
        ]
        self.base = np.zeros(1)

    @property
    def most_rows(self) -> int:
        """How many rows fit into the memory that is given to them."""
        width = max([len(self.engineered_names), *(part.n_features for part in self._parts)])
        return max(1, _MOST_CELLS // (width * max(self._n_classes, 1) + 1))

    def of(self, columns: pd.DataFrame) -> tuple[FloatArray, FloatArray] | None:
        """Return contributions of raw columns and of features, (n_rows, n, n_outputs) each."""
        raw: FloatArray | float = 0.0
        engineered: FloatArray | float = 0.0
        base: FloatArray | float = 0.0
        for part in self._parts:
            found = part.of(columns)
            if found is None:
                return None
            raw, engineered = raw + found.raw, engineered + found.engineered
            base = base + found.base
        self.base = np.asarray(base)
        return np.asarray(raw), np.asarray(engineered)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Added:
    raw: FloatArray
    engineered: FloatArray
    base: FloatArray


class _PartSum:
    """The contributions of one part, under the names of the whole model."""

    def __init__(
        self,
        part: Part,
        columns: pd.DataFrame,
        n_classes: int,
        raw_names: Sequence[str],
        engineered: Sequence[str],
    ) -> None:
        self._part = part
        self._n_classes = n_classes
        self._scalers = [step for _, step in part.pipeline.steps[1:-1]]
        self._estimator = part.pipeline.steps[-1][1]
        self._behind = part.behind_featurizer()
        names = [entry.name for entry in part.featurizer.lineage_]
        self.n_features = len(names)
        self._to_engineered = _indicator([(name,) for name in names], engineered)
        self._to_raw = _indicator(sources_of(part.featurizer), raw_names)
        self._center = _means(self._scaled(part.featurizer.transform(columns)))

    def of(self, columns: pd.DataFrame) -> _Added | None:
        features = self._part.featurizer.transform(columns)
        found = margins_of(self._estimator, self._scaled(features), self._center)
        if found is None:
            return None
        values: FloatArray | float = 0.0
        base: FloatArray | float = 0.0
        for margins in found:
            carried, start = carry(margins.values, margins.base, margins.link)
            values, base = values + margins.weight * carried, base + margins.weight * start
        return self._named(np.asarray(values), np.asarray(base), features)

    def _named(self, values: FloatArray, base: FloatArray, features: Any) -> _Added | None:
        """Return contributions under their names; None where they do not sum to the answer."""
        values, base = self._of_all_classes(values, base)
        said = shown_outputs(ask(self._behind, features, self._n_classes))
        off = np.abs(values.sum(axis=1) + base - said)
        if off.max(initial=0.0) > _TOLERANCE * np.abs(said).max(initial=_SMALLEST):
            return None
        weight = self._part.weight
        return _Added(
            raw=weight * _mapped(values, self._to_raw),
            engineered=weight * _mapped(values, self._to_engineered),
            base=weight * base,
        )

    def _of_all_classes(
        self, values: FloatArray, base: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the outputs that are shown, also for classes that a fold did not hold."""
        codes = self._part.pipeline.codes
        if self._n_classes and codes is not None and len(codes) < self._n_classes:
            wide = np.zeros((*values.shape[:2], self._n_classes))
            wide[:, :, codes] = values
            values = wide
            base = spread_proba(base[np.newaxis], codes, self._n_classes)[0]
        if values.shape[2] == 2:
            return values[:, :, 1:], base[1:]
        return values, base

    def _scaled(self, features: Any) -> Any:
        for scaler in self._scalers:
            features = scaler.transform(features)
        return features


def sources_of(featurizer: Featurizer) -> list[tuple[str, ...]]:
    """Return the raw columns of each feature; those that combine columns have several."""
    found: list[tuple[str, ...]] = []
    for _, step, _ in featurizer.steps_:
        sources = getattr(step, "get_sources", None)
        found += sources() if sources else [(feature.raw,) for feature in step.get_features()]
    return found


def _indicator(sources: Sequence[Sequence[str]], names: Sequence[str]) -> sp.csr_matrix:
    """Return the share of each feature (row) that each name (column) gets."""
    places: Mapping[str, int] = {name: i for i, name in enumerate(names)}
    rows = [i for i, of in enumerate(sources) for _ in of]
    columns = [places[name] for of in sources for name in of]
    shares = [1.0 / len(of) for of in sources for _ in of]
    return sp.csr_matrix((shares, (rows, columns)), shape=(len(sources), len(names)))


def _mapped(values: FloatArray, indicator: sp.csr_matrix) -> FloatArray:
    mapped = [values[:, :, output] @ indicator for output in range(values.shape[2])]
    return np.stack(mapped, axis=2)


def _means(X: Any) -> FloatArray:
    """Return the means of columns; of cells that are missing nothing is known."""
    if sp.issparse(X):
        return np.asarray(X.mean(axis=0), dtype=np.float64).ravel()
    known = np.isfinite(X)
    counts = np.maximum(known.sum(axis=0), 1)
    return np.asarray(np.where(known, X, 0.0).sum(axis=0, dtype=np.float64) / counts)
