"""The steps of a pipeline's run as a page without scripts, and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: JSON values of a view

from nbautoml.domain.events import PipelineStep
from nbautoml.pipelines.picture import Face, graph_svg, kind_words
from nbautoml.widgets.html import text_html
from nbautoml.widgets.words import clock_text, plural, status_words

_ICONS = {"Completed": "✓", "Failed": "✕", "Canceled": "⊘", "NotStarted": "○"}
_MOODS = {"Completed": "ok", "Failed": "bad", "NotResponding": "bad"}
_STILL = frozenset({"NotStarted", "Canceled"})
_NAME_WIDTH = 32


def steps_html(view: Mapping[str, Any]) -> str:
    """Return the graph of a view, and a table of its steps.

    Parameters
    ----------
    view : mapping
        What `nbautoml.services.view.view` returns of a pipeline's run.
    """
    rows, now = view["steps"], view["header"]["now"]
    steps = [_step(row) for row in rows]
    faces = [Face(words=_face_words(row, now), mood=_mood(row)) for row in rows]
    body = "".join(_row(row, now) for row in rows)
    return (
        f"{graph_svg(steps, faces)}<details open><summary>{plural(len(rows), 'step')}</summary>"
        '<div class="wide"><table><thead><tr><th class="n">#</th><th>Step</th><th>Does</th>'
        '<th>State</th><th class="n">Took</th><th>Why</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div></details>"
    )


def steps_text(view: Mapping[str, Any], most: int) -> list[str]:
    """Return the lines of a table of steps, so many of them."""
    rows: Sequence[Mapping[str, Any]] = view["steps"]
    now = view["header"]["now"]
    lines = [f"{'#':>4}  {'step':<{_NAME_WIDTH}}  {'state':<14}  {'time':>7}  why"]
    for row in rows[:most]:
        name = row["name"]
        name = name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"
        why = _last_line(row.get("reason", ""))
        words = f"{state_words(row):<14}  {_took(row, now):>7}  {why}"
        lines.append(f"{row['n']:>4}  {name:<{_NAME_WIDTH}}  {words}".rstrip())
    n_more = len(rows) - most
    return lines + ([f"and {n_more:,} more"] if n_more > 0 else [])


def state_words(row: Mapping[str, Any]) -> str:
    """Return how a step stands, as the live view says it.

    Examples
    --------
    >>> state_words({"status": "Completed", "reused_from": "r_1"})
    'Reused'
    >>> state_words({"status": "Canceled"}), state_words({"status": "NotStarted"})
    ('Skipped', 'Waiting')
    """
    if row.get("reused_from"):
        return "Reused"
    if row["status"] == "NotStarted":
        return "Waiting"
    if row["status"] == "Canceled" and not row.get("run"):
        return "Skipped"
    return status_words(row["status"])


def _step(row: Mapping[str, Any]) -> PipelineStep:
    after = tuple(row.get("after", ()))
    return PipelineStep(number=row["n"], name=row["name"], step_kind=row["kind"], after=after)


def _mood(row: Mapping[str, Any]) -> str:
    return _MOODS.get(row["status"], "" if row["status"] in _STILL else "live")


def _face_words(row: Mapping[str, Any], now: float) -> str:
    icon = "↺" if row.get("reused_from") else _ICONS.get(row["status"], "▸")
    took = _took(row, now)
    return f"{icon} {state_words(row)}" + (f" · {took}" if took else "")


def _took(row: Mapping[str, Any], now: float) -> str:
    began = row.get("started_at")
    if began is None or row.get("reused_from"):
        return ""
    return clock_text(row.get("ended_at", now) - began)


def _row(row: Mapping[str, Any], now: float) -> str:
    reason = row.get("reason", "")
    if "\n" in reason:
        why = f"<pre>{text_html(reason, None)}</pre>"
    else:
        why = text_html(reason)
    source = row.get("reused_from")
    why += f' <code class="mut">{text_html(source)}</code>' if source else ""
    return (
        f'<tr><td class="n">{row["n"]}</td><td>{text_html(row["name"])}</td>'
        f"<td>{text_html(kind_words(row['kind']))}</td>"
        f'<td class="{_mood(row) or "mut"}">{text_html(state_words(row))}</td>'
        f'<td class="n">{_took(row, now)}</td><td>{why}</td></tr>'
    )


def _last_line(text: str) -> str:
    """Return the last line that says something: of a traceback that is the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
