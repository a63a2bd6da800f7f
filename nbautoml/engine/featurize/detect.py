"""Find out what a raw column is; looks at its cells, never at the label."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any  # Any: cells of a raw table can hold any object

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.engine.featurize.date_formats import (
    PARSED_SHARE,
    are_compact_dates,
    find_date_format,
    has_mixed_dates,
)
from nbautoml.engine.featurize.options import ColumnPurpose
from nbautoml.runtime import parsing

FEW_VALUES = 20
FEW_VALUES_SHARE = 0.05
"""A column of whole numbers is a category up to 20 values and 5 % of the rows."""
COUNT_VALUES = 8
"""From this many values on, whole numbers without a gap are a count or a scale."""
HIGH_CARDINALITY = 50
"""Above this many categories they are hashed."""
ID_MIN_ROWS = 20
"""Below this number of rows, different values do not make a column an id."""
ID_SHARE = 0.95
ID_MAX_STEP = 3
TEXT_WORDS = 3
TEXT_LETTERS = 30
TEXT_SHARE = 0.5

_ID_NAME = re.compile(
    r"(?:^|[\W_])(?:id|uuid|guid|index|idx|rownames|row_?(?:number|num|no)|serial|unnamed: 0)"
    r"(?:$|[\W_])|(?<=[a-z])I[Dd]$|^(?:employee|customer|account|order|record)_?(?:number|no)$",
)
_TIME_NAME = re.compile(r"year|date|time|month|day|week|hour|quarter|period|age", re.IGNORECASE)
_GUID = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?|[0-9a-f]{16,}", re.I)
_LEADING_ZERO = re.compile(r"0\d+")

Counts = npt.NDArray[np.int64]
Stats = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What was found about one column.

    ``kind``, ``decimal`` and ``date_format`` say how it is read (see `ColumnFormat`);
    ``notes`` are sentences that a user should see.
    """

    purpose: ColumnPurpose
    reason: str
    kind: str
    decimal: str = "."
    date_format: str = "mixed"
    stats: Stats = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def ignore(reason: str, *, stats: Stats | None = None, note: str = "") -> Detected:
    """Return that a column is not used, and why."""
    return Detected(
        purpose=ColumnPurpose.IGNORE,
        reason=reason,
        kind="drop",
        stats=stats or {},
        notes=(note,) if note else (),
    )


def detect(series: pd.Series, name: str) -> Detected:
    """Return what a raw column is.

    Parameters
    ----------
    series : Series
        The cells of the training data.
    name : str
        The column's name; a few rules look at it.

    Raises
    ------
    ValueError
        For complex numbers.
    """
    if pd.api.types.is_bool_dtype(series.dtype):
        return _detect_truths(series)
    numbers = parsing.numbers_of_type(series)
    if numbers is not None:
        return _detect_numbers(numbers, name)
    times = parsing.times_of_type(series)
    if times is not None:
        return detect_times(times)
    return _detect_untyped(series, name)


def detect_times(times: npt.NDArray[np.datetime64], date_format: str = "mixed") -> Detected:
    """Return what a column of times is; not used when it holds no or only one time."""
    filled = times[~np.isnat(times)]
    stats = _counts(len(times), len(times) - len(filled), len(np.unique(filled)))
    return _unless_constant(
        stats,
        Detected(
            purpose=ColumnPurpose.DATETIME,
            reason="Dates.",
            kind="date",
            date_format=date_format,
            stats=stats,
        ),
    )


def _counts(n_rows: int, n_missing: int, n_unique: int) -> dict[str, float]:
    return {"n_rows": n_rows, "n_missing": int(n_missing), "n_unique": int(n_unique)}


def _unless_constant(stats: Stats, found: Detected) -> Detected:
    """Return `found`, but for columns in which nothing varies."""
    if stats["n_unique"] == 0:
        return ignore("All values are missing.", stats=stats)
    if stats["n_unique"] == 1 and not stats["n_missing"]:
        return ignore("All values are the same.", stats=stats)
    return found


def _detect_truths(series: pd.Series) -> Detected:
    n_missing = int(series.isna().sum())
    stats = _counts(len(series), n_missing, series.nunique())
    found = Detected(
        purpose=ColumnPurpose.BOOLEAN, reason="Truth values.", kind="boolean", stats=stats
    )
    return _unless_constant(stats, found)


def _detect_numbers(numbers: npt.NDArray[np.float64], name: str) -> Detected:
    clean = parsing.clean_numbers(numbers)
    n_infinite = int(np.isnan(clean).sum() - np.isnan(numbers).sum())
    filled = clean[~np.isnan(clean)]
    unique = np.unique(filled)
    stats = _counts(len(numbers), len(numbers) - len(filled), len(unique))
    stats |= {"n_infinite": n_infinite} | _moments(filled)
    notes: tuple[str, ...] = ()
    if n_infinite:
        notes = (f"{n_infinite} infinite or very large values count as missing.",)
    purpose, reason, kind = ColumnPurpose.NUMERIC, "Numbers.", "number"
    is_whole = bool(len(unique)) and bool((unique == np.round(unique)).all())
    if is_whole and _is_counter(filled, unique, len(numbers), name):
        purpose, reason, kind = ColumnPurpose.IGNORE, "It numbers the rows (an id).", "drop"
    elif is_whole and _is_code(unique, len(filled)):
        purpose, reason, kind = ColumnPurpose.CATEGORICAL, "Few whole numbers.", "category"
    found = Detected(purpose=purpose, reason=reason, kind=kind, stats=stats, notes=notes)
    return _unless_constant(stats, found)


