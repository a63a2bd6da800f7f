"""When a schedule is due: arithmetic with dates, nothing else."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any  # Any: JSON values
from zoneinfo import ZoneInfo

from nbautoml.errors import ConfigError, did_you_mean

__all__ = ["ScheduleRecurrence"]

FREQUENCIES = ("Minute", "Hour", "Day", "Week", "Month")
WEEK_DAYS = tuple(calendar.day_name[n] for n in range(7))
MAX_INTERVALS = {"Minute": 72_000, "Hour": 12_000, "Day": 500, "Week": 71, "Month": 16}
"""The SDK's service takes no more: about 16 months, whatever the unit."""
_YEARS = range(1970, 2200)
_SECONDS = {"Minute": 60, "Hour": 3600}
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WINDOWS_ZONES = {
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw",
    "Central Standard Time": "America/Chicago",
    "China Standard Time": "Asia/Shanghai",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Eastern Standard Time": "America/New_York",
    "GMT Standard Time": "Europe/London",
    "India Standard Time": "Asia/Kolkata",
    "Mountain Standard Time": "America/Denver",
    "Pacific Standard Time": "America/Los_Angeles",
    "Romance Standard Time": "Europe/Paris",
    "Singapore Standard Time": "Asia/Singapore",
    "Tokyo Standard Time": "Asia/Tokyo",
    "W. Europe Standard Time": "Europe/Berlin",
}
"""Names that the SDK takes from Windows, and what they are called everywhere else."""


