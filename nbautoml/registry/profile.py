"""What training rows were like: the shares that later requests are compared with.

Kept with a model as ``profile.json``: for each column the shares of ten ranges of numbers or of
the commonest words, the same of the model's own answers, and a few rows that stand for all.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any  # Any: a model is any object with predict; JSON values

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.registry.schema import to_json, to_rows

FloatArray = npt.NDArray[np.float64]

PROFILE_VERSION = 1
RANGES = 10
"""Ranges of a column of numbers, each with as many training rows as the next."""
MOST_WORDS = 50
"""Commonest words of a column that have a share of their own; the rest is one."""
MOST_ASKED = 2_000
"""Rows whose answers stand for those of all: a share of them is off by 1 % at most."""
BACKGROUND_ROWS = 12
"""Rows that explanations count from: as many as the search for contributions uses."""
NUMBER, WORD = "number", "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How the values of a column lie.

    Parameters
    ----------
    kind : {"number", "word"}
        What the column holds.
    edges : tuple of float
        Where the ranges of numbers meet: one less than there are shares.
    words : tuple of str
        Words with a share of their own; the share behind them is that of all others.
    shares : tuple of float
        They sum to 1 over the values that are there.
    missing : float
        Share of the rows without a value.
    """

    kind: str
    edges: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    missing: float = 0.0

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Shares:
        """Rebuild shares from their JSON values."""
        return cls(
            kind=values["kind"],
            edges=tuple(values["edges"]),
            words=tuple(values["words"]),
            shares=tuple(values["shares"]),
            missing=values["missing"],
        )

    def of(self, cells: pd.Series[Any]) -> FloatArray:
        """Return the shares of other cells in the same ranges, or of the same words.

        Examples
        --------
        >>> shares = Shares(kind="number", edges=(10.0,), shares=(0.5, 0.5))
        >>> shares.of(pd.Series([1, 2, 30, None])).round(2).tolist()
        [0.67, 0.33]
        """
        known = cells.dropna()
        counts: npt.NDArray[Any]
        places: npt.NDArray[Any]
        if self.kind == NUMBER:
            numbers = pd.to_numeric(known, errors="coerce").dropna().to_numpy(dtype=np.float64)
            edges = np.array(self.edges)
            places = np.searchsorted(edges, numbers, side="right").astype(np.int64)
            counts = np.bincount(places, minlength=len(self.edges) + 1)
        else:
            place = {word: number for number, word in enumerate(self.words)}
            places = (
                known.astype(object)
                .map(word_of)
                .map(place)
                .fillna(len(self.words))
                .to_numpy(dtype=np.int64)
            )
            counts = np.bincount(places, minlength=len(self.words) + 1)
        total = counts.sum()
        found: FloatArray = counts / total if total else counts.astype(np.float64)
        return found


def word_of(value: Any) -> str:
    """Return the text under which a value counts: whole numbers read the same in all types."""
    plain = to_json(value)
    is_whole = isinstance(plain, float) and plain.is_integer()
    return str(int(plain)) if is_whole else str(plain)  # type: ignore[arg-type] # a float here


def shares_of(cells: pd.Series[Any]) -> Shares | None:
    """Return how the values of a column lie; None for dates, which move by themselves.

    Examples
    --------
    >>> shares_of(pd.Series(["a", "b", "a", None])).shares
    (0.6666666666666666, 0.3333333333333333, 0.0)
    """
    if pd.api.types.is_datetime64_any_dtype(cells):
        return None
    missing = float(cells.isna().mean()) if len(cells) else 0.0
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
        numbers = cells.dropna().to_numpy(dtype=np.float64)
        numbers = numbers[np.isfinite(numbers)]
        steps = np.arange(1, RANGES) / RANGES
        # Edges are values that are there: between 0 and 1 of a flag nothing lies.
        found = np.quantile(numbers, steps, method="inverted_cdf") if len(numbers) else []
        edges = np.unique(found)
        empty = Shares(kind=NUMBER, edges=tuple(edges.tolist()), missing=missing)
    else:
        counts = cells.dropna().astype(object).map(word_of).value_counts(sort=True)
        empty = Shares(kind=WORD, words=tuple(counts.index[:MOST_WORDS]), missing=missing)
    return Shares(
        kind=empty.kind,
        edges=empty.edges,
        words=empty.words,
        shares=tuple(empty.of(cells).tolist()),
        missing=missing,
    )


def describe_profile(model: Any, frame: pd.DataFrame) -> dict[str, Any]:
    """Return what training rows and a model's answers to them are like, as JSON values.

    Parameters
    ----------
    model : object
        Fitted, with ``predict`` (and ``predict_proba`` where it has classes).
    frame : DataFrame of shape (n_rows, n_columns)
        Raw training rows without the label.

    Returns
    -------
    dict
        ``version``, ``n_rows``, ``columns`` (name to shares), ``prediction`` (shares) and
        ``background``, rows at even ranks of the model's answers.
    """
    columns = {str(name): shares_of(frame[name]) for name in frame.columns}
    asked = _spread(frame, MOST_ASKED)
    said = pd.Series(list(np.asarray(model.predict(asked))))
    prediction = shares_of(said.infer_objects())
    background = asked.iloc[_even_ranks(_ranking(model, asked), BACKGROUND_ROWS)]
    return {
        "version": PROFILE_VERSION,
        "n_rows": len(frame),
        "columns": {name: asdict(found) for name, found in columns.items() if found is not None},
        "prediction": None if prediction is None else asdict(prediction),
        "background": to_rows(background),
    }


def _spread(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    places = np.linspace(0, len(frame) - 1, min(most, len(frame))).astype(np.int64)
    return frame.iloc[np.unique(places)]


def _ranking(model: Any, frame: pd.DataFrame) -> FloatArray:
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(frame), dtype=np.float64)[:, -1]
    return np.asarray(model.predict(frame), dtype=np.float64)


def _even_ranks(values: FloatArray, n: int) -> list[int]:
    """Return places whose values lie evenly among all: their mean is close to the mean of all."""
    ranked = np.argsort(values, kind="stable")
    places = ((np.arange(min(n, len(ranked))) + 0.5) * len(ranked) / min(n, len(ranked))).astype(
        int
    )
    chosen: list[int] = ranked[places].tolist()
    return chosen


__all__ = [
    "BACKGROUND_ROWS",
    "NUMBER",
    "WORD",
    "Shares",
    "describe_profile",
    "shares_of",
    "word_of",
]