def _moments(filled: npt.NDArray[np.float64]) -> dict[str, float]:
    if not len(filled):
        return {}
    return {
        "mean": float(filled.mean()),
        "std": float(filled.std()),
        "min": float(filled.min()),
        "max": float(filled.max()),
    }


def _is_counter(
    filled: npt.NDArray[np.float64], unique: npt.NDArray[np.float64], n_rows: int, name: str
) -> bool:
    if not (len(unique) == len(filled) == n_rows) or n_rows < ID_MIN_ROWS:
        return False
    if _ID_NAME.search(name):
        return True
    steps = np.diff(filled)
    is_monotone = bool((steps > 0).all() or (steps < 0).all())
    is_dense = float(np.median(np.abs(steps))) <= ID_MAX_STEP
    return is_monotone and is_dense and not _TIME_NAME.search(name)


def _is_code(unique: npt.NDArray[np.float64], n_filled: int) -> bool:
    if len(unique) > min(FEW_VALUES, max(2, int(FEW_VALUES_SHARE * n_filled))):
        return False
    has_no_gap = unique[-1] - unique[0] + 1 == len(unique)
    return not (has_no_gap and len(unique) >= COUNT_VALUES)


def _detect_untyped(series: pd.Series, name: str) -> Detected:
    is_category = isinstance(series.dtype, pd.CategoricalDtype)
    if series.dtype == object and _has_containers(series):
        note = "Its cells hold lists or other containers, so it is not used."
        return ignore("Cells hold lists or other containers.", note=note)
    codes, values = parsing.distinct(series)
    if not values:
        return ignore("All values are missing.", stats=_counts(len(series), len(series), 0))
    if not is_category:
        typed = _detect_typed_cells(codes, values, name)
        if typed is not None:
            return typed
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    texts = [parsing.label_of(value) for value in values]
    column = _TextColumn.of(texts, counts, n_rows=len(series), name=name)
    has_types = len({type(value) for value in values}) > 1
    return column.detect(is_category=is_category, has_types=has_types)


def _has_containers(series: pd.Series) -> bool:
    return any(isinstance(cell, (list, dict, set, tuple, np.ndarray)) for cell in series)


