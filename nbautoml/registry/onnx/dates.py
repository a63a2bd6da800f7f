"""Dates in a graph: texts to seconds since 1970, and seconds to the parts that models see."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any  # Any: constants of several shapes

import numpy as np
import pandas as pd

from nbautoml.registry.onnx.graph import Graph, refuse
from nbautoml.runtime.input_adapter import ColumnFormat

_DAY, _HOUR, _MINUTE = 86_400.0, 3_600.0, 60.0
_SPACE = r"[\t-\r\x1c-\x20]*"
_WIDTHS = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{1,2}",
    "%d": r"\d{1,2}",
    "%H": r"\d{1,2}",
    "%M": r"\d{1,2}",
    "%S": r"\d{1,2}",
    "%f": r"\d{1,6}",
}
_TOKEN = re.compile(r"%[A-Za-z]|[^%]+")
_ISO = tuple(
    f"%Y-%m-%d{mark}{time}{zone}"
    for time in ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f")
    for mark in ("T", " ")
    for zone in ("", "Z")
)
_ISO_FORMS = ("%Y-%m-%d", *_ISO)
# %y counts from 1969 to 2068, as POSIX says.
_PIVOT = 69.0
_DAYS_TO_1970 = 719_468.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A way in which dates are written: fields of digits, and what stands between them."""

    tokens: tuple[str, ...]

    @classmethod
    def of(cls, date_format: str) -> _Form | None:
        """Return the form of a strptime format; None for one that is not digits and signs."""
        tokens = tuple(_TOKEN.findall(date_format))
        fields = [token for token in tokens if token.startswith("%")]
        if any(field not in _WIDTHS for field in fields) or len(set(fields)) < len(fields):
            return None
        beside = any(a[0] == b[0] == "%" for a, b in zip(tokens, tokens[1:], strict=False))
        has_digits = any(map(str.isdigit, "".join(t for t in tokens if t not in fields)))
        has_day = {"%m", "%d"} <= set(fields) and bool({"%Y", "%y"} & set(fields))
        return None if beside or has_digits or not has_day else cls(tokens=tokens)

    @property
    def pattern(self) -> str:
        """A pattern, for RE2 and for Python."""
        return "".join(_WIDTHS.get(token) or re.escape(token) for token in self.tokens)

    @property
    def padded(self) -> str:
        """The pattern with what may stand around it: nothing, where a space parts the fields."""
        has_space = any(" " in token for token in self.tokens)
        return self.pattern if has_space else f"{_SPACE}{self.pattern}{_SPACE}"

    @property
    def example(self) -> str:
        """A date that is written so."""
        shown = {"%Y": "1970", "%y": "70", "%m": "01", "%d": "01"}
        return "".join(shown.get(t, "00" if t in _WIDTHS else t) for t in self.tokens)


def _forms_of(date_format: str) -> tuple[_Form, ...]:
    names = _ISO_FORMS if date_format == "ISO8601" else (date_format,)
    forms = [_Form.of(name) for name in names]
    return tuple(form for form in forms if form is not None)


def check_date_texts(form: ColumnFormat, cells: pd.Series) -> None:
    """Refuse a column of texts with dates that a graph cannot take apart.

    Parameters
    ----------
    form : ColumnFormat
        The column.
    cells : Series
        Its filled cells.

    Raises
    ------
    ModelError
        When its format has names of months or days, zones, or none that is known.
    """
    forms = _forms_of(form.date_format)
    patterns = [re.compile(one.padded, re.ASCII) for one in forms]
    odd = [
        text
        for text in cells.unique()
        if any(map(str.isdigit, text)) and not any(p.fullmatch(text) for p in patterns)
    ]
    if odd:
        raise refuse(
            f"column {form.name!r}",
            f"holds dates as texts that a graph cannot read, such as {odd[0]!r} (format "
            f"{form.date_format!r}). Turn it into dates with pandas.to_datetime and train again.",
        )


def seconds_of_texts(graph: Graph, value: str, form: ColumnFormat) -> str:
    """Return seconds since 1970 of dates that are written as texts; NaN for words and gaps.

    A text with digits that is written in no known way ends a request in an error.
    """
    is_known = _is_known(graph, value, form)
    # Only "nan" is a number: the other text ends in an error.
    found = graph.cast(graph.where(is_known, [["nan"]], [["?"]]), "double")
    for one in _forms_of(form.date_format):
        is_so = graph.matches(value, one.padded)
        text = graph.where(is_so, value, [[one.example]])
        found = graph.where(is_so, _seconds_of_form(graph, text, one), found)
    return found


