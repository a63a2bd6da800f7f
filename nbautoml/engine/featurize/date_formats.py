"""Find the format in which a column writes its dates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbautoml.runtime.parsing import parse_dates

PARSED_SHARE = 0.95
"""Share of the filled cells that must be dates (or numbers) for a column of texts to be one."""
SAMPLE_SIZE = 40

_SHAPE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:T\d|\b).*|\d{4}-\d{2}|\d{8}[T ]\d{4,6}.*"
    r"|\d{1,2}[ /-]?[A-Za-z]{3,9}\.?,?[ /-]?\d{2,4}\b.*|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}.*"
    r"|[A-Za-z]{3,9}[ -]\d{2,4}|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M)?"
    r"|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{4}.*",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_EITHER_FIRST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b.*")

_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y")
_NAMED: tuple[str, ...] = (
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
)
_NAMED += ("%d%b%Y", "%d/%b/%Y", "%b %Y", "%B %Y", "%b-%y", "%b-%Y")
_WITH_DAY = ("%a, %d %b %Y", "%a %d %b %Y", "%A, %B %d, %Y", "%A, %d %B %Y", "%a, %b %d, %Y")
_YEAR_FIRST = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")
_TIMES: tuple[str, ...] = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    "T%H%M%S",
)
_TIMES += (" %I:%M%p", " %H:%M:%S GMT", " %H:%M:%S UTC", " %H:%M:%S %z", ":%H:%M:%S %z")
_WHOLE = ("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Z %Y", "%Y-%m-%d %H:%M:%S UTC")
_OF_DAY = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p")
_FIRST_TRIES = 3
"""A format under which none of the first few cells is a date is not tried further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFormat:
    """A format for `parse_dates`, and what people should know about the choice."""

    date_format: str
    note: str = ""


def find_date_format(texts: Sequence[str], counts: npt.NDArray[np.int64]) -> DateFormat | None:
    """Return the format in which at least 95 % of the cells are dates, or None.

    When day and month could be either way round in every cell, dots mean that the day is
    first and other signs that the month is; the note says so.

    Parameters
    ----------
    texts : sequence of str
        Distinct filled cells.
    counts : ndarray of int
        How often each occurs.
    """
    sample = texts[:SAMPLE_SIZE]
    n_shaped = sum(_SHAPE.fullmatch(text) is not None for text in sample)
    if not sample or n_shaped < PARSED_SHARE * len(sample):
        return None
    if _share(texts, counts, "ISO8601") >= PARSED_SHARE and not _is_digits(sample):
        return DateFormat(date_format="ISO8601")
    fitting = [f for f in _candidates(sample) if _share(texts, counts, f) >= PARSED_SHARE]
    if not fitting:
        return _find_mixed(texts, counts)
    best = max(fitting, key=lambda f: _share(texts, counts, f))
    tied = [f for f in fitting if _share(texts, counts, f) == _share(texts, counts, best)]
    return _settle(best, tied)


def are_compact_dates(texts: Sequence[str]) -> bool:
    """Whether all texts are days as eight digits, year first; few numbers all look so.

    Examples
    --------
    >>> are_compact_dates(["20240131", "19991201"]), are_compact_dates(["20240131", "20241301"])
    (True, False)
    """
    return all(_COMPACT.fullmatch(text) is not None for text in texts)


def has_mixed_dates(texts: Sequence[str]) -> bool:
    """Whether most of the texts look like dates, though no one format fits."""
    sample = texts[:SAMPLE_SIZE]
    return sum(_SHAPE.fullmatch(text) is not None for text in sample) >= PARSED_SHARE * len(sample)


def _candidates(sample: Sequence[str]) -> Iterator[str]:
    """Yield formats under which most of a few cells are dates."""
    dates = (*_YEAR_FIRST, *_DAY_FIRST, *_MONTH_FIRST, *_NAMED, *_WITH_DAY)
    dated = (date + time for date in dates for time in _TIMES)
    for date_format in (*dated, *_WHOLE, *_OF_DAY):
        if not any(_parses(text, date_format) for text in sample[:_FIRST_TRIES]):
            continue
        n_parsed = sum(_parses(text, date_format) for text in sample)
        if n_parsed >= PARSED_SHARE * len(sample):
            yield date_format


def _parses(text: str, date_format: str) -> bool:
    try:
        dt.datetime.strptime(text, date_format)
    except ValueError:
        return False
    return True


def _share(texts: Sequence[str], counts: npt.NDArray[np.int64], date_format: str) -> float:
    is_date = ~np.isnat(parse_dates(texts, date_format))
    return float(counts[is_date].sum() / counts.sum())


def _is_digits(sample: Sequence[str]) -> bool:
    return all(text.isdigit() for text in sample)


def _settle(best: str, tied: Sequence[str]) -> DateFormat:
    day_first = [f for f in tied if f.startswith("%d") and "%b" not in f.lower()]
    month_first = [f for f in tied if f.startswith("%m")]
    if not (day_first and month_first):
        return DateFormat(date_format=best)
    chosen, word = (day_first, "day") if "." in day_first[0] else (month_first, "month")
    note = (
        f"Its dates read as day or as month first; the {word} was taken as first. "
        "Convert the column to datetime to decide."
    )
    return DateFormat(date_format=chosen[0], note=note)


def _find_mixed(texts: Sequence[str], counts: npt.NDArray[np.int64]) -> DateFormat | None:
    """Return "mixed" when cells have several formats and none can be read in two ways."""
    if any(_EITHER_FIRST.fullmatch(text) for text in texts):
        return None
    if _share(texts[:SAMPLE_SIZE], counts[:SAMPLE_SIZE], "mixed") < PARSED_SHARE:
        return None
    if _share(texts, counts, "mixed") < PARSED_SHARE:
        return None
    return DateFormat(date_format="mixed", note="Its dates are written in several formats.")
