"""Numbers, times and states as people read them; the live view writes them the same way."""

from __future__ import annotations

from datetime import datetime

_STATUS_WORDS = {
    "TimeLimit": "Time limit",
    "MemoryLimit": "Memory limit",
    "WorkerLost": "Worker lost",
    "NotStarted": "Not started",
    "CancelRequested": "Stopping",
    "NotResponding": "Not responding",
    "Finalizing": "Finishing",
}
_BYTE_UNITS = ("B", "KB", "MB", "GB", "TB")


def score_text(value: float | None) -> str:
    """Return a score with four decimals, or four digits where those would hide it.

    Examples
    --------
    >>> score_text(0.92), score_text(1234.5), score_text(0.00012345), score_text(None)
    ('0.9200', '1234.50', '0.0001234', '')
    """
    if value is None:
        return ""
    size = abs(value)
    if size != 0 and (size >= 10_000 or size < 0.001):
        return f"{value:.4g}"
    return f"{value:.2f}" if size >= 100 else f"{value:.4f}"


def value_text(value: float | str | None) -> str:
    """Return a logged value as people read it.

    Examples
    --------
    >>> value_text(3.0), value_text(0.51234), value_text("adam"), value_text(None)
    ('3', '0.5123', 'adam', 'missing')
    """
    if isinstance(value, str) or value is None:
        return "missing" if value is None else value
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else score_text(value)


def spread_text(value: float | None) -> str:
    """Return a standard deviation with two digits.

    Examples
    --------
    >>> spread_text(0.012345), spread_text(None)
    ('0.012', '')
    """
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"


def clock_text(seconds: float) -> str:
    """Return a time as ``m:ss`` or ``h:mm:ss``.

    Examples
    --------
    >>> clock_text(65), clock_text(3700)
    ('1:05', '1:01:40')
    """
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def duration_of_trial(seconds: float | None) -> str:
    """Return how long a trial took.

    Examples
    --------
    >>> duration_of_trial(2.04), duration_of_trial(90.0), duration_of_trial(None)
    ('2.0 s', '1:30', '')
    """
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 60 else clock_text(seconds)


def moment_text(seconds: float) -> str:
    """Return a moment in the machine's time zone, to the minute."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def bytes_text(value: float) -> str:
    """Return a size in the unit that fits.

    Examples
    --------
    >>> bytes_text(600_000_000), bytes_text(1_500)
    ('600 MB', '1.5 KB')
    """
    unit = 0
    while value >= 1000 and unit < len(_BYTE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return (
        f"{value:.0f} {_BYTE_UNITS[unit]}"
        if value >= 10 or not unit
        else f"{value:.1f} {_BYTE_UNITS[unit]}"
    )


def plural(n: int, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "fold"), plural(2000, "fold")
    ('1 fold', '2,000 folds')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def status_words(status: str) -> str:
    """Return a state of a run or trial in plain words.

    Examples
    --------
    >>> status_words("TimeLimit"), status_words("Completed")
    ('Time limit', 'Completed')
    """
    return _STATUS_WORDS.get(status, status)


def time_words(header: dict[str, object]) -> str:
    """Return how long the run took so far and, while it has a deadline, what is left.

    Examples
    --------
    >>> time_words({"is_live": True, "started_at": 0.0, "now": 41.0, "deadline": 106.0})
    '0:41 elapsed, at most 1:05 left'
    """
    start, deadline = header.get("started_at"), header.get("deadline")
    end = header.get("ended_at") or header.get("now")
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        return ""
    if not header.get("is_live"):
        return f"took {clock_text(end - start)}"
    words = f"{clock_text(end - start)} elapsed"
    moment = header.get("paused_at") or end  # time stands still while the run is paused
    if isinstance(deadline, (int, float)) and isinstance(moment, (int, float)):
        words += f", at most {clock_text(deadline - moment)} left"
    return words
