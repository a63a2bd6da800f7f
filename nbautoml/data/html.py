"""How datasets and profiles look in a notebook: tables without script, light or dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any  # Any: cells of any type

import pandas as pd

from nbautoml.data.profile import ColumnStatistics, DatasetProfile

MAX_COLUMNS = 40
HEAD_ROWS = 5
HEAD_COLUMNS = 20
MAX_CELL_CHARS = 40
BAR_WIDTH, BAR_HEIGHT = 96, 22  # pixels

_BORDER = "var(--jp-border-color2, rgba(128,128,128,.35))"
_ACCENT = "var(--jp-brand-color1, #2b7de9)"
_FONT = "font-size:12px;line-height:1.4;color:var(--jp-content-font-color1, inherit)"
# Old page modes reset colour and size in tables, so both are passed on by name.
_TABLE = (
    "border-collapse:collapse;margin:4px 0;background:transparent;color:inherit;font-size:inherit"
)
_CELL = f"padding:2px 10px 2px 0;border-bottom:1px solid {_BORDER};background:transparent"
_FAINT = "opacity:.65"


def render_dataset(title: str, subtitle: str, head: pd.DataFrame, profile: DatasetProfile) -> str:
    """Return a dataset as HTML: its name, its columns with small charts, its first rows."""
    return _frame(
        f"<div><b>{escape(title)}</b> <span style='{_FAINT}'>{escape(subtitle)}</span></div>"
        f"{_columns_table(profile)}"
        f"<details><summary style='cursor:pointer'>First {min(len(head), HEAD_ROWS)} rows"
        f"</summary>{_head_table(head)}</details>"
    )


def render_profile(profile: DatasetProfile) -> str:
    """Return a profile as HTML."""
    n_rows, n_columns = f"{profile.n_rows:,}", len(profile.columns)
    return _frame(
        f"<div style='{_FAINT}'>{n_rows} rows, {n_columns} columns</div>{_columns_table(profile)}"
    )


def render_message(title: str, message: str) -> str:
    """Return a dataset that cannot be read as HTML: its name and why."""
    return _frame(
        f"<div><b>{escape(title)}</b></div><div style='border-left:3px solid currentColor;"
        f"padding-left:8px;white-space:pre-wrap'>{escape(message)}</div>"
    )


def _frame(body: str) -> str:
    return f"<div style='{_FONT};overflow-x:auto'>{body}</div>"


def _columns_table(profile: DatasetProfile) -> str:
    shown = list(profile.columns.values())[:MAX_COLUMNS]
    titles = ("Column", "Type", "Missing", "Distinct", "Values", "")
    rows = "".join(_column_row(column, profile.n_rows) for column in shown)
    n_left = len(profile.columns) - len(shown)
    more = f"<div style='{_FAINT}'>… and {n_left:,} more columns</div>" if n_left else ""
    return f"<table style='{_TABLE}'>{_header(titles)}<tbody>{rows}</tbody></table>{more}"


def _header(titles: Sequence[str]) -> str:
    cells = "".join(f"<th style='{_CELL};text-align:left'>{escape(t)}</th>" for t in titles)
    return f"<thead><tr>{cells}</tr></thead>"


def _column_row(column: ColumnStatistics, n_rows: int) -> str:
    share = column.missing_count / n_rows if n_rows else 0.0
    missing = _show_share(share) if column.missing_count else "0"
    cells = [
        f"<code style='background:transparent'>{escape(_shorten(column.name))}</code>",
        escape(column.dtype),
        f"<b>{missing}</b>" if column.missing_count else missing,
        f"{column.unique_count:,}",
        escape(_summarise(column)),
        _draw(column),
    ]
    text = "".join(f"<td style='{_CELL};text-align:left'>{cell}</td>" for cell in cells)
    return f"<tr>{text}</tr>"


def _show_share(share: float) -> str:
    return "<0.1 %".replace("<", "&lt;") if share < 0.001 else f"{share:.1%}".replace("%", " %")


def _summarise(column: ColumnStatistics) -> str:
    if column.kind == "number" and column.min is not None:
        low, middle, high = map(_show_number, (column.min, column.median, column.max))
        return f"{low} … {middle} … {high}"
    if column.kind == "date":
        return f"{_trim_date(column.min)} … {_trim_date(column.max)}"
    return ", ".join(_shorten(value, 18) for value, _ in column.top[:3])


def _trim_date(value: float | str | None) -> str:
    return str(value).removesuffix("T00:00:00")


def _show_number(value: float | str | None) -> str:
    if not isinstance(value, float):
        return "–"
    if abs(value) < 1e9 and (value == round(value) or abs(value) >= 1000):
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-3 else f"{value:.3g}"


def _draw(column: ColumnStatistics) -> str:
    """Return a small bar chart: bins of numbers and dates, else the most frequent values."""
    if column.histogram:
        counts = [b.count for b in column.histogram]
        notes = [_describe_bin(b.low, b.high, b.count, column.kind) for b in column.histogram]
    else:
        counts = [count for _, count in column.top]
        notes = [f"{value}: {count:,}" for value, count in column.top]
    if not counts:
        return ""
    width, highest = BAR_WIDTH / len(counts), max(max(counts), 1)
    bars = "".join(
        _bar(i * width, width, BAR_HEIGHT * count / highest, note)
        for i, (count, note) in enumerate(zip(counts, notes, strict=True))
    )
    return (
        f"<svg width='{BAR_WIDTH}' height='{BAR_HEIGHT}' viewBox='0 0 {BAR_WIDTH} {BAR_HEIGHT}' "
        f"role='img' aria-label='{escape(f'Distribution of {column.name}')}' "
        f"style='color:{_ACCENT};display:block'>{bars}</svg>"
    )


def _bar(x: float, width: float, height: float, note: str) -> str:
    visible = max(height, 1.0) if height else 0.0
    return (
        f"<rect x='{x:.1f}' y='{BAR_HEIGHT - visible:.1f}' width='{max(width - 1, 1):.1f}' "
        f"height='{visible:.1f}' fill='currentColor'><title>{escape(note)}</title></rect>"
    )


def _describe_bin(low: float, high: float, count: int, kind: str) -> str:
    if kind == "date":
        start, end = (pd.Timestamp(v, unit="s").date().isoformat() for v in (low, high))
        return f"{start} to {end}: {count:,}"
    return f"{_show_number(low)} to {_show_number(high)}: {count:,}"


def _head_table(head: pd.DataFrame) -> str:
    shown = head.iloc[:HEAD_ROWS, :HEAD_COLUMNS]
    rows = "".join(
        "<tr>" + "".join(f"<td style='{_CELL}'>{_show_cell(v)}</td>" for v in row) + "</tr>"
        for row in shown.itertuples(index=False, name=None)
    )
    names = [_shorten(str(name)) for name in shown.columns]
    return f"<table style='{_TABLE}'>{_header(names)}<tbody>{rows}</tbody></table>"


def _show_cell(value: Any) -> str:
    if isinstance(value, float):
        return f"<span style='{_FAINT}'>missing</span>" if math.isnan(value) else f"{value:.6g}"
    if value is None or value is pd.NaT or value is pd.NA:
        return f"<span style='{_FAINT}'>missing</span>"
    return escape(_shorten(str(value)))


def _shorten(text: str, limit: int = MAX_CELL_CHARS) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
