"""A script's run, one logged by hand, or a pipeline's, as a page without scripts."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any  # Any: JSON values of a view

from nbautoml.automl.figures import COLORS, ModelFigure
from nbautoml.widgets.figure_svg import framed_figures
from nbautoml.widgets.html import head_html, progress_html, text_html
from nbautoml.widgets.steps_html import steps_html
from nbautoml.widgets.style import CLASS, style_sheet
from nbautoml.widgets.words import (
    bytes_text,
    clock_text,
    duration_of_trial,
    plural,
    status_words,
    value_text,
)

Picture = tuple[str, Path, str]
"""A picture's name, its file and its media type."""

MOST_PICTURE_BYTES = 200_000
"""Bytes of all pictures that a saved output keeps; it names the others."""
_FILE_ROWS = 20


def logged_html(
    view: Mapping[str, Any],
    *,
    figures: Sequence[ModelFigure] = (),
    pictures: Sequence[Picture] = (),
    hint: str = "",
) -> str:
    """Return a run as HTML: state, steps, values, curves, tables, pictures, files, the log's end.

    Parameters
    ----------
    view : mapping
        What `nbautoml.services.logged.run_view` returns of a run that is no AutoML run.
    figures : sequence of ModelFigure, optional
        Charts whose numbers it logged.
    pictures : sequence, optional
        Pictures that it logged.
    hint : str, default ""
        A sentence below the run.
    """
    header, logged = view["header"], view["logged"]
    curves = framed_figures([*map(series_figure, logged["series"]), *figures])
    parts = [
        style_sheet(),
        f'<section class="{CLASS}" aria-label="Run">',
        head_html(view),
        progress_html(header),
        _reason(header["reason"]),
        _tiles(logged["values"]),
        steps_html(view) if view.get("steps") else _children(logged["children"]),
        curves,
        *map(_table, logged["tables"]),
        _pictures(pictures),
        _files(logged["files"], logged["n_files"]),
        _log(logged["lines"]),
        f'<div class="mut">{text_html(hint)}</div>' if hint else "",
        "</section>",
    ]
    return "".join(parts)


def series_figure(series: Mapping[str, Any]) -> ModelFigure:
    """Return a series of numbers as a figure, as the live view draws it.

    Examples
    --------
    >>> series_figure({"name": "loss", "x": [0, 1], "y": [0.5, 0.25]}).data[0]["y"]
    [0.5, 0.25]
    """
    line = {"type": "scatter", "x": series["x"], "y": series["y"], "line": {"color": COLORS[0]}}
    return ModelFigure(
        name=series["name"],
        title=series["name"],
        help="In the order in which it was logged.",
        data=[line],
        layout={},
    )


def _reason(reason: str) -> str:
    """Return why a run ended where that takes more than the line above."""
    return f'<pre class="bad">{text_html(reason, None)}</pre>' if "\n" in reason else ""


def _tiles(values: Sequence[Mapping[str, Any]]) -> str:
    cells = "".join(
        f'<div><span class="mut">{text_html(one["name"])}</span>'
        f"<b>{text_html(value_text(one['value']))}</b>"
        f'<span class="mut">{"last of " + format(one["n"], ",") if one["n"] > 1 else ""}</span>'
        "</div>"
        for one in values
    )
    return f'<div class="kpi">{cells}</div>' if cells else ""


def _children(children: Mapping[str, Any]) -> str:
    """Return the newest child runs: name, state, how long they took, the last values."""
    if not children["n"]:
        return ""
    names = "".join(f'<th class="n">{text_html(name)}</th>' for name in children["metrics"])
    body = "".join(_child(row) for row in children["rows"])
    more = children["n"] - len(children["rows"])
    rest = f'<div class="mut">and {more:,} more</div>' if more > 0 else ""
    summary = plural(children["n"], "child run")
    return (
        f"<details open><summary>{summary}</summary><div class='wide'><table><thead><tr>"
        f'<th>Run</th><th>State</th><th class="n">Duration</th>{names}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{rest}</details>"
    )


def _child(row: Mapping[str, Any]) -> str:
    began, ended = row["started_at"], row["ended_at"]
    took = duration_of_trial(ended - began) if began is not None and ended is not None else ""
    values = "".join(f'<td class="n">{text_html(_cell(value))}</td>' for value in row["values"])
    mood = "bad" if row["status"] == "Failed" else ""
    return (
        f"<tr><td>{text_html(row['name'])}</td>"
        f'<td class="{mood}">{text_html(status_words(row["status"]))}</td>'
        f'<td class="n">{took}</td>{values}</tr>'
    )


def _table(table: Mapping[str, Any]) -> str:
    head = "".join(f"<th>{text_html(column)}</th>" for column in table["columns"])
    body = "".join(
        "<tr>" + "".join(f"<td>{text_html(_cell(cell))}</td>" for cell in row) + "</tr>"
        for row in table["rows"]
    )
    more = table["n_rows"] - len(table["rows"])
    rest = f'<div class="mut">and {more:,} more rows</div>' if more > 0 else ""
    return (
        f"<details open><summary>{text_html(table['name'])}</summary><div class='wide'><table>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{rest}</details>"
    )


def _cell(cell: float | str | None) -> str:
    return "" if cell is None else value_text(cell)


def _pictures(pictures: Iterable[Picture]) -> str:
    shown, left = "", MOST_PICTURE_BYTES
    others = []
    for name, path, kind in pictures:
        size = path.stat().st_size
        if size > left:
            others.append(name)
            continue
        left -= size
        content = base64.b64encode(path.read_bytes()).decode()
        label = text_html(name)
        shown += (
            f"<figure><figcaption>{label}</figcaption>"
            f'<img alt="{label}" src="data:{kind};base64,{content}"></figure>'
        )
    rest = f"Not shown here: {', '.join(others)}." if others else ""
    note = f'<div class="mut">{text_html(rest)}</div>' if rest else ""
    return (f'<div class="figs">{shown}</div>' if shown else "") + note


def _files(files: Sequence[Mapping[str, Any]], n_files: int) -> str:
    if not files:
        return ""
    body = "".join(
        f'<tr><td>{text_html(file["name"])}</td><td class="n">{bytes_text(file["bytes"])}</td></tr>'
        for file in files[:_FILE_ROWS]
    )
    more = n_files - len(files[:_FILE_ROWS])
    rest = f'<div class="mut">and {more:,} more</div>' if more > 0 else ""
    return (
        f"<details><summary>{plural(n_files, 'file')}</summary><table><tbody>{body}</tbody></table>"
        f"{rest}</details>"
    )


def _log(lines: Sequence[Mapping[str, Any]]) -> str:
    if not lines:
        return ""
    began = lines[0]["time"]
    text = "\n".join(f"{clock_text(line['time'] - began)}  {line['text']}" for line in lines)
    words = text_html(text, None)
    return f"<details><summary>The end of the log</summary><pre>{words}</pre></details>"