def _is_known(graph: Graph, value: str, form: ColumnFormat) -> str:
    patterns = [one.padded for one in _forms_of(form.date_format)]
    return graph.matches(value, "|".join([*patterns, r"\P{Nd}*"]))


def _seconds_of_form(graph: Graph, text: str, form: _Form) -> str:
    fields = dict(_fields(graph, text, form.tokens))
    numbers = {
        name: graph.cast(
            graph.node("StringConcat", graph.constant([["0."]]), part) if name == "%f" else part,
            "double",
        )
        for name, part in fields.items()
    }
    year = numbers.get("%Y") or _whole_year(graph, numbers["%y"])
    day = _days_of(graph, year, numbers["%m"], numbers["%d"])
    again = _civil(graph, day)
    is_date = graph.node(
        "And",
        graph.compare("Equal", again.month, numbers["%m"]),
        graph.compare("Equal", again.day, numbers["%d"]),
    )
    total = graph.mul(day, [[_DAY]])
    limits = {"%H": (_HOUR, 24.0), "%M": (_MINUTE, 60.0), "%S": (1.0, 60.0), "%f": (1.0, 1.0)}
    for name, (seconds, limit) in limits.items():
        if name in numbers:
            total = graph.add(total, graph.mul(numbers[name], [[seconds]]))
            is_less = graph.compare("Less", numbers[name], [[limit]])
            is_date = graph.node("And", is_date, is_less)
    return graph.where(is_date, total, [[math.nan]])


def _whole_year(graph: Graph, year: str) -> str:
    is_early = graph.compare("Less", year, [[_PIVOT]])
    return graph.add(year, graph.where(is_early, [[2000.0]], [[1900.0]]))


def _fields(graph: Graph, text: str, tokens: Sequence[str]) -> list[tuple[str, str]]:
    """Return the text of each field: the texts are split at one sign after the other."""
    signs = [token for token in tokens if token not in _WIDTHS]
    if not signs:
        return [(tokens[0], text)] if tokens else []
    sign = signs[0]
    parts = graph.node("StringSplit", text, n_outputs=2, delimiter=sign)
    groups: list[list[str]] = [[]]
    for token in tokens:
        if token == sign:
            groups.append([])
        else:
            groups[-1].append(token)
    found: list[tuple[str, str]] = []
    for place, group in enumerate(groups):
        if group:
            part = graph.node("Gather", parts, graph.constant(place), axis=-1)
            found += _fields(graph, part, group)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Civil:
    """A day of the calendar; each part is a value of the graph."""

    year: str
    month: str
    day: str


def _floor(graph: Graph, a: str, divisor: float) -> str:
    return graph.node("Floor", graph.div(a, [[divisor]]))


def _civil(graph: Graph, days: str) -> _Civil:
    """Return the calendar's day of days since 1970.

    Years begin in March and are counted in eras of 400 of them, 146,097 days; all in whole
    numbers, which float64 holds exactly.
    """
    shifted = graph.add(days, [[_DAYS_TO_1970]])
    era = _floor(graph, shifted, 146_097.0)
    of_era = graph.sub(shifted, graph.mul(era, [[146_097.0]]))
    leaps = graph.sub(
        graph.sub(_floor(graph, of_era, 36_524.0), _floor(graph, of_era, 146_096.0)),
        _floor(graph, of_era, 1_460.0),
    )
    year_of_era = _floor(graph, graph.add(of_era, leaps), 365.0)
    before = graph.sub(
        graph.add(graph.mul(year_of_era, [[365.0]]), _floor(graph, year_of_era, 4.0)),
        _floor(graph, year_of_era, 100.0),
    )
    of_year = graph.sub(of_era, before)
    place = _floor(graph, graph.add(graph.mul(of_year, [[5.0]]), [[2.0]]), 153.0)
    start = _floor(graph, graph.add(graph.mul(place, [[153.0]]), [[2.0]]), 5.0)
    day = graph.add(graph.sub(of_year, start), [[1.0]])
    is_early = graph.compare("Less", place, [[10.0]])
    month = graph.add(place, graph.where(is_early, [[3.0]], [[-9.0]]))
    year = graph.add(year_of_era, graph.mul(era, [[400.0]]))
    is_next = graph.compare("LessOrEqual", month, [[2.0]])
    return _Civil(
        year=graph.add(year, graph.where(is_next, [[1.0]], [[0.0]])), month=month, day=day
    )