def _detect_typed_cells(
    codes: parsing.IntArray, values: Sequence[Any], name: str
) -> Detected | None:
    """Return what an object column is when all its cells are numbers, truths or times."""
    if all(isinstance(value, (bool, np.bool_)) for value in values):
        truths = np.array([*map(float, values), np.nan])[codes]
        return _detect_truths(pd.Series(truths))
    if all(isinstance(v, (Real, Decimal)) and not isinstance(v, bool) for v in values):
        numbers = np.array([*map(float, values), np.nan])
        return _detect_numbers(numbers[codes], name)
    if all(parsing.is_time(value) for value in values):
        texts = [parsing.text_of_time(value) for value in values]
        times = np.append(parsing.parse_dates(texts, "ISO8601"), np.datetime64("NaT"))
        return detect_times(times[codes])
    if any(isinstance(value, complex) and not isinstance(value, Real) for value in values):
        raise ValueError(
            f"Column {name!r} holds complex numbers, which no model takes. "
            "Split them into real and imaginary columns."
        )
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _TextColumn:
    """Distinct filled texts of a column and how often they occur."""

    texts: list[str]
    counts: Counts
    n_rows: int
    name: str

    @classmethod
    def of(cls, texts: Sequence[str], counts: Counts, *, n_rows: int, name: str) -> _TextColumn:
        """Merge equal texts and leave out blank ones."""
        merged: dict[str, int] = {}
        for text, count in zip(texts, counts, strict=True):
            if text:
                merged[text] = merged.get(text, 0) + int(count)
        return cls(
            texts=list(merged),
            counts=np.fromiter(merged.values(), dtype=np.int64),
            n_rows=n_rows,
            name=name,
        )

    @property
    def n_filled(self) -> int:
        return int(self.counts.sum())

    @property
    def stats(self) -> dict[str, float]:
        return _counts(self.n_rows, self.n_rows - self.n_filled, len(self.texts))

    def detect(self, *, is_category: bool, has_types: bool) -> Detected:
        """Try the meanings of a text in turn, narrow ones first."""
        stats = self.stats
        if len(self.texts) <= 1:
            return _unless_constant(stats, self._category("One category, else missing."))
        if self._is_truth():
            return Detected(
                purpose=ColumnPurpose.BOOLEAN,
                reason="Words for true and false.",
                kind="boolean",
                stats=stats,
            )
        if is_category:
            return self._category("Of type category.")
        if any(_LEADING_ZERO.fullmatch(text) for text in self.texts):
            return self._words("Codes with leading zeros.")
        if are_compact_dates(self.texts) and (found := self._date()) is not None:
            return found
        reason = "Mixed types, read as text." if has_types else ""
        return self._number() or self._date() or self._words(reason)

    def _is_truth(self) -> bool:
        words = {text.lower() for text in self.texts}
        return any(
            words <= true | false and words & true and words & false
            for true, false in parsing.TRUTH_WORDS
        )

    def _number(self) -> Detected | None:
        """Return numbers when one decimal sign fits at least 95 % of the cells."""
        is_filled = np.array([not parsing.is_null_word(text) for text in self.texts])
        n_filled = int(self.counts[is_filled].sum())
        if not n_filled:
            return None
        for decimal in (".", ","):
            numbers = parsing.parse_numbers(self.texts, decimal)
            n_parsed = int(self.counts[~np.isnan(numbers)].sum())
            if n_parsed >= PARSED_SHARE * n_filled:
                return self._number_column(numbers, decimal, n_unread=n_filled - n_parsed)
        return None

    def _number_column(
        self, numbers: npt.NDArray[np.float64], decimal: str, *, n_unread: int
    ) -> Detected:
        cells = np.repeat(numbers, self.counts)
        cells = np.append(cells, np.full(self.n_rows - self.n_filled, np.nan))
        found = _detect_numbers(cells, self.name)
        is_plain = decimal == "." and parsing.as_numbers(self.texts) is not None
        if found.purpose is ColumnPurpose.CATEGORICAL and not is_plain:
            found = _as_numeric(found)
        notes = found.notes
        if n_unread:
            notes = (*notes, f"{n_unread} cells are not numbers and count as missing.")
        return Detected(
            purpose=found.purpose,
            reason=f"{found.reason} Written as text.",
            kind=found.kind,
            decimal=decimal,
            stats=found.stats,
            notes=notes,
        )

    def _date(self) -> Detected | None:
        found = find_date_format(self.texts, self.counts)
        if found is None:
            return None
        times = np.repeat(parsing.parse_dates(self.texts, found.date_format), self.counts)
        empty = np.full(self.n_rows - self.n_filled, np.datetime64("NaT"), dtype=times.dtype)
        dates = detect_times(np.append(times, empty), found.date_format)
        return Detected(
            purpose=dates.purpose,
            reason="Dates written as text.",
            kind=dates.kind,
            date_format=found.date_format,
            stats=dates.stats,
            notes=(found.note,) if found.note else (),
        )

    def _words(self, reason: str = "") -> Detected:
        """Return an id, a text or a category."""
        if self._is_id():
            return ignore("Almost every value is different (an id).", stats=self.stats)
        if self._is_text():
            return Detected(
                purpose=ColumnPurpose.TEXT,
                reason=reason or "Texts of several words.",
                kind="text",
                stats=self.stats,
            )
        note = ""
        if has_mixed_dates(self.texts):
            note = "It looks like dates, but in formats that can be read in two ways."
        return self._category(reason, note=note)

    def _category(self, reason: str, *, note: str = "") -> Detected:
        is_many = len(self.texts) > HIGH_CARDINALITY
        purpose = ColumnPurpose.CATEGORICAL_HASH if is_many else ColumnPurpose.CATEGORICAL
        return Detected(
            purpose=purpose,
            reason=reason or ("Many categories." if is_many else "Few categories."),
            kind="category",
            stats=self.stats,
            notes=(note,) if note else (),
        )

    def _is_id(self) -> bool:
        if self.n_filled < ID_MIN_ROWS or len(self.texts) < ID_SHARE * self.n_filled:
            return False
        if _ID_NAME.search(self.name) or all(_GUID.fullmatch(text) for text in self.texts):
            return True
        return all(text.isascii() and not any(map(str.isspace, text)) for text in self.texts)

    def _is_text(self) -> bool:
        n_words = np.array([len(text.split()) for text in self.texts])
        n_letters = np.array([len(text) for text in self.texts])
        mean_words = float((n_words * self.counts).sum() / self.n_filled)
        mean_letters = float((n_letters * self.counts).sum() / self.n_filled)
        share = len(self.texts) / self.n_filled
        if mean_words >= TEXT_WORDS:
            return len(self.texts) > HIGH_CARDINALITY or share > TEXT_SHARE
        is_foreign = not all(text.isascii() for text in self.texts)
        is_long = mean_letters >= (TEXT_LETTERS / 3 if is_foreign else TEXT_LETTERS)
        return is_long and share > TEXT_SHARE


def _as_numeric(found: Detected) -> Detected:
    return Detected(
        purpose=ColumnPurpose.NUMERIC,
        reason="Numbers.",
        kind="number",
        stats=found.stats,
        notes=found.notes,
    )
