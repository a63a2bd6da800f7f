"""Features that combine columns: means of the label by category, and arithmetic of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Self  # Any: sklearn's X and y

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import mutual_info_score

from nbautoml.runtime.categorical import codes_of
from nbautoml.runtime.columns import Columns, columns_of, matrix_of, n_rows_of
from nbautoml.runtime.lineage import Feature

IntArray = npt.NDArray[np.int64]
FloatMatrix = npt.NDArray[np.float32]
FloatColumns = npt.NDArray[np.float64]

_UNSEEN = -1
_MISSING_LABEL = "\0missing"
# Numbers are cut into this many parts before they are crossed with other columns.
_PARTS = 8
# Columns are ranked on this many rows at most, a label of numbers in this many parts.
_RANKED_ROWS = 5_000
_LABEL_PARTS = 10
# Rarer categories count as one when columns are ranked.
_FEWEST_ROWS = 5
_FOLDS = 5
# All answers are kept in one array up to this many of them: a megabyte.
_LOOKUP_CELLS = 2**18


class TargetColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc] # sklearn is untyped
    """The mean of the label for each category, and for pairs of categories.

    A training row gets the means of rows in other folds (cross-fitting), so that no row tells
    its own label. With more than two classes each category gets one share for each class.
    Missing cells are a category; unseen ones get the mean of all.

    Parameters
    ----------
    crossed : int, default 0
        Pairs among this many columns, those that tell most of the label, are encoded too.
        Columns of numbers, which are only there to be crossed, are cut into eight parts.
    seed : int, default 0
        Seed of the cross-fitting's folds.

    Attributes
    ----------
    pairs_ : list of (int, int)
        Positions of the crossed columns.
    means_ : list of ndarray of shape (n_categories + 1, n_outputs)
        What each category of a column or pair becomes; the last row is for unseen ones.

    Notes
    -----
    Means are drawn to the mean of all rows as in a one-way model with random effects (Searle,
    Casella, McCulloch, "Variance Components", 1992, chapter 3): a category of `n` rows keeps
    the share ``n / (n + m)`` of its own mean, where `m` is the variance within categories over
    the variance between them (at least 1). Categories that tell nothing all get the same mean.
    """

    def __init__(self, crossed: int = 0, seed: int = 0) -> None:
        self.crossed = crossed
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the means of the training rows."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **fit_params: Any) -> FloatMatrix:
        """Learn the means, and return those of other rows for each training row."""
        label = _as_label(y)
        self.feature_names_in_ = np.array([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        self._readers = [_reader_of(column) for column in columns_of(X)]
        self._encoded = [j for j, reader in enumerate(self._readers) if reader.is_category]
        codes = self._read(X)
        self.pairs_ = _telling_pairs(codes, label, self.crossed)
        self._tables = [np.unique(_join(codes, pair)) for pair in self.pairs_]
        targets = _targets_of(label)
        self.n_outputs_ = targets.shape[1]
        fold_of = np.random.default_rng(self.seed).permutation(len(label)) % _FOLDS
        self.means_, blocks = [], []
        for places in self._places(codes).T:
            n_places = int(places.max()) + 1
            self.means_.append(_shrunk_means(places, targets, n_places))
            blocks.append(_means_of_others(places, targets, fold_of, n_places))
        return _side_by_side(blocks, len(label))

    def transform(self, X: Columns) -> FloatMatrix:
        """Return the means of the training rows, as float32."""
        if not hasattr(self, "_lookup"):
            self._lookup = self._make_lookup()
        if self._lookup is not None:
            return self._lookup.read(columns_of(X), self._readers)
        places = self._places(self._read(X)).T
        blocks = [means[column] for means, column in zip(self.means_, places, strict=True)]
        return _side_by_side(blocks, n_rows_of(X))

    def _make_lookup(self) -> _Lookup | None:
        """Return all answers in one array; None where there are none, or too many."""
        n_codes = [reader.n_codes for reader in self._readers]
        pairs: list[tuple[int, ...]] = [(j,) for j in self._encoded]
        pairs += self.pairs_
        sizes = [math.prod(n_codes[j] for j in pair) for pair in pairs]
        if not pairs or sum(sizes) * self.n_outputs_ > _LOOKUP_CELLS:
            return None
        blocks = []
        for number, pair in enumerate(pairs):
            grid = np.indices([n_codes[j] for j in pair]).reshape(len(pair), -1) - 1
            if len(pair) == 1:
                places = grid[0]
            else:
                table = np.asarray(self._tables[number - len(self._encoded)])
                places = _find(table, _join(grid.T, (0, 1)))
            blocks.append(self.means_[number][places].astype(np.float32))
        return _Lookup(pairs, n_codes, blocks)

    def get_features(self) -> list[Feature]:
        """Return what each output is; a cross is listed under the first of its columns."""
        names = [str(name) for name in self.feature_names_in_]
        entries = [(names[j], names[j], "TargetEncoder") for j in self._encoded]
        entries += [
            (names[i], f"{names[i]} x {names[j]}", "CrossTargetEncoder") for i, j in self.pairs_
        ]
        one = self.n_outputs_ == 1
        ends = [""] if one else [f"_{place}" for place in range(self.n_outputs_)]
        return [
            Feature(raw=raw, transformation=how, name=f"{name}_target{end}")
            for raw, name, how in entries
            for end in ends
        ]

    def get_sources(self) -> list[tuple[str, ...]]:
        """Return all columns that each output is made of."""
        names = [str(name) for name in self.feature_names_in_]
        of = [(names[j],) for j in self._encoded] + [(names[i], names[j]) for i, j in self.pairs_]
        return [sources for sources in of for _ in range(self.n_outputs_)]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the outputs."""
        return np.array([feature.name for feature in self.get_features()], dtype=object)

    def _read(self, X: Columns) -> IntArray:
        pairs = zip(self._readers, columns_of(X), strict=True)
        codes = [reader.read(column) for reader, column in pairs]
        return np.stack(codes, axis=1) if codes else np.empty((n_rows_of(X), 0), dtype=np.int64)

    def _places(self, codes: IntArray) -> IntArray:
        """Return a column of places for each encoded column and each pair; unseen is -1."""
        crossed = [
            _find(np.asarray(table), _join(codes, pair))
            for pair, table in zip(self.pairs_, self._tables, strict=True)
        ]
        return np.column_stack([codes[:, self._encoded], *crossed])


