"""The graph of a pipeline as inline SVG: for saved pages, and for a pipeline that has not run."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from nbautoml.domain.events import PipelineStep
from nbautoml.pipelines.layout import GraphLayout, Line, graph_layout

_WIDTH, _HEIGHT = 150.0, 58.0
_GAP, _BETWEEN, _MARGIN = 44.0, 14.0, 4.0
_HEAD = 6.0
_LEAST_SHARE = 0.75
"""So small a graph may become where it is too wide; then its page scrolls."""
_NAME_CHARACTERS, _WORDS_CHARACTERS = 19, 23
_COLORS = {
    "ok": "var(--ok, #2e7d32)",
    "bad": "var(--bad, #c62828)",
    "live": "var(--accent, #1976d2)",
    "": "currentColor",
}
"""As the page of a run has them, for light and dark; only there steps have states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What the box of a step says; ``mood`` is ``"ok"``, ``"bad"``, ``"live"`` or ``""``."""

    words: str = ""
    mood: str = ""


def steps_of(graph: Mapping[str, Any]) -> tuple[PipelineStep, ...]:
    """Return the steps of a pipeline that was published, from its JSON.

    Parameters
    ----------
    graph : mapping
        What `FrozenPipeline.to_json` returns; it is read as it is, so that whoever shows a pipeline
        need not load what runs it.
    """
    return tuple(
        PipelineStep(
            number=step.get("number", place),
            name=step["name"],
            step_kind=step.get("step_kind", ""),
            after=tuple(step.get("after", ())),
            inputs=tuple(str(given["name"]) for given in step.get("inputs", ())),
            outputs=tuple(str(made["name"]) for made in step.get("outputs", ())),
        )
        for place, step in enumerate(graph["steps"])
    )


def kind_words(step_kind: str) -> str:
    """Return the name of a step's class for people.

    Examples
    --------
    >>> kind_words("PythonScriptStep"), kind_words("AutoMLStep")
    ('Python Script', 'AutoML')
    """
    return re.sub(r"([a-z])([A-Z][a-z])", r"\1 \2", step_kind.removesuffix("Step"))


def graph_svg(steps: Sequence[PipelineStep], faces: Sequence[Face] = ()) -> str:
    """Return the graph as an element that scrolls where it is too wide; empty without steps.

    Parameters
    ----------
    steps : sequence of PipelineStep
        The steps.
    faces : sequence of Face, optional
        How each of them stands; of a pipeline that does not run, none.
    """
    if not steps:
        return ""
    layout = graph_layout(steps)
    width = 2 * _MARGIN + layout.n_layers * (_WIDTH + _GAP) - _GAP
    height = 2 * _MARGIN + layout.n_lanes * (_HEIGHT + _BETWEEN) - _BETWEEN
    shown = faces or [Face()] * len(steps)
    boxes = [
        _box(step, face, *_corner(layout, i))
        for i, (step, face) in enumerate(zip(steps, shown, strict=True))
    ]
    label = html.escape(f"Graph of {len(steps)} steps: {', '.join(step.name for step in steps)}")
    # Sizes and colours are styles: pages that it stands in have rules of their own for pictures.
    return (
        '<div style="overflow:auto;margin:8px 0">'
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="display:block;width:100%;height:auto;max-width:{width:.0f}px;'
        f'min-width:{_LEAST_SHARE * width:.0f}px">'
        f'<path d="{"".join(_path(layout, line) for line in layout.lines)}" '
        'style="fill:none;stroke:currentColor;opacity:.45;stroke-width:1.3"></path>'
        f"{''.join(boxes)}</svg></div>"
    )


def _corner(layout: GraphLayout, step: int) -> tuple[float, float]:
    layer, lane = layout.places[step]
    return _MARGIN + layer * (_WIDTH + _GAP), _y(lane)


def _y(lane: float) -> float:
    return _MARGIN + lane * (_HEIGHT + _BETWEEN)


def _path(layout: GraphLayout, line: Line) -> str:
    x, y = _corner(layout, line.source)
    x, y = x + _WIDTH, y + _HEIGHT / 2
    text = f"M{x:.0f} {y:.1f}"
    for lane in (*line.bends, layout.places[line.target][1]):
        end = _y(lane) + _HEIGHT / 2
        middle = x + _GAP / 2
        text += f"C{middle:.0f} {y:.1f} {middle:.0f} {end:.1f} {x + _GAP:.0f} {end:.1f}"
        x, y = x + _GAP + _WIDTH, end
        text += f"L{x:.0f} {y:.1f}"
    tip = x - _WIDTH
    text = text[: text.rindex("L")]  # it ends where its step begins
    low, high = y - _HEAD / 2, y + _HEAD / 2
    return f"{text}M{tip - _HEAD:.0f} {low:.1f}L{tip:.0f} {y:.1f}L{tip - _HEAD:.0f} {high:.1f}"


def _box(step: PipelineStep, face: Face, x: float, y: float) -> str:
    color = _COLORS[face.mood]
    told = html.escape(" · ".join(filter(None, (step.name, step.step_kind, face.words))))
    lines = [
        (step.name, 13, "fill:currentColor;font-weight:600", _NAME_CHARACTERS),
        (kind_words(step.step_kind), 11, "fill:currentColor;opacity:.7", _WORDS_CHARACTERS),
        (face.words, 11, f"fill:{color};font-weight:600", _WORDS_CHARACTERS),
    ]
    texts = "".join(
        f'<text x="{x + 10:.0f}" y="{y + 18 + 16 * i:.1f}" '
        f'style="{style};font-size:{size}px;text-anchor:start">{_short(words, most)}</text>'
        for i, (words, size, style, most) in enumerate(lines)
        if words
    )
    edge = f"stroke:{color};stroke-opacity:.5;fill:{color};fill-opacity:.05"
    return (
        f"<g><title>{told}</title>"
        f'<rect x="{x:.0f}" y="{y:.1f}" width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" rx="5" '
        f'style="{edge}"></rect>'
        f'<rect x="{x:.0f}" y="{y:.1f}" width="4" height="{_HEIGHT:.0f}" rx="2" '
        f'style="fill:{color};opacity:{1 if face.mood else 0.4}"></rect>{texts}</g>'
    )


def _short(text: str, most: int) -> str:
    return html.escape(text if len(text) <= most else f"{text[: most - 1]}…")
