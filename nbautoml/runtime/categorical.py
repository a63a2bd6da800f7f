"""Features from category columns: one-hot, hashed one-hot and ordinal codes."""

from __future__ import annotations

from typing import Any, Self  # Any: sklearn's X and y

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import murmurhash3_32

from nbautoml.runtime import parsing
from nbautoml.runtime.columns import Columns, Labels, columns_of, n_rows_of
from nbautoml.runtime.lineage import Feature
from nbautoml.runtime.numeric import marker_of

IntArray = npt.NDArray[np.int64]
FloatMatrix = npt.NDArray[np.float32]

INFREQUENT_SHARE = 0.001
"""Categories below this share of the training rows (and below two rows) are put together."""
NO_SLOT = -1


def codes_of(column: Any) -> tuple[IntArray, list[str]]:
    """Return codes (-1 where missing) and labels of a column, whatever its type."""
    if isinstance(column, Labels):
        return column.codes, column.labels
    values = column.array if isinstance(column, pd.Series) else column
    if not isinstance(values, pd.Categorical):
        codes, raw = parsing.distinct(pd.Series(column))
        labels = [parsing.label_of(value) for value in raw]
        return codes.astype(np.int64), labels
    return values.codes.astype(np.int64), values.categories.tolist()


def count_labels(codes: IntArray, labels: list[str]) -> dict[str, int]:
    """Return how often each label occurs, without labels that do not occur."""
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    return {label: int(n) for label, n in zip(labels, counts, strict=True) if n}


def most_frequent_label(counts: dict[str, int]) -> str:
    """Return the most frequent label; of several, the first by name."""
    return min(counts, key=lambda label: (-counts[label], label))


def minimum_count(n_rows: int) -> int:
    """Return how many rows a category needs to have a column of its own."""
    return max(2, int(np.ceil(INFREQUENT_SHARE * n_rows)))


