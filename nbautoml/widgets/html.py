"""A run as a page without scripts: what a saved notebook shows where nothing else can."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from typing import Any  # Any: JSON values of a view

from nbautoml.automl.figures import ModelFigure
from nbautoml.domain.snapshot import RunSnapshot
from nbautoml.widgets.figure_svg import figures_html
from nbautoml.widgets.points import colors_of, points_of, ranked_rows
from nbautoml.widgets.small_view import small_view
from nbautoml.widgets.style import CLASS, style_sheet
from nbautoml.widgets.svg import chart_svg
from nbautoml.widgets.words import (
    bytes_text,
    duration_of_trial,
    plural,
    score_text,
    spread_text,
    status_words,
    time_words,
)

ROWS = 15
FAILED_ROWS = 8
_CELL_CHARACTERS = 300
_DETAIL_ROWS = 20


def run_html(
    snapshot: RunSnapshot,
    *,
    now: float | None = None,
    figures: Sequence[ModelFigure] = (),
    features: Sequence[tuple[str, float]] = (),
) -> str:
    """Return a run as HTML without scripts.

    Parameters
    ----------
    snapshot : RunSnapshot
        The run.
    now : float, optional
        Seconds since the epoch; the time of the call when not given.
    figures : sequence of ModelFigure, optional
        Charts of the best model.
    features : sequence of (str, float)
        What the best model goes by, where it is explained.
    """
    moment = time.time() if now is None else now
    return view_html(small_view(snapshot, now=moment), figures, features=features)


def view_html(
    view: Mapping[str, Any],
    figures: Sequence[ModelFigure] = (),
    *,
    features: Sequence[tuple[str, float]] = (),
    hint: str = "",
) -> str:
    """Return a view as HTML: status, numbers, charts, leaderboard, guardrails, failures.

    Parameters
    ----------
    view : mapping
        What `nbautoml.widgets.small_view.small_view` returns.
    figures : sequence of ModelFigure, optional
        Charts of the best model.
    features : sequence of (str, float)
        Columns that the best model goes by, with their importances, the greatest first.
    hint : str, default ""
        A sentence below the run.
    """
    rows = ranked_rows(view)
    header = view["header"]
    parts = [
        style_sheet(),
        f'<section class="{CLASS}" aria-label="AutoML run">',
        head_html(view),
        progress_html(header),
        _figures(header),
        chart_svg(view),
        _leaderboard(view, [r for r in rows if not _is_failed(r)]),
        _importances(features),
        figures_html(figures, header["best"]["pipeline"]) if header["best"] else "",
        _failures([r for r in rows if _is_failed(r)], header["n_failed"]),
        _guardrails(view.get("guardrails", [])),
        f'<div class="mut">{text_html(hint)}</div>' if hint else "",
        "</section>",
    ]
    return "".join(parts)


def _is_failed(row: Mapping[str, Any]) -> bool:
    return row["status"] not in ("Completed", "Running")


def text_html(value: object, most: int | None = _CELL_CHARACTERS) -> str:
    """Return a value as escaped text, cut to what a cell can show; None does not cut it."""
    text = "" if value is None else str(value)
    if most is not None and len(text) > most:
        text = f"{text[: most - 1]}…"
    return html.escape(text, quote=True)


def head_html(view: Mapping[str, Any]) -> str:
    """Return the line with a run's name, state and id."""
    header = view["header"]
    status = header["status"]
    mood = "live" if header["is_live"] else "ok" if status == "Completed" else "bad"
    metric = header["metric"]["name"] if header["metric"] else None
    facts = " · ".join(
        text_html(f) for f in (header["task"], header["label"], metric, header.get("work")) if f
    )
    return (
        f'<div class="head"><b>{text_html(header["title"] or "AutoML run")}</b>'
        f'<span class="state {mood}">{text_html(status_words(status))}</span>'
        f'<span class="mut"><code>{text_html(view["run_id"])}</code></span>'
        f'<span class="mut">{facts}</span></div>'
    )


def progress_html(header: dict[str, Any]) -> str:
    """Return the bar, and the line that says what the run does and how long it took."""
    share = header["progress"]
    bar = ""
    if header["is_live"] and share is not None:
        percent = f"{100 * share:.0f}"
        bar = (
            f'<div class="prog" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{percent}"><b style="width:{percent}%"></b></div>'
        )
    ends = header["ends"] if header["is_live"] else ""
    words = " · ".join(text_html(w) for w in (header["text"], time_words(header), ends) if w)
    return f'{bar}<div class="mut">{words}</div>'


def _figures(header: Mapping[str, Any]) -> str:
    tiles = (_best(header), _iterations(header), _compute(header), _data(header))
    cells = "".join(
        f'<div><span class="mut">{text_html(name)}</span><b>{text_html(value) or "–"}</b>'
        f'<span class="mut">{text_html(note)}</span></div>'
        for name, value, note in tiles
    )
    return f'<div class="kpi">{cells}</div>'


def _best(header: Mapping[str, Any]) -> tuple[str, str, str]:
    best, metric = header["best"], header["metric"]
    name = f"Best {metric['name'] if metric else 'score'}"
    if best is None:
        return name, "", "no model yet"
    spread = spread_text(best["std"])
    note = f"± {spread} · iteration {best['n']}" if spread else f"iteration {best['n']}"
    return name, score_text(best["score"]), note