def _days_of(graph: Graph, year: str, month: str, day: str) -> str:
    """Return days since 1970 of a day of the calendar; the reverse of `_civil`."""
    is_early = graph.compare("LessOrEqual", month, [[2.0]])
    year = graph.sub(year, graph.where(is_early, [[1.0]], [[0.0]]))
    era = _floor(graph, year, 400.0)
    of_era = graph.sub(year, graph.mul(era, [[400.0]]))
    place = graph.add(month, graph.where(is_early, [[9.0]], [[-3.0]]))
    start = _floor(graph, graph.add(graph.mul(place, [[153.0]]), [[2.0]]), 5.0)
    of_year = graph.add(start, graph.sub(day, [[1.0]]))
    leaps = graph.sub(_floor(graph, of_era, 4.0), _floor(graph, of_era, 100.0))
    days = graph.add(graph.add(graph.mul(of_era, [[365.0]]), leaps), of_year)
    return graph.sub(graph.add(graph.mul(era, [[146_097.0]]), days), [[_DAYS_TO_1970]])


class DateReader:
    """Makes the parts of dates, each when it is asked for.

    Parameters
    ----------
    graph : Graph
        Takes the nodes.
    seconds : str
        Seconds since 1970, shape (n_rows, 1); NaN where missing.
    """

    def __init__(self, graph: Graph, seconds: str) -> None:
        self._graph = graph
        self._seconds = seconds
        self._days = _floor(graph, seconds, _DAY)
        self._civil = _civil(graph, self._days)

    def part(self, name: str, first: np.datetime64) -> str:
        """Return a part as `nbautoml.runtime.dates.split_dates` gives it, as float64.

        Parameters
        ----------
        name : str
            One of `nbautoml.runtime.dates.PARTS`.
        first : numpy.datetime64
            Where the days are counted from.
        """
        if name == "DaysSinceFirst":
            start = first.astype("datetime64[us]").astype(np.int64) / 1e6
            return self._graph.div(self._graph.sub(self._seconds, [[start]]), [[_DAY]])
        return _MAKERS[name](self)

    def _of_day(self, length: float, count: float) -> str:
        """Return how many times a length of seconds fits into the time, modulo a count."""
        graph = self._graph
        passed = graph.sub(self._seconds, graph.mul(self._days, [[_DAY]]))
        times = _floor(graph, passed, length)
        whole = graph.mul(_floor(graph, times, count), [[count]])
        return graph.sub(times, whole)

    def _day_of_week(self) -> str:
        """Return 0 for Monday; the first day of 1970 was a Thursday."""
        graph = self._graph
        shifted = graph.add(self._days, [[3.0]])
        return graph.sub(shifted, graph.mul(_floor(graph, shifted, 7.0), [[7.0]]))

    def _day_of_year(self, days: str, year: str) -> str:
        """Return 1 for the first day of January."""
        graph = self._graph
        one = graph.add(graph.mul(year, [[0.0]]), [[1.0]])
        return graph.add(graph.sub(days, _days_of(graph, year, one, one)), [[1.0]])

    def _week(self) -> str:
        """Return the week of ISO 8601: that of the year in which its Thursday lies."""
        graph = self._graph
        thursday = graph.add(graph.sub(self._days, self._day_of_week()), [[3.0]])
        place = self._day_of_year(thursday, _civil(graph, thursday).year)
        return graph.add(_floor(graph, graph.sub(place, [[1.0]]), 7.0), [[1.0]])

    def _quarter(self) -> str:
        graph = self._graph
        return graph.add(_floor(graph, graph.sub(self._civil.month, [[1.0]]), 3.0), [[1.0]])


_MAKERS: dict[str, Callable[[Any], str]] = {
    "Year": lambda of: of._civil.year,
    "Month": lambda of: of._civil.month,
    "Day": lambda of: of._civil.day,
    "DayOfWeek": lambda of: of._day_of_week(),
    "DayOfYear": lambda of: of._day_of_year(of._days, of._civil.year),
    "QuarterOfYear": lambda of: of._quarter(),
    "WeekOfMonth": lambda of: of._graph.node("Ceil", of._graph.div(of._civil.day, [[7.0]])),
    "WeekOfYear": lambda of: of._week(),
    "Hour": lambda of: of._of_day(_HOUR, 24.0),
    "Minute": lambda of: of._of_day(_MINUTE, 60.0),
    "Second": lambda of: of._of_day(1.0, 60.0),
}
