"""Rows whose cells come from other rows: the one thing that is asked of a model here.

To permute a column, to go along a curve of dependence and to sample Shapley values is the same
to a model: rows in which some columns hold the cells of other rows. Cells are only ever moved
within their column, so that texts, dates and categories need no arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol  # Any: models; matrices are ndarray or csr

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.engine.explain.parts import Mixture, Part, ask
from nbautoml.runtime.input_adapter import column_places

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Changes = Mapping[int, IntArray]
"""Position of a column to the rows that its cells come from, one for each row that is asked."""

_BATCH_ROWS = 20_000
"""Models are asked about this many rows at a time at most, to hold little memory."""


class Ground(Protocol):
    """Rows and a model, and what it says when cells are moved.

    ``names`` are the columns whose cells can be moved, ``n_rows`` is the number of rows.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that can be changed."""

    @property
    def n_rows(self) -> int:
        """How many rows there are."""

    def answers(self, rows: IntArray, changes: Changes) -> FloatArray:
        """Return the model's answers for changed rows.

        Parameters
        ----------
        rows : ndarray of int, shape (n_asked,)
            The rows to start from.
        changes : mapping of int to ndarray of int, shape (n_asked,)
            For a column, which row's cell each asked row gets.

        Returns
        -------
        ndarray of shape (n_asked, n_outputs)
        """


@dataclass(frozen=True, slots=True)
class _Batches:
    """Cuts a question into parts that fit into memory."""

    rows: IntArray
    changes: Changes

    def __iter__(self) -> Iterator[tuple[IntArray, dict[int, IntArray]]]:
        for start in range(0, len(self.rows), _BATCH_ROWS):
            part = slice(start, start + _BATCH_ROWS)
            yield self.rows[part], {j: source[part] for j, source in self.changes.items()}


class RawGround:
    """Raw rows, asked through the whole pipeline.

    Parameters
    ----------
    model : estimator
        Takes raw rows.
    frame : DataFrame of shape (n_rows, n_columns)
        The rows.
    names : sequence of str
        The columns that the model uses, by their names as text.
    n_classes : int
        Number of classes; 0 for numbers.
    """

    def __init__(
        self, model: Any, frame: pd.DataFrame, names: Sequence[str], n_classes: int
    ) -> None:
        self._model = model
        self._frame = frame.reset_index(drop=True)
        self._n_classes = n_classes
        places = column_places(frame)
        self._places = [places[name] for name in names]
        self._names = tuple(names)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that can be changed."""
        return self._names

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self._frame)

    def answers(self, rows: IntArray, changes: Changes) -> FloatArray:
        """Return the model's answers for changed rows, shape (n_asked, n_outputs)."""
        parts = [self._ask(*part) for part in _Batches(rows, changes)]
        return np.concatenate(parts) if parts else np.empty((0, max(self._n_classes, 1)))

    def _ask(self, rows: IntArray, changes: Changes) -> FloatArray:
        mixed = self._frame.iloc[rows].reset_index(drop=True)
        for column, source in changes.items():
            place = self._places[column]
            mixed.isetitem(place, self._frame.iloc[:, place].array.take(source))
        return ask(self._model, mixed, self._n_classes)


class EngineeredGround:
    """Engineered features, asked behind the featurizers of a model's parts.

    Features of the same name are moved together in all parts.

    Parameters
    ----------
    mixture : Mixture
        The model; its featurizers make dense matrices (see `fits`).
    frame : DataFrame of shape (n_rows, n_columns)
        Raw rows.
    n_classes : int
        Number of classes; 0 for numbers.
    """

    def __init__(self, mixture: Mixture, frame: pd.DataFrame, n_classes: int) -> None:
        columns = mixture.adapter.transform(frame)
        self._n_rows = len(frame)
        self._n_classes = n_classes
        self._names = engineered_names(mixture.parts)
        places = {name: i for i, name in enumerate(self._names)}
        self._parts = [_Asked(part, columns, places, n_classes) for part in mixture.parts]

    @staticmethod
    def fits(mixture: Mixture, most_features: int) -> bool:
        """Return whether the parts make dense features, and no more than so many."""
        is_dense = not any(part.featurizer.is_sparse_ for part in mixture.parts)
        return is_dense and len(engineered_names(mixture.parts)) <= most_features

    @property
    def names(self) -> tuple[str, ...]:
        """The features that can be changed."""
        return self._names

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self._n_rows

    def answers(self, rows: IntArray, changes: Changes) -> FloatArray:
        """Return the model's answers for changed rows, shape (n_asked, n_outputs)."""
        total = np.zeros((len(rows), max(self._n_classes, 1)))
        for part in self._parts:
            total += part.weight * part.answers(rows, changes)
        return total


class _Asked:
    """One part of a model with the features of all rows."""

    def __init__(
        self, part: Part, columns: pd.DataFrame, places: Mapping[str, int], n_classes: int
    ) -> None:
        self.weight = part.weight
        self._n_classes = n_classes
        self._model = part.behind_featurizer()
        self._features = np.asarray(part.featurizer.transform(columns))
        names = [entry.name for entry in part.featurizer.lineage_]
        self._column_of = {places[name]: column for column, name in enumerate(names)}
        self._as_they_are = ask(self._model, self._features, n_classes)

    def answers(self, rows: IntArray, changes: Changes) -> FloatArray:
        touched = {self._column_of[j]: s for j, s in changes.items() if j in self._column_of}
        if not touched:
            return self._as_they_are[rows]
        parts = []
        for asked, sources in _Batches(rows, touched):
            mixed = self._features[asked]
            for column, source in sources.items():
                mixed[:, column] = self._features[source, column]
            parts.append(ask(self._model, mixed, self._n_classes))
        return np.concatenate(parts)


def engineered_names(parts: Sequence[Part]) -> tuple[str, ...]:
    """Return the names of the features of all parts, each once."""
    names: dict[str, None] = {}
    for part in parts:
        names |= dict.fromkeys(entry.name for entry in part.featurizer.lineage_)
    return tuple(names)