@dataclass(frozen=True, slots=True)
class ScheduleRecurrence:
    """How often a schedule runs.

    Parameters
    ----------
    frequency : {"Minute", "Hour", "Day", "Week", "Month"}
        Unit of `interval`.
    interval : int
        Every how many of them: 1 to `MAX_INTERVALS`, which is about 16 months.
    start_time : datetime or str, optional
        Nothing runs before it; a text is ISO 8601, such as ``"2026-01-31T02:00"``. Without it the
        moment at which the schedule is made, which then runs at once unless times are given.
    time_zone : str, optional
        Such as ``"Europe/Berlin"``; the commonest of Windows' names are understood, too. UTC when
        not given.
    hours, minutes : sequence of int, optional
        At which hours and minutes it runs: all pairs of them. For ``"Day"`` and ``"Week"`` only.
    week_days : sequence of str, optional
        ``"Monday"`` to ``"Sunday"``, for ``"Week"`` only; the start's weekday when not given.
    time_of_day : str, optional
        ``"HH:MM"``, in place of `hours` and `minutes`.

    Raises
    ------
    ConfigError
        When the values do not fit.

    Notes
    -----
    Days, weeks and months follow the calendar of the time zone: 02:30 stays 02:30 when clocks are
    set. A time that a night leaves out is as much later as the clocks are, and one that a night
    has twice is the first of the two. Minutes and hours follow the elapsed time. A month without
    the start's day runs on its last day.

    Examples
    --------
    >>> nightly = ScheduleRecurrence("Day", 1, "2026-03-28T02:30", "Europe/Berlin")
    >>> nightly = nightly.started(0.0)
    >>> [datetime.fromtimestamp(t, UTC).isoformat() for t in nightly.first(3)]
    ['2026-03-28T01:30:00+00:00', '2026-03-29T01:30:00+00:00', '2026-03-30T00:30:00+00:00']
    """

    frequency: str
    interval: int
    start_time: datetime | str | None = None
    time_zone: str | None = None
    hours: Sequence[int] | None = None
    minutes: Sequence[int] | None = None
    week_days: Sequence[str] | None = None
    time_of_day: str | None = None

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Raise an error when the values do not fit.

        Raises
        ------
        ConfigError
            When one of them is wrong, or two contradict each other.
        """
        _check_one_of("frequency", self.frequency, FREQUENCIES)
        _check_integers("interval", [self.interval], 1, MAX_INTERVALS[self.frequency])
        _check_integers("hours", self.hours or (), 0, 23)
        _check_integers("minutes", self.minutes or (), 0, 59)
        for day in self.week_days or ():
            _check_one_of("week_days", day, WEEK_DAYS)
        if self.time_of_day is not None and not _TIME_OF_DAY.fullmatch(self.time_of_day):
            raise ConfigError(
                f"time_of_day of ScheduleRecurrence must be 'HH:MM'; got {self.time_of_day!r}."
            )
        self._check_together()
        _zone(self.time_zone)
        self._start()

    def started(self, now: float) -> ScheduleRecurrence:
        """Return the recurrence with a start, which is `now` (seconds since the epoch) by default.

        Minutes, hours and bare days begin at once; where times are given, at the first of them.
        """
        if self.start_time is not None:
            return self
        return replace(self, start_time=datetime.fromtimestamp(now, UTC).isoformat())

    def next_after(self, moment: float) -> float:
        """Return the first moment behind another one, in seconds since the epoch."""
        start = self._start_seconds()
        number = max(0, self._period_of(max(moment, start)) - 1)
        while True:  # a period holds at least one moment
            for found in self._moments(number):
                if found > moment and found >= start:
                    return found
            number += 1

    def last_until(self, moment: float) -> float | None:
        """Return the last moment at or before another one; None where none has been."""
        start = self._start_seconds()
        if moment < start:
            return None
        for number in range(self._period_of(moment) + 1, -1, -1):
            for found in reversed(self._moments(number)):
                if start <= found <= moment:
                    return found
        return None

    def first(self, n: int) -> list[float]:
        """Return the first `n` moments."""
        found = [self.next_after(self._start_seconds() - 1.0)]
        while len(found) < n:
            found.append(self.next_after(found[-1]))
        return found[:n]

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON; those that were not given are left out."""
        values = asdict(self) | {"start_time": _iso(self.start_time)}
        lists = {name: list(values[name]) for name in _LISTS if values[name] is not None}
        return {name: value for name, value in (values | lists).items() if value is not None}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> ScheduleRecurrence:
        """Return what `to_dict` wrote."""
        return ScheduleRecurrence(**values)

    def __str__(self) -> str:
        every = "every" if self.interval == 1 else f"every {self.interval}"
        unit = self.frequency.lower() if self.interval == 1 else f"{self.frequency.lower()}s"
        days = f" on {', '.join(self.week_days)}" if self.week_days else ""
        times = "" if not self._has_times else f" at {', '.join(map(_words, self._times()))}"
        return f"{every} {unit}{days}{times} ({self.time_zone or 'UTC'})"

    @property
    def _has_times(self) -> bool:
        return bool(self.hours or self.minutes or self.time_of_day)

    def _check_together(self) -> None:
        if self.time_of_day is not None and (self.hours or self.minutes):
            raise ConfigError(
                "time_of_day of ScheduleRecurrence stands in place of hours and minutes; give one "
                "or the other."
            )
        if self._has_times and self.frequency not in ("Day", "Week"):
            raise ConfigError(
                "hours, minutes and time_of_day of ScheduleRecurrence go with the frequencies "
                f"'Day' and 'Week'; got {self.frequency!r}."
            )
        if self.week_days and self.frequency != "Week":
            raise ConfigError(
                "week_days of ScheduleRecurrence go with the frequency 'Week'; got "
                f"{self.frequency!r}."
            )

    def _start(self) -> datetime:
        """Return the start with its time zone; the epoch where there is none yet."""
        zone = _zone(self.time_zone)
        if self.start_time is None:
            return datetime.fromtimestamp(0.0, zone)
        found = self.start_time if isinstance(self.start_time, datetime) else _read(self.start_time)
        if found.year not in _YEARS:
            raise ConfigError(
                f"start_time of ScheduleRecurrence must be in the years {_YEARS[0]} to "
                f"{_YEARS[-1]}; got {found.isoformat()}."
            )
        return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)

    def _start_seconds(self) -> float:
        return self._start().timestamp()

    def _times(self) -> list[time]:
        """Return the times of a day at which it runs."""
        start = self._start()
        if not self._has_times:
            return [start.time().replace(fold=0)]
        if self.time_of_day is not None:
            hour, minute = map(int, self.time_of_day.split(":"))
            return [time(hour, minute)]
        hours = self.hours or [start.hour]
        minutes = self.minutes or [0]
        return [
            time(hour, minute) for hour in sorted(set(hours)) for minute in sorted(set(minutes))
        ]

    def _moments(self, number: int) -> list[float]:
        """Return the moments of a period, the `number`-th from the start, in order."""
        if self.frequency in _SECONDS:
            return [self._start_seconds() + number * self.interval * _SECONDS[self.frequency]]
        days = _DAYS[self.frequency](self, number * self.interval)
        zone = _zone(self.time_zone)
        times = self._times()
        found = {datetime.combine(day, at, zone).timestamp() for day in days for at in times}
        return sorted(found)

    def _period_of(self, moment: float) -> int:
        """Return the period that a moment lies in, or the one beside it."""
        if self.frequency in _SECONDS:
            elapsed = moment - self._start_seconds()
            return int(elapsed // (self.interval * _SECONDS[self.frequency]))
        start = self._start().date()
        day = datetime.fromtimestamp(moment, _zone(self.time_zone)).date()
        months = (day.year - start.year) * 12 + day.month - start.month
        units = {
            "Day": (day - start).days,
            "Week": (day - _monday(start)).days // 7,
            "Month": months,
        }
        return units[self.frequency] // self.interval

    def _day(self, n_days: int) -> list[date]:
        return [self._start().date() + timedelta(days=n_days)]

    def _week(self, n_weeks: int) -> list[date]:
        start = self._start().date()
        names = self.week_days or [WEEK_DAYS[start.weekday()]]
        monday = _monday(start) + timedelta(weeks=n_weeks)
        return [monday + timedelta(days=WEEK_DAYS.index(name)) for name in names]

    def _month(self, n_months: int) -> list[date]:
        start = self._start().date()
        years, month = divmod(start.month - 1 + n_months, 12)
        last = calendar.monthrange(start.year + years, month + 1)[1]
        return [date(start.year + years, month + 1, min(start.day, last))]


_LISTS = ("hours", "minutes", "week_days")
_DAYS: Mapping[str, Callable[[ScheduleRecurrence, int], list[date]]] = {
    "Day": ScheduleRecurrence._day,
    "Week": ScheduleRecurrence._week,
    "Month": ScheduleRecurrence._month,
}


def _check_one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ConfigError(
            f"{name} of ScheduleRecurrence must be one of {list(allowed)}; got {value!r}."
            f"{did_you_mean(str(value), allowed)}"
        )


def _check_integers(name: str, values: Iterable[object], low: int, high: int) -> None:
    for value in values:
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        if not is_integer or not low <= value <= high:  # type: ignore[operator]  # an int here
            raise ConfigError(
                f"{name} of ScheduleRecurrence must be between {low} and {high}; got {value!r}."
            )


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(_WINDOWS_ZONES.get(name, name))
    except (OSError, ValueError, LookupError) as error:
        raise ConfigError(
            f"time_zone of ScheduleRecurrence must be a name such as 'Europe/Berlin' or 'UTC'; got "
            f"{name!r}, which this machine does not know."
        ) from error


def _read(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            "start_time of ScheduleRecurrence must be a datetime, or a text such as "
            f"'2026-01-31T02:00'; got {text!r}."
        ) from error


def _iso(start: datetime | str | None) -> str | None:
    return start.isoformat() if isinstance(start, datetime) else start


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _words(at: time) -> str:
    return at.strftime("%H:%M")