class _Lookup:
    """What each pair of codes becomes, for all pairs in one array.

    Parameters
    ----------
    pairs : list of tuple of int
        Positions of one column, or of the two that are crossed.
    n_codes : list of int
        How many codes each column has; they begin at -1.
    blocks : list of ndarray of shape (n_combinations, n_outputs)
        The outputs of each pair, the code of its second column running fastest.
    """

    def __init__(
        self,
        pairs: list[tuple[int, ...]],
        n_codes: list[int],
        blocks: list[FloatMatrix],
    ) -> None:
        self._used = sorted({j for pair in pairs for j in pair})
        place = {j: number for number, j in enumerate(self._used)}
        self._left = np.array([place[pair[0]] for pair in pairs], dtype=np.int64)
        self._right = np.array([place[pair[-1]] for pair in pairs], dtype=np.int64)
        is_single = np.array([len(pair) == 1 for pair in pairs])
        widths = np.array([n_codes[pair[-1]] for pair in pairs], dtype=np.int64)
        self._factor = np.where(is_single, 0, widths)  # a column alone has no left part
        sizes = [len(block) for block in blocks]
        self._start = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
        self._outputs = np.concatenate(blocks)
        self._width = len(pairs) * self._outputs.shape[1]

    def read(self, columns: Sequence[Any], readers: Sequence[_Categories | _Parts]) -> FloatMatrix:
        """Return the outputs of rows, pair by pair."""
        codes = np.stack([readers[j].read(columns[j]) for j in self._used], axis=1) + 1
        places = codes[:, self._left] * self._factor
        places += codes[:, self._right]
        places += self._start
        return self._outputs[places].reshape(len(codes), self._width)