def _iterations(header: Mapping[str, Any]) -> tuple[str, str, str]:
    if not header["n_total"]:
        return "Iterations", "0", "none yet"
    parts = [f"{header['n_done'] - header['n_failed']:,} done"]
    if header["n_stopped"]:
        parts.append(f"{header['n_stopped']:,} stopped early")
    if header["n_failed"] > header["n_stopped"]:
        parts.append(f"{header['n_failed'] - header['n_stopped']:,} failed")
    if header["n_running"]:
        parts.append(f"{header['n_running']:,} running")
    return "Iterations", f"{header['n_done']:,}", " · ".join(parts)


def _compute(header: Mapping[str, Any]) -> tuple[str, str, str]:
    compute = header["compute"]
    if compute is None:
        return "Compute", "", ""
    parts = []
    if compute["workers"] is not None:
        workers = plural(compute["workers"], "worker")
        busy = compute["busy"]
        parts.append(
            f"{busy} of {workers} busy" if busy is not None and header["is_live"] else workers
        )
    if compute["memory_bytes"] is not None:
        parts.append(bytes_text(compute["memory_bytes"]))
    return "Compute", compute["name"], " · ".join(parts)


def _data(header: Mapping[str, Any]) -> tuple[str, str, str]:
    data = header["data"]
    if data is None:
        return "Data", "", header["dataset"] or ""
    split = plural(data["folds"], "fold") if data["folds"] > 1 else "one hold-out part"
    alerts = f" · {plural(header['alerts'], 'guardrail alert')}" if header["alerts"] else ""
    return "Data", f"{data['rows']:,} × {data['columns']:,}", split + alerts


def _leaderboard(view: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    header = view["header"]
    colors = colors_of(points_of(view))
    best = header["best"]["n"] if header["best"] else None
    metric = text_html(header["metric"]["name"] if header["metric"] else "score")
    body = "".join(
        _row(row, colors.get(row["family"], ""), is_best=row["n"] == best) for row in rows[:ROWS]
    )
    more = header["n_done"] - header["n_failed"] + header["n_running"] - len(rows[:ROWS])
    rest = f'<div class="mut">and {more:,} more</div>' if more > 0 else ""
    return (
        f'<table><thead><tr><th class="n">#</th><th>Pipeline</th><th class="n">{metric}</th>'
        f'<th class="n">±</th><th class="n">Duration</th><th>Status</th></tr></thead>'
        f"<tbody>{body}</tbody></table>{rest}"
    )


def _row(row: Mapping[str, Any], color: str, *, is_best: bool) -> str:
    tag = '<span class="tag">best</span>' if is_best else ""
    status = status_words(row["status"])
    if row["status"] == "Running":
        status = f"Running, {row['folds'][0]} of {plural(row['folds'][1], 'fold')} done"
    return (
        f'<tr{" class=top" if is_best else ""}><td class="n">{row["n"]}</td>'
        f'<td><i style="background:{color}"></i>{text_html(row["name"])}{tag}</td>'
        f'<td class="n">{score_text(row.get("score"))}</td>'
        f'<td class="n">{spread_text(row.get("std"))}</td>'
        f'<td class="n">{duration_of_trial(row.get("seconds"))}</td>'
        f"<td>{text_html(status)}</td></tr>"
    )


def _failures(rows: Sequence[Mapping[str, Any]], n_failed: int) -> str:
    if not n_failed:
        return ""
    body = "".join(
        f'<tr><td class="n">{row["n"]}</td><td>{text_html(row["name"])}</td>'
        f'<td class="bad">{text_html(status_words(row["status"]))}</td>'
        f'<td class="err">{text_html(row.get("error"))}</td></tr>'
        for row in rows[:FAILED_ROWS]
    )
    table = f"<table><tbody>{body}</tbody></table>" if body else ""
    more = n_failed - len(rows[:FAILED_ROWS])
    rest = f'<div class="mut">and {more:,} more</div>' if more > 0 else ""
    summary = f"{plural(n_failed, 'iteration')} without a score"
    return f"<details><summary>{summary}</summary>{table}{rest}</details>"


def _importances(features: Sequence[tuple[str, float]]) -> str:
    if not features:
        return ""
    longest = max(abs(value) for _, value in features) or 1.0
    body = "".join(
        f'<tr><td>{text_html(name)}</td><td style="width:50%"><div class="prog">'
        f'<b style="width:{100 * max(value, 0.0) / longest:.0f}%"></b></div></td>'
        f'<td class="n">{score_text(value)}</td></tr>'
        for name, value in features
    )
    summary = "What the best model goes by"
    return (
        f"<details open><summary>{summary}</summary><table><tbody>{body}</tbody></table></details>"
    )


def _guardrails(guardrails: Sequence[Mapping[str, Any]]) -> str:
    if not guardrails:
        return ""
    body = "".join(_guardrail(g) for g in guardrails)
    alerts = sum(g["state"] == "Alerted" for g in guardrails)
    summary = f"Guardrails: {len(guardrails)} checked, {plural(alerts, 'alert')}"
    is_open = " open" if alerts else ""
    table = f"<table><tbody>{body}</tbody></table>"
    return f"<details{is_open}><summary>{summary}</summary>{table}</details>"


def _guardrail(guardrail: Mapping[str, Any]) -> str:
    state = guardrail["state"]
    mood = {"Passed": "ok", "Alerted": "bad"}.get(state, "live")
    details = "".join(
        f'<div class="mut">{text_html(", ".join(f"{k}: {v}" for k, v in row.items()))}</div>'
        for row in guardrail["details"][:_DETAIL_ROWS]
    )
    return (
        f'<tr><td>{text_html(guardrail["name"])}</td><td class="{mood}">{text_html(state)}</td>'
        f"<td>{text_html(guardrail['description'])}{details}</td></tr>"
    )
