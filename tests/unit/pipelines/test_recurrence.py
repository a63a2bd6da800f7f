"""When a schedule is due, compared with calendars that are counted through day by day."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbautoml.errors import ConfigError
from nbautoml.pipelines.recurrence import MAX_INTERVALS, WEEK_DAYS, ScheduleRecurrence

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
MIDNIGHT = time(0, 0)


@st.composite
def recurrences(draw: st.DrawFn, frequencies: tuple[str, ...] = tuple(MAX_INTERVALS)):
    frequency = draw(st.sampled_from(frequencies))
    start = draw(st.datetimes(datetime(2023, 1, 1), datetime(2027, 1, 1)))
    has_times = frequency in ("Day", "Week") and draw(st.booleans())
    days = st.lists(st.sampled_from(WEEK_DAYS), unique=True)
    return ScheduleRecurrence(
        frequency,
        draw(st.integers(1, 9)),
        start.replace(microsecond=0).isoformat(),
        draw(st.sampled_from(ZONES)),
        hours=draw(st.lists(st.integers(0, 23), max_size=3)) if has_times else None,
        minutes=draw(st.lists(st.integers(0, 59), max_size=3)) if has_times else None,
        week_days=draw(days) if frequency == "Week" else None,
    )


moments = st.integers(
    int(datetime(2022, 6, 1, tzinfo=UTC).timestamp()),
    int(datetime(2028, 6, 1, tzinfo=UTC).timestamp()),
)


def counted(recurrence: ScheduleRecurrence, until: date) -> list[float]:
    """Return the moments of a Day, Week or Month by asking each day whether it is one."""
    zone = ZoneInfo(recurrence.time_zone)
    start = datetime.fromisoformat(recurrence.start_time)
    times = [start.time()]
    if recurrence.hours or recurrence.minutes:
        times = [
            time(hour, minute)
            for hour in recurrence.hours or [start.hour]
            for minute in recurrence.minutes or [0]
        ]
    found, day = set(), start.date()
    while day <= until:
        if _is_day_of(recurrence, start.date(), day):
            found |= {datetime.combine(day, at, zone).timestamp() for at in times}
        day += timedelta(days=1)
    return sorted(one for one in found if one >= start.replace(tzinfo=zone).timestamp())


def _is_day_of(recurrence: ScheduleRecurrence, start: date, day: date) -> bool:
    interval = recurrence.interval
    if recurrence.frequency == "Day":
        return (day - start).days % interval == 0
    if recurrence.frequency == "Week":
        names = recurrence.week_days or [calendar.day_name[start.weekday()]]
        monday = start - timedelta(days=start.weekday())
        is_week = (day - monday).days // 7 % interval == 0
        return is_week and calendar.day_name[day.weekday()] in names
    n_months = (day.year - start.year) * 12 + day.month - start.month
    last = calendar.monthrange(day.year, day.month)[1]
    return n_months % interval == 0 and day.day == min(start.day, last)


@given(recurrences(("Day", "Week", "Month")), st.integers(0, 500))
@settings(max_examples=40, deadline=None)
def test_moments_are_those_that_a_calendar_shows(recurrence, n_days: int) -> None:
    start = datetime.fromisoformat(recurrence.start_time)
    expected = counted(recurrence, start.date() + timedelta(days=n_days + 60))
    moment = (start + timedelta(days=n_days)).replace(tzinfo=UTC).timestamp()
    later = [one for one in expected if one > moment]
    earlier = [one for one in expected if one <= moment]

    assert recurrence.last_until(moment) == (earlier[-1] if earlier else None)
    if later:
        assert recurrence.next_after(moment) == later[0]
    assert recurrence.first(3) == expected[:3] or len(expected) < 3


@given(recurrences(("Minute", "Hour")), moments)
@settings(max_examples=40, deadline=None)
def test_minutes_and_hours_follow_the_elapsed_time(recurrence, moment: int) -> None:
    zone = ZoneInfo(recurrence.time_zone)
    start = datetime.fromisoformat(recurrence.start_time).replace(tzinfo=zone).timestamp()
    step = recurrence.interval * {"Minute": 60, "Hour": 3600}[recurrence.frequency]

    found = recurrence.next_after(moment)

    assert found > moment
    assert (found - start) % step == 0
    assert found == start if moment < start else found - step <= moment


@given(recurrences(), moments)
@settings(max_examples=50, deadline=None)
def test_next_and_last_enclose_a_moment(recurrence, moment: int) -> None:
    later, earlier = recurrence.next_after(moment), recurrence.last_until(moment)

    assert later > moment
    assert recurrence.last_until(later) == later
    assert recurrence.last_until(later - 1.0) == earlier
    if earlier is not None:
        assert earlier <= moment
        assert recurrence.next_after(earlier) == later


@given(recurrences(("Day",)), moments)
@settings(max_examples=40, deadline=None)
def test_a_time_stays_that_time_when_clocks_are_set(recurrence, moment: int) -> None:
    zone = ZoneInfo(recurrence.time_zone)
    start = datetime.fromisoformat(recurrence.start_time)
    hours, minutes = recurrence.hours or [start.hour], recurrence.minutes or [0]
    wanted = {time(hour, minute) for hour in hours for minute in minutes}
    if not (recurrence.hours or recurrence.minutes):
        wanted = {start.time()}

    found = datetime.fromtimestamp(recurrence.next_after(moment), zone)

    is_in_a_gap = any(
        datetime.combine(found.date(), at, zone).astimezone(UTC).astimezone(zone).time() != at
        for at in wanted
    )
    assert found.time() in wanted or is_in_a_gap


@given(recurrences())
@settings(max_examples=40, deadline=None)
def test_a_recurrence_comes_back_from_json(recurrence) -> None:
    assert ScheduleRecurrence.from_dict(recurrence.to_dict()).to_dict() == recurrence.to_dict()


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        (
            ScheduleRecurrence("Month", 1, "2026-01-31T02:00"),
            ["2026-01-31T02:00", "2026-02-28T02:00", "2026-03-31T02:00", "2026-04-30T02:00"],
        ),
        (
            ScheduleRecurrence("Week", 2, "2026-11-25T00:00", week_days=["Monday", "Friday"]),
            ["2026-11-27T00:00", "2026-12-07T00:00", "2026-12-11T00:00", "2026-12-21T00:00"],
        ),
        (
            ScheduleRecurrence("Day", 1, "2026-11-25T09:00", hours=[8, 17], minutes=[15]),
            ["2026-11-25T17:15", "2026-11-26T08:15", "2026-11-26T17:15", "2026-11-27T08:15"],
        ),
        (
            ScheduleRecurrence("Day", 1, "2026-10-24T02:30", "W. Europe Standard Time"),
            ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30", "2026-10-27T01:30"],
        ),
        (
            ScheduleRecurrence("Hour", 12, "2026-10-24T12:00+02:00", "Europe/Berlin"),
            ["2026-10-24T10:00", "2026-10-24T22:00", "2026-10-25T10:00", "2026-10-25T22:00"],
        ),
        (
            ScheduleRecurrence("Day", 1, "2024-02-28T00:00", time_of_day="6:05"),
            ["2024-02-28T06:05", "2024-02-29T06:05", "2024-03-01T06:05", "2024-03-02T06:05"],
        ),
    ],
    ids=["end of month", "two days a week", "two hours", "clocks set back", "hours", "leap day"],
)
def test_known_dates(recurrence: ScheduleRecurrence, expected: list[str]) -> None:
    found = [datetime.fromtimestamp(one, UTC) for one in recurrence.first(4)]

    assert [one.strftime("%Y-%m-%dT%H:%M") for one in found] == expected


def test_a_recurrence_without_a_start_begins_when_it_is_made() -> None:
    started = ScheduleRecurrence("Day", 2).started(1_000_000.0)

    assert started.first(2) == [1_000_000.0, 1_000_000.0 + 2 * 86_400]
    assert started.started(5.0) == started
    assert started.last_until(999_999.0) is None


def test_times_without_a_start_wait_for_the_first_of_them() -> None:
    started = ScheduleRecurrence("Day", 1, hours=[14]).started(13.5 * 3600)

    assert started.first(1) == [14 * 3600.0]


def test_minutes_alone_are_of_the_hour_of_the_start() -> None:
    recurrence = ScheduleRecurrence("Day", 1, "2026-01-01T07:45", minutes=[50, 10])

    found = [datetime.fromtimestamp(one, UTC) for one in recurrence.first(2)]

    assert [(one.day, one.hour, one.minute) for one in found] == [(1, 7, 50), (2, 7, 10)]


def test_a_start_may_be_a_datetime() -> None:
    start = datetime(2026, 1, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    recurrence = ScheduleRecurrence("Day", 1, start, "UTC")

    assert recurrence.first(1) == [start.timestamp()]
    assert recurrence.to_dict()["start_time"] == "2026-01-01T12:00:00+09:00"


@pytest.mark.parametrize(
    ("recurrence", "words"),
    [
        (ScheduleRecurrence("Minute", 1), "every minute (UTC)"),
        (ScheduleRecurrence("Day", 3, hours=[6, 18]), "every 3 days at 06:00, 18:00 (UTC)"),
        (
            ScheduleRecurrence("Week", 1, None, "Europe/Berlin", week_days=["Monday"]),
            "every week on Monday (Europe/Berlin)",
        ),
    ],
)
def test_a_recurrence_in_words(recurrence: ScheduleRecurrence, words: str) -> None:
    assert str(recurrence) == words


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"frequency": "day"}, r"frequency.*'day'.*Did you mean 'Day'"),
        ({"interval": 0}, "interval.*between 1 and 500.*got 0"),
        ({"interval": True}, "interval.*got True"),
        ({"interval": 1.5}, r"interval.*got 1\.5"),
        ({"frequency": "Month", "interval": 17}, "between 1 and 16"),
        ({"hours": [24]}, "hours.*between 0 and 23.*got 24"),
        ({"minutes": [60]}, "minutes.*between 0 and 59"),
        ({"frequency": "Week", "week_days": ["Mon"]}, "week_days.*'Mon'.*Did you mean 'Monday'"),
        ({"week_days": ["Monday"]}, "week_days.*'Week'.*got 'Day'"),
        ({"frequency": "Hour", "hours": [3]}, "hours.*'Day' and 'Week'.*got 'Hour'"),
        ({"time_of_day": "25:00"}, "time_of_day.*HH:MM"),
        ({"time_of_day": "2:00", "hours": [2]}, "in place of hours"),
        ({"time_zone": "Mars/Olympus"}, "time_zone.*'Mars/Olympus'"),
        ({"time_zone": "../etc"}, "time_zone"),
        ({"start_time": "soon"}, "start_time.*'soon'"),
        ({"start_time": "9999-01-01"}, "1970 to 2199"),
    ],
)
def test_what_does_not_fit_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ScheduleRecurrence(**{"frequency": "Day", "interval": 1, **values})


def test_a_time_that_a_night_leaves_out_is_later() -> None:
    recurrence = ScheduleRecurrence("Day", 1, "2026-03-28T02:30", "Europe/Berlin")
    midnight = datetime.combine(date(2026, 3, 29), MIDNIGHT, ZoneInfo("Europe/Berlin")).timestamp()

    found = datetime.fromtimestamp(recurrence.next_after(midnight), ZoneInfo("Europe/Berlin"))

    assert (found.hour, found.minute) == (3, 30)