class PairArithmetic(TransformerMixin, BaseEstimator):  # type: ignore[misc] # sklearn is untyped
    """Sum, difference, product and ratio of pairs of the numbers that tell most of the label.

    Trees cut one column at a time, so that a diagonal border takes them many cuts; these
    columns give it in one.

    Parameters
    ----------
    crossed : int, default 6
        Pairs among this many columns are made.

    Attributes
    ----------
    pairs_ : list of (int, int)
        Positions of the columns.
    """

    def __init__(self, crossed: int = 6) -> None:
        self.crossed = crossed

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Choose the columns on the training rows."""
        self.feature_names_in_ = np.array([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        parts = np.stack([_Parts(column).read(column) for column in columns_of(X)], axis=1)
        self.pairs_ = _telling_pairs(parts, _as_label(y), self.crossed)
        return self

    def transform(self, X: Columns) -> FloatMatrix:
        """Return float32 columns; NaN where a cell is missing or a divisor is zero."""
        values = matrix_of(X)
        out = np.empty((len(values), 4 * len(self.pairs_)), dtype=np.float32)
        if not self.pairs_:
            return out
        left, right = np.array(self.pairs_).T
        a, b = values[:, left], values[:, right]
        with np.errstate(all="ignore"):
            out[:, 0::4] = a + b
            out[:, 1::4] = a - b
            out[:, 2::4] = a * b
            out[:, 3::4] = a / b
        out[~np.isfinite(out)] = np.nan
        return out

    def get_features(self) -> list[Feature]:
        """Return what each output is; it is listed under the first of its columns."""
        names = [str(name) for name in self.feature_names_in_]
        return [
            Feature(raw=names[i], transformation="PairArithmetic", name=f"{names[i]} {sign} {b}")
            for i, b in ((i, names[j]) for i, j in self.pairs_)
            for sign in "+-*/"
        ]

    def get_sources(self) -> list[tuple[str, ...]]:
        """Return both columns that each output is made of."""
        names = [str(name) for name in self.feature_names_in_]
        return [(names[i], names[j]) for i, j in self.pairs_ for _ in "+-*/"]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the outputs."""
        return np.array([feature.name for feature in self.get_features()], dtype=object)


class _Categories:
    """Reads cells of a category column as places; missing cells are a category."""

    is_category = True

    def __init__(self, column: pd.Series) -> None:
        codes, labels = codes_of(column)
        seen = np.bincount(codes[codes >= 0], minlength=len(labels)) > 0
        known = [label for label, is_seen in zip(labels, seen, strict=True) if is_seen]
        self._places = {label: place for place, label in enumerate([*sorted(known)])}
        self._places[_MISSING_LABEL] = len(known)

    @property
    def n_codes(self) -> int:
        """How many codes there are, -1 among them."""
        return len(self._places) + 1

    def read(self, column: pd.Series) -> IntArray:
        """Return places, -1 for unseen labels."""
        codes, labels = codes_of(column)
        table = [self._places.get(label, _UNSEEN) for label in (*labels, _MISSING_LABEL)]
        return np.array(table, dtype=np.int64)[codes]


class _Parts:
    """Reads numbers as the part of their range, by the quantiles of the training rows."""

    is_category = False

    def __init__(self, column: pd.Series) -> None:
        values = np.asarray(column, dtype=np.float64)
        filled = values[np.isfinite(values)]
        self._edges = np.unique(np.quantile(filled, _cuts(_PARTS))) if len(filled) else filled

    @property
    def n_codes(self) -> int:
        """How many codes there are, -1 among them, which none of them is."""
        return len(self._edges) + 3

    def read(self, column: pd.Series) -> IntArray:
        """Return parts, counted from 1; 0 for missing cells."""
        values = np.asarray(column, dtype=np.float64)
        parts = self._edges.searchsorted(values, side="right")
        return np.where(np.isfinite(values), parts + 1, 0)


def _reader_of(column: pd.Series) -> _Categories | _Parts:
    is_number = pd.api.types.is_numeric_dtype(column.dtype)
    return _Parts(column) if is_number else _Categories(column)


def _telling_pairs(
    codes: IntArray, label: npt.NDArray[Any], n_columns: int
) -> list[tuple[int, int]]:
    """Return all pairs among the columns that share most information with the label."""
    if n_columns < 2 or codes.shape[1] < 2:
        return []
    rows = np.linspace(0, len(label) - 1, min(len(label), _RANKED_ROWS)).astype(np.int64)
    parts = label[rows]
    if not np.issubdtype(label.dtype, np.integer):
        parts = np.digitize(parts, np.quantile(parts, _cuts(_LABEL_PARTS)))
    told = [_information(codes[rows, j], parts) for j in range(codes.shape[1])]
    best = sorted(np.argsort(-np.array(told), kind="stable")[:n_columns].tolist())
    return list(combinations(best, 2))