class _LabelColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc] # sklearn is untyped
    """What transformers of category columns share: names, and walking over columns."""

    feature_names_in_: npt.NDArray[np.object_]

    def _start(self, X: pd.DataFrame) -> list[str]:
        self.feature_names_in_ = np.array([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        return list(self.feature_names_in_)

    def get_features(self) -> list[Feature]:
        """Return what each output is."""
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the outputs."""
        return np.array([feature.name for feature in self.get_features()], dtype=object)


class _SlotColumns(_LabelColumns):
    """Transformers whose outputs are 0 or 1: each cell switches on at most one output.

    A subclass fills, for each column, ``slots_`` (label to output), ``other_slot_`` (unseen
    labels) and ``missing_slot_``; ``marker_slot_`` is the output that says "was missing".
    """

    is_sparse: bool
    slots_: list[dict[str, int]]
    other_slot_: list[int]
    missing_slot_: list[int]
    marker_slot_: list[int]
    width_: int

    def _slot_of(self, position: int, label: str) -> int:
        return self.slots_[position].get(label, self.other_slot_[position])

    def transform(self, X: Columns) -> FloatMatrix | sp.csr_matrix:
        """Return zeros and ones, as float32; a csr matrix when ``is_sparse``."""
        n_rows = n_rows_of(X)
        blocks = [self._slots_of_column(j, column) for j, column in enumerate(columns_of(X))]
        if not blocks:
            blocks = [np.empty((n_rows, 0), dtype=np.int64)]
        slots = np.concatenate(blocks, axis=1)
        rows, places = np.nonzero(slots != NO_SLOT)
        columns = slots[rows, places]
        shape = (n_rows, self.width_)
        if self.is_sparse:
            ones = np.ones(len(rows), dtype=np.float32)
            return sp.csr_matrix((ones, (rows, columns)), shape=shape)
        out = np.zeros(shape, dtype=np.float32)
        out[rows, columns] = 1.0
        return out

    def _slots_of_column(self, position: int, column: pd.Series) -> IntArray:
        codes, labels = codes_of(column)
        table = np.empty(len(labels) + 1, dtype=np.int64)
        table[:-1] = [self._slot_of(position, label) for label in labels]
        table[-1] = self.missing_slot_[position]
        slots = table[codes][:, np.newaxis]
        marker = self.marker_slot_[position]
        if marker == NO_SLOT:
            return slots
        return np.concatenate([slots, np.where(codes < 0, marker, NO_SLOT)[:, np.newaxis]], axis=1)


class OneHotColumns(_SlotColumns):
    """One 0/1 column for each category.

    Rare categories share one column, which also stands for categories that were not seen in
    training. Two categories without rare ones need one column (for the rarer of the two).
    A missing cell counts as the most frequent category and sets ``<name>_WASNULL``, when
    cells were missing in training.

    Parameters
    ----------
    max_categories : int, default 50
        Most columns for one raw column; the most frequent categories are kept.
    is_sparse : bool, default False
        Whether `transform` returns a csr matrix.

    Attributes
    ----------
    slots_ : list of dict
        Label to output, for each column.
    """

    def __init__(self, max_categories: int = 50, is_sparse: bool = False) -> None:
        self.max_categories = max_categories
        self.is_sparse = is_sparse

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the categories of the training rows."""
        names = self._start(X)
        self.slots_, self.other_slot_, self.missing_slot_, self.marker_slot_ = [], [], [], []
        self._features: list[Feature] = []
        for name, column in zip(names, columns_of(X), strict=True):
            codes, labels = codes_of(column)
            self._fit_column(name, count_labels(codes, labels), bool((codes < 0).any()))
        self.width_ = len(self._features)
        return self

    def get_features(self) -> list[Feature]:
        """Return what each output is."""
        return list(self._features)

    def _fit_column(self, name: str, counts: dict[str, int], has_missing: bool) -> None:
        kept, has_rare = self._kept(counts)
        if len(kept) == 2 and not has_rare:
            kept.remove(most_frequent_label(counts))
        slots = {label: self._add(name, label) for label in kept}
        other = self._add(name, "(infrequent)") if has_rare else NO_SLOT
        self.slots_.append({label: slots.get(label, other) for label in counts})
        self.other_slot_.append(other)
        mode = most_frequent_label(counts) if counts else ""
        self.missing_slot_.append(slots.get(mode, other if mode not in kept else NO_SLOT))
        self.marker_slot_.append(len(self._features) if has_missing else NO_SLOT)
        if has_missing:
            self._features.append(marker_of(name))

    def _kept(self, counts: dict[str, int]) -> tuple[list[str], bool]:
        least = minimum_count(sum(counts.values()))
        kept = [label for label, n in counts.items() if n >= least]
        if len(kept) > self.max_categories:
            kept = sorted(kept, key=lambda label: (-counts[label], label))[: self.max_categories]
        return parsing.natural_order(kept), len(kept) < len(counts)

    def _add(self, raw: str, label: str) -> int:
        name = f"{raw}_{label}"
        self._features.append(Feature(raw=raw, transformation="OneHotEncoder", name=name))
        return len(self._features) - 1


class HashedColumns(_SlotColumns):
    """0/1 columns for categories of which there are many, placed by a stable hash.

    The hash does not depend on the process or on other categories, so unseen categories have
    a place too. A missing cell sets only ``<name>_WASNULL``, when cells were missing in
    training.

    Parameters
    ----------
    number_of_bits : int, default 8
        Each raw column gets ``2 ** number_of_bits`` outputs.
    is_sparse : bool, default True
        Whether `transform` returns a csr matrix.
    """

    def __init__(self, number_of_bits: int = 8, is_sparse: bool = True) -> None:
        self.number_of_bits = number_of_bits
        self.is_sparse = is_sparse

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn which columns have missing cells in the training rows."""
        names = self._start(X)
        n_hashed = len(names) << self.number_of_bits
        self.missing_slot_ = [NO_SLOT] * len(names)
        self.marker_slot_ = []
        self._marked: list[str] = []
        for name, column in zip(names, columns_of(X), strict=True):
            has_missing = bool((codes_of(column)[0] < 0).any())
            self.marker_slot_.append(n_hashed + len(self._marked) if has_missing else NO_SLOT)
            if has_missing:
                self._marked.append(name)
        self.width_ = n_hashed + len(self._marked)
        return self

    def get_features(self) -> list[Feature]:
        """Return what each output is."""
        hashed = [
            Feature(raw=name, transformation="HashOneHotEncoder", name=f"{name}_hash{place}")
            for name in self.feature_names_in_
            for place in range(1 << self.number_of_bits)
        ]
        return hashed + [marker_of(name) for name in self._marked]

    def _slot_of(self, position: int, label: str) -> int:
        place = int(murmurhash3_32(label, seed=0, positive=True)) % (1 << self.number_of_bits)
        return (position << self.number_of_bits) + place


class OrdinalColumns(_LabelColumns):
    """One number for each category, for trees; missing and unseen categories are NaN.

    Categories that are all numbers keep their value. Others are numbered from 0: by name, or
    by falling frequency.

    Parameters
    ----------
    order : {"name", "frequency"}, default "name"
        How categories that are not numbers are ordered.

    Attributes
    ----------
    codes_ : list of dict
        Label to number, for each column.
    is_numeric_ : list of bool
        Whether the categories of a column are numbers.
    categorical_features_ : ndarray of int
        Outputs that are codes, not numbers: libraries may treat them as categories.
    """

    def __init__(self, order: str = "name") -> None:
        self.order = order

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the categories of the training rows."""
        self._start(X)
        self.codes_: list[dict[str, float]] = []
        self.is_numeric_: list[bool] = []
        for column in columns_of(X):
            counts = count_labels(*codes_of(column))
            numbers = parsing.as_numbers(list(counts))
            self.is_numeric_.append(numbers is not None and bool(counts))
            ordered = self._ordered(counts)
            values = numbers if numbers is not None else range(len(ordered))
            labels = list(counts) if numbers is not None else ordered
            self.codes_.append({k: float(v) for k, v in zip(labels, values, strict=True)})
        is_code = [not is_numeric for is_numeric in self.is_numeric_]
        self.categorical_features_ = np.flatnonzero(is_code)
        return self

    def transform(self, X: Columns) -> FloatMatrix:
        """Return float32 codes; NaN where a category is missing or was not seen."""
        columns = columns_of(X)
        out = np.empty((n_rows_of(X), len(columns)), dtype=np.float32)
        for position, column in enumerate(columns):
            codes, labels = codes_of(column)
            table = np.full(len(labels) + 1, np.nan, dtype=np.float32)
            table[:-1] = [self._code_of(position, label) for label in labels]
            out[:, position] = table[codes]
        return out

    def get_features(self) -> list[Feature]:
        """Return what each output is."""
        return [
            Feature(raw=str(name), transformation="OrdinalEncoder", name=str(name))
            for name in self.feature_names_in_
        ]

    def _ordered(self, counts: dict[str, int]) -> list[str]:
        if self.order == "frequency":
            return sorted(counts, key=lambda label: (-counts[label], label))
        return sorted(counts)

    def _code_of(self, position: int, label: str) -> float:
        known = self.codes_[position].get(label)
        if known is not None:
            return known
        numbers = parsing.as_numbers([label]) if self.is_numeric_[position] else None
        return numbers[0] if numbers else np.nan
