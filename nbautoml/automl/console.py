"""What ``show_output=True`` prints: phases, guardrails and the table of iterations, live.

The wording and the columns are those that users of the SDK know.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from typing import Any, TextIO  # Any: one event type per handler

from nbautoml.domain import events as ev
from nbautoml.domain.snapshot import RunSnapshot, SnapshotFold
from nbautoml.domain.status import RunStatus, TrialOutcome

RULE = "*" * 106
PIPELINE_WIDTH = 48
GUARDRAIL_TITLE = f"\n{RULE}\nDATA GUARDRAILS: "
LEAST_COLUMN, MOST_COLUMN = 23, 48
LEGEND = """\
ITERATION: The iteration being evaluated.
PIPELINE: A summary description of the pipeline being evaluated.
DURATION: Time taken for the current iteration.
METRIC: The result of computing score on the fitted pipeline.
BEST: The best observed score thus far."""


class ConsoleView:
    """Prints a run's events as they come.

    Parameters
    ----------
    run_id : str
        The run whose events follow.
    stream : text stream
        Where to print.
    after : int, default 0
        Events up to this number are taken in but not printed.
    """

    def __init__(self, run_id: str, stream: TextIO, after: int = 0) -> None:
        self._fold = SnapshotFold(run_id)
        self._after = after
        self._stream = stream
        self._has_guardrail_title = False
        self._has_table_head = False
        self._handlers: dict[type[ev.Event], Callable[[Any, RunSnapshot], None]] = {
            ev.PhaseChanged: self._phase,
            ev.GuardrailReported: self._guardrail,
            ev.TrialFinished: self._trial,
            ev.StatusChanged: self._status,
        }

    def __call__(self, record: ev.EventRecord) -> None:
        """Take in the next event and print what it says."""
        self._fold.apply(record)
        handler = self._handlers.get(type(record.event))
        if handler is not None and record.seq > self._after:
            handler(record.event, self._fold.build())
            self._stream.flush()

    def _write(self, text: str = "") -> None:
        self._stream.write(text + "\n")

    def _phase(self, event: ev.PhaseChanged, _state: RunSnapshot) -> None:
        self._write(f"Current status: {event.phase.value}. {event.text}".rstrip())

    def _guardrail(self, event: ev.GuardrailReported, _state: RunSnapshot) -> None:
        if not self._has_guardrail_title:
            self._has_guardrail_title = True
            self._write(GUARDRAIL_TITLE)
        for line in guardrail_lines(event):
            self._write(line)

    def _trial(self, event: ev.TrialFinished, state: RunSnapshot) -> None:
        if not self._has_table_head:
            self._has_table_head = True
            self._write(f"\n{RULE}\n{LEGEND}\n{RULE}\n")
            head = f"{'PIPELINE':<{PIPELINE_WIDTH}}{'DURATION':<12}{'METRIC':>10}{'BEST':>10}"
            self._write(f"{'ITERATION':>10}   {head}")
        best = state.best_trial
        name = textwrap.shorten(event.pipeline.replace(",", ""), PIPELINE_WIDTH - 1)
        numbers = f"{_score(event.score):>10}{_score(best.score if best else None):>10}"
        self._write(
            f"{event.number:>10}   {name:<{PIPELINE_WIDTH}}{_duration(event.seconds):<12}{numbers}"
        )
        if event.outcome is not TrialOutcome.COMPLETED:
            first = event.error.splitlines()[0] if event.error else ""
            self._write(f"{'':>13}{event.outcome.value}: {first}")

    def _status(self, event: ev.StatusChanged, _state: RunSnapshot) -> None:
        if event.status.is_terminal or event.status is RunStatus.STARTING:
            self._write(f"\nRun {event.status.value}. {event.reason}".rstrip())


def guardrail_lines(event: ev.GuardrailReported) -> list[str]:
    """Return the lines that tell what a guardrail found.

    Examples
    --------
    >>> report = ev.GuardrailReported(
    ...     name="Cross validation", state=ev.GuardrailState.DONE, description="3 folds."
    ... )
    >>> guardrail_lines(report)[1:4]
    ['TYPE:         Cross validation', 'STATUS:       DONE', 'DESCRIPTION:  3 folds.']
    """
    wrapped = textwrap.wrap(event.description, 90) or [""]
    lines = [
        "",
        f"{'TYPE:':<14}{event.name}",
        f"{'STATUS:':<14}{event.state.value.upper()}",
        f"{'DESCRIPTION:':<14}{wrapped[0]}",
        *(" " * 14 + line for line in wrapped[1:]),
    ]
    if event.details:
        lines += ["DETAILS:      ", *format_table([dict(d) for d in event.details])]
    return [*lines, "", RULE]


def format_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of a plain-text table with a ruled head.

    Examples
    --------
    >>> format_table([{"Column": "age", "Missing": 3}])[1]
    '|Column                 |Missing                |'
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    widths = [_width([name, *(row.get(name, "") for row in rows)]) for name in names]
    rule = "+" + "+".join("-" * width for width in widths) + "+"

    def line(cells: list[Any]) -> str:
        texts = [
            f"{textwrap.shorten(str(cell), width, placeholder='…'):<{width}}"
            for cell, width in zip(cells, widths, strict=True)
        ]
        return "|" + "|".join(texts) + "|"

    body = [line([row.get(name, "") for name in names]) for row in rows]
    return [rule, line(list(names)), rule.replace("-", "="), *body, rule]


def _width(cells: list[Any]) -> int:
    """Return the width of a column: what its longest cell needs, within bounds."""
    return max(LEAST_COLUMN, min(MOST_COLUMN, max(len(str(cell)) for cell in cells)))


def _score(score: float | None) -> str:
    return "nan" if score is None or math.isnan(score) else f"{score:.4f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
