"""A run as plain text: for consoles, for logs and for pages that show nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: JSON values of a view

from nbautoml.widgets.points import ranked_rows
from nbautoml.widgets.steps_html import steps_text
from nbautoml.widgets.words import (
    duration_of_trial,
    score_text,
    status_words,
    time_words,
    value_text,
)

ROWS = 10
STEPS = 60
"""Steps of a pipeline that the text lists."""
_NAME_WIDTH = 44


def view_text(view: Mapping[str, Any], *, rows: int = ROWS) -> str:
    """Return a view as a few lines and a short table.

    Parameters
    ----------
    view : mapping
        What `nbautoml.services.view.view` returns.
    rows : int, default 10
        Most trials to list, best first.
    """
    header = view["header"]
    metric = header["metric"]
    lines = [
        "  ".join(
            p for p in (header["title"], view["run_id"], status_words(header["status"])) if p
        ),
        "  ".join(p for p in (header["text"], time_words(header)) if p),
    ]
    if header.get("work"):
        lines.append(header["work"])
    if view.get("steps"):
        lines += ["", *steps_text(view, STEPS)]
    if view.get("logged"):
        lines += _logged(view["logged"], rows)
    if metric is not None and header["task"]:
        better = "higher" if metric["maximize"] else "lower"
        lines.append(f"{header['task']} of {header['label']}: {metric['name']}, {better} is better")
    listed = ranked_rows(view)[:rows]
    if listed:
        lines += ["", *_table(listed, metric["name"] if metric else "score")]
        more = header["n_total"] - len(listed)
        lines += [f"and {more:,} more"] if more > 0 else []
    return "\n".join(lines)


def _logged(logged: Mapping[str, Any], rows: int) -> list[str]:
    """Return the newest values that a run logged, and how much else there is."""
    values = logged["values"]
    width = max((len(one["name"]) for one in values[:rows]), default=0)
    lines = [f"{one['name']:<{width}}  {value_text(one['value'])}" for one in values[:rows]]
    others = ("tables", "images", "files")
    counts = [
        (len(logged[what]) if what != "files" else logged["n_files"], what) for what in others
    ]
    more = [f"{n:,} {what if n > 1 else what[:-1]}" for n, what in counts if n]
    n_left = len(values) - rows
    lines += [f"and {n_left:,} more"] if n_left > 0 else []
    return [*([""] if lines or more else []), *lines, *([", ".join(more)] if more else [])]


def _table(rows: Sequence[Mapping[str, Any]], metric: str) -> list[str]:
    width = max(len(metric), 10)
    lines = [f"{'#':>4}  {'pipeline':<{_NAME_WIDTH}}  {metric:>{width}}  {'time':>8}  status"]
    for row in rows:
        name = row["name"]
        if len(name) > _NAME_WIDTH:
            name = f"{name[: _NAME_WIDTH - 1]}…"
        error = f": {row['error']}" if row.get("error") else ""
        lines.append(
            f"{row['n']:>4}  {name:<{_NAME_WIDTH}}  {score_text(row.get('score')):>{width}}  "
            f"{duration_of_trial(row.get('seconds')):>8}  {status_words(row['status'])}{error}"
        )
    return lines