def _information(codes: IntArray, parts: npt.NDArray[Any]) -> float:
    """Return the mutual information, less what chance gives to so many categories.

    Rare categories count as one. The correction is that of Miller, "Note on the bias of
    information estimates", 1955.
    """
    _, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    codes = np.where(counts[places] >= _FEWEST_ROWS, places, -1)
    n_cells = (len(np.unique(codes)) - 1) * (len(np.unique(parts)) - 1)
    return float(mutual_info_score(codes, parts)) - n_cells / (2 * len(parts))


def _join(codes: IntArray, pair: tuple[int, int]) -> IntArray:
    """Return one number for each pair of codes."""
    left, right = codes[:, pair[0]] + 1, codes[:, pair[1]] + 1
    return np.asarray((left << 32) + right)


def _find(table: IntArray, wanted: IntArray) -> IntArray:
    """Return the place of each number in a sorted table, -1 where it is not there.

    Examples
    --------
    >>> _find(np.array([3, 5, 9]), np.array([9, 4, 3, 10]))
    array([ 2, -1,  0, -1])
    """
    places = np.searchsorted(table, wanted)
    is_there = table[np.minimum(places, len(table) - 1)] == wanted
    return np.where(is_there, places, _UNSEEN)


def _targets_of(label: npt.NDArray[Any]) -> FloatColumns:
    """Return the columns whose means are taken: numbers, or a 0/1 column for each class.

    Of two classes, which tell the same, the second is taken.
    """
    if not np.issubdtype(label.dtype, np.integer):
        return label.astype(np.float64)[:, np.newaxis]
    classes = np.unique(label)
    shown = classes[-1:] if len(classes) <= 2 else classes
    return np.asarray(label[:, np.newaxis] == shown, dtype=np.float64)


def _means_of_others(
    places: IntArray, targets: FloatColumns, fold_of: IntArray, n_places: int
) -> FloatColumns:
    """Return, for each row, the mean of its category over the rows of other folds."""
    out = np.empty(targets.shape)
    for fold in range(_FOLDS):
        is_in = fold_of == fold
        if is_in.all() or not is_in.any():
            out[is_in] = targets.mean(axis=0)
            continue
        means = _shrunk_means(places[~is_in], targets[~is_in], n_places)
        out[is_in] = means[places[is_in]]
    return out


def _shrunk_means(places: IntArray, targets: FloatColumns, n_places: int) -> FloatColumns:
    """Return the mean of each place, drawn to the mean of all, which is appended."""
    overall = targets.mean(axis=0)
    counts = np.bincount(places, minlength=n_places).astype(np.float64)
    out = np.empty((n_places + 1, targets.shape[1]))
    for j, target in enumerate(targets.T):
        sums = np.bincount(places, weights=target, minlength=n_places)
        weight = _prior_weight(counts, sums, float((target**2).sum()))
        if math.isinf(weight):
            out[:-1, j] = overall[j]
        else:
            out[:-1, j] = (sums + weight * overall[j]) / (counts + weight)
    out[-1] = overall
    return out


def _prior_weight(counts: FloatColumns, sums: npt.NDArray[Any], squares: float) -> float:
    """Return for how many rows the mean of all counts; infinite when categories tell nothing."""
    n_rows, n_categories = counts.sum(), int((counts > 0).sum())
    if n_categories < 2 or n_rows <= n_categories:
        return math.inf
    filled = counts > 0
    of_means = float((sums[filled] ** 2 / counts[filled]).sum())
    within = max(squares - of_means, 0.0) / (n_rows - n_categories)
    between = max(of_means - sums.sum() ** 2 / n_rows, 0.0) / (n_categories - 1)
    size = (n_rows - (counts**2).sum() / n_rows) / (n_categories - 1)
    spread = (between - within) / max(size, 1e-12)
    return max(within / spread, 1.0) if spread > 0 else math.inf


def _side_by_side(blocks: list[FloatColumns], n_rows: int) -> FloatMatrix:
    return np.concatenate([np.empty((n_rows, 0)), *blocks], axis=1).astype(np.float32)


def _as_label(y: Any) -> npt.NDArray[Any]:
    """Return class codes as whole numbers, numbers as they are."""
    if y is None:
        raise ValueError("These features are made from the label; fit needs y, got None.")
    label: npt.NDArray[Any] = np.asarray(y)
    if np.issubdtype(label.dtype, np.number):
        return label
    return np.asarray(np.unique(label, return_inverse=True)[1])


def _cuts(n_parts: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.linspace(0, 1, n_parts + 1)[1:-1])
