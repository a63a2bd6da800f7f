"""How pipelines look as the last line of a cell: what they are, and their graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any  # Any: JSON values

from nbautoml.domain.events import PipelineStep
from nbautoml.pipelines.picture import graph_svg

_BORDER = "1px solid var(--jp-border-color2, rgba(128,128,128,.35))"
_FRAME = "font-size:13px;line-height:1.45;color:var(--jp-content-font-color1, inherit)"
_FAINT = "opacity:.7"
# Old page modes reset colour and size in tables, so both are passed on by name.
_TABLE = "border-collapse:collapse;background:transparent;color:inherit;font-size:inherit"
_CELL = f"text-align:left;padding:2px 14px 2px 0;border-bottom:{_BORDER};background:transparent"
_WRONG = "border-left:3px solid var(--jp-error-color1, #c62828);padding-left:8px;margin:6px 0"

Rows = Sequence[Sequence[object]]


def pipeline_html(
    title: str,
    facts: Mapping[str, object],
    steps: Sequence[PipelineStep],
    *,
    tables: Mapping[tuple[str, ...], Rows] | None = None,
    problems: Sequence[str] = (),
) -> str:
    """Return a pipeline as HTML without script, for light pages and dark ones.

    Parameters
    ----------
    title : str
        What it is called, or what it is.
    facts : mapping
        What there is to say of it; what is empty is left out.
    steps : sequence of PipelineStep
        Its steps.
    tables : mapping of tuple of str to rows, optional
        Tables below the graph, by their heads; those without rows are left out.
    problems : sequence of str, optional
        What is wrong with it.
    """
    told = " · ".join(f"{name} {value}".strip() for name, value in facts.items() if value)
    wrong = "".join(f"<div>{escape(problem)}</div>" for problem in problems)
    parts = [
        f'<div style="{_FRAME}"><div><b>{escape(title)}</b> '
        f'<span style="{_FAINT}">{escape(told)}</span></div>',
        f'<div style="{_WRONG}">{wrong}</div>' if wrong else "",
        graph_svg(steps),
        *(_table(heads, rows) for heads, rows in (tables or {}).items() if rows),
        "</div>",
    ]
    return "".join(parts)


def parameter_rows(parameters: Mapping[str, Any]) -> Rows:
    """Return the rows of a table of parameters."""
    return [(name, value) for name, value in parameters.items()]


PARAMETERS: tuple[str, ...] = ("Parameter", "Default")
"""Heads of a table of parameters."""


def _table(heads: Sequence[str], rows: Rows) -> str:
    head = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(str(cell))}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
