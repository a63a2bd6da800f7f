"""Charts of a model as inline SVG, drawn from the same figures that the live view shows."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values of a figure

from nbautoml.automl.figures import ModelFigure
from nbautoml.widgets.svg import ticks

SHOWN = ("confusion_matrix_normalized", "roc", "precision_recall", "calibration")
"""Charts of a classification that a saved output keeps; of a regression it keeps all."""
_REGRESSION = ("predicted_true", "residuals")
MOST_CLASSES = 20
"""A confusion matrix of more classes is left out: it would be most of the page."""
_MOST_POINTS = 60
_WIDTH, _HEIGHT = 340.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 10.0, 8.0, 34.0
_DASHES = {"dash": "6 3", "dot": "2 3"}
_MARGIN = 0.04
_STYLE = (
    "text{fill:#888;font:10px sans-serif}.y{text-anchor:end}.x{text-anchor:middle}.g{stroke:#8885}"
)

Range = tuple[float, float]
Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plane:
    """Maps values of both axes to places in the drawing."""

    x_range: Range
    y_range: Range

    def x(self, value: float) -> float:
        """Return the horizontal place of a value."""
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * _share(value, self.x_range), 1)

    def y(self, value: float) -> float:
        """Return the vertical place of a value."""
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - _share(value, self.y_range)), 1)


def figures_html(figures: Iterable[ModelFigure], name: str) -> str:
    """Return charts side by side, closed until somebody opens them; nothing without charts.

    Parameters
    ----------
    figures : iterable of ModelFigure
        All charts of a model.
    name : str
        The model's name.
    """
    kept = (*SHOWN, *_REGRESSION)
    shown = framed_figures(figure for figure in figures if figure.name in kept)
    if not shown:
        return ""
    summary = f"Charts of the best model, {html.escape(name)}"
    return f"<details open><summary>{summary}</summary>{shown}</details>"


def framed_figures(figures: Iterable[ModelFigure]) -> str:
    """Return charts side by side, each with its title; empty where none can be drawn."""
    drawn = [(figure, figure_svg(figure)) for figure in figures]
    shown = "".join(_framed(figure, drawing) for figure, drawing in drawn if drawing)
    return f'<div class="figs">{shown}</div>' if shown else ""


def figure_picture(figure: ModelFigure) -> str:
    """Return one chart as an SVG file, in colours that can be read on light and on dark ground."""
    drawing = figure_svg(figure)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * _WIDTH:.0f}" '
    return drawing.replace("<svg ", head, 1).replace(">", f"><style>{_STYLE}</style>", 1)


def figure_svg(figure: ModelFigure) -> str:
    """Return one chart as SVG text; empty where it has too much in it for a saved page.

    Examples
    --------
    >>> bars = {"type": "bar", "x": [1, 2], "y": [3, 4], "width": [1, 1]}
    >>> figure = ModelFigure(name="n", title="Rows", help="", data=[bars], layout={})
    >>> figure_svg(figure).count("<rect")
    2
    """
    traces = [trace for trace in figure.data if trace.get("visible", True) is True]
    is_matrix = any(trace["type"] == "heatmap" for trace in traces)
    body = _matrix(traces[0]) if is_matrix else _curves(traces, figure.layout)
    if not body:
        return ""
    label = html.escape(f"{figure.title}. {figure.help}", quote=True)
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{label}">'
        f"{body}</svg>"
    )


def _framed(figure: ModelFigure, drawing: str) -> str:
    names = "".join(
        f'<span><i style="background:{_color(trace)}"></i>{html.escape(str(trace["name"]))}</span>'
        for trace in figure.data
        if trace.get("name") and trace.get("visible", True) is True
    )
    legend = f'<div class="mut keys">{names}</div>' if names else ""
    title = html.escape(figure.title)
    return f"<figure><figcaption>{title}</figcaption>{drawing}{legend}</figure>"


def _curves(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> str:
    main = [trace for trace in traces if trace.get("yaxis", "y") == "y"]
    plane = _Plane(
        x_range=_range(layout, "xaxis", _values(traces, "x")),
        y_range=_range(layout, "yaxis", [*_values(main, "y"), *_floor(main)]),
    )
    parts = [*_axes(plane, layout)]
    for trace in traces:
        own = plane
        if trace not in main:  # counts behind a curve, on a scale of their own
            own = _Plane(x_range=plane.x_range, y_range=(0.0, max(_values([trace], "y")) * 1.05))
        parts.append(_bars(trace, own) if trace["type"] == "bar" else _line(trace, own))
    return "".join(parts)


def _floor(traces: Iterable[Mapping[str, Any]]) -> list[float]:
    """Return 0 where there are bars: they begin there."""
    return [0.0] if any(trace["type"] == "bar" for trace in traces) else []


def _axes(plane: _Plane, layout: Mapping[str, Any]) -> list[str]:
    parts = []
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for tick in ticks(*plane.y_range, 4):
        y = plane.y(tick)
        parts.append(f'<line x1="{_LEFT:.0f}" x2="{right:.0f}" y1="{y}" y2="{y}" class="g"/>')
        parts.append(f'<text x="{_LEFT - 5:.0f}" y="{y + 3:.1f}" class="y">{tick:.4g}</text>')
    for tick in ticks(*plane.x_range, 5):
        x = plane.x(tick)
        parts.append(f'<text x="{x}" y="{bottom + 13:.0f}" class="x">{tick:.4g}</text>')
    middle = (_LEFT + right) / 2
    x_title, y_title = _title(layout, "xaxis"), _title(layout, "yaxis")
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 5:.0f}" class="x">{x_title}</text>')
    turned = f'transform="translate(10 {(_TOP + bottom) / 2:.0f}) rotate(-90)"'
    parts.append(f'<text {turned} class="x">{y_title}</text>')
    return parts


def _line(trace: Mapping[str, Any], plane: _Plane) -> str:
    path, is_open = "", False
    points = list(zip(trace["x"], trace["y"], strict=True))
    for x, y in _thinned(points):
        if x is None or y is None:
            is_open = False
            continue
        path += f"{'L' if is_open else 'M'}{plane.x(x)} {plane.y(y)}"
        is_open = True
    style = trace.get("line", {})
    dash = _DASHES.get(style.get("dash", ""), "")
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    width = style.get("width", 1.5)
    return f'<path fill="none" stroke="{_color(trace)}" stroke-width="{width}"{dashed} d="{path}"/>'


def _bars(trace: Mapping[str, Any], plane: _Plane) -> str:
    opacity = trace.get("marker", {}).get("opacity", 1)
    bottom = plane.y(0.0)
    bars = ""
    for x, y, width in zip(trace["x"], trace["y"], trace["width"], strict=True):
        if y:
            left, right, top = plane.x(x - width / 2), plane.x(x + width / 2), plane.y(y)
            size = f'width="{max(right - left, 0.5):.1f}" height="{bottom - top:.1f}"'
            bars += f'<rect x="{left}" y="{top}" {size}/>'
    return f'<g fill="{_color(trace)}" fill-opacity="{opacity}">{bars}</g>'


def _matrix(trace: Mapping[str, Any]) -> str:
    labels, cells = trace["x"], trace["z"]
    n = len(labels)
    if n > MOST_CLASSES:
        return ""
    most = max((value for row in cells for value in row), default=0.0) or 1.0
    width, height = (_WIDTH - _LEFT - _RIGHT) / n, (_HEIGHT - _TOP - _BOTTOM) / n
    color = trace["colorscale"][-1][1]
    parts = []
    for i, row in enumerate(cells):
        for j, value in enumerate(row):
            x, y = _LEFT + j * width, _TOP + i * height
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" height="{height - 1:.1f}" '
                f'fill="{color}" fill-opacity="{0.06 + 0.94 * value / most:.2f}"/>'
            )
            if n <= _NUMBERED:
                at = f'x="{x + width / 2:.1f}" y="{y + height / 2 + 3:.1f}"'
                dark = ' fill-opacity="1" style="fill:#fff"' if value > most * _DARK else ""
                parts.append(f'<text {at} class="x"{dark}>{_cell(value, most)}</text>')
    if n <= _LABELED:
        parts += _labels(labels, width, height)
    return "".join(parts)


_NUMBERED, _LABELED, _DARK, _LABEL_CHARACTERS = 8, 12, 0.55, 9


def _labels(labels: Sequence[str], width: float, height: float) -> list[str]:
    parts = []
    for i, label in enumerate(labels):
        short = label if len(label) <= _LABEL_CHARACTERS else f"{label[: _LABEL_CHARACTERS - 1]}…"
        text = html.escape(short)
        y = _TOP + (i + 0.5) * height + 3
        x = _LEFT + (i + 0.5) * width
        parts.append(f'<text x="{_LEFT - 4:.0f}" y="{y:.1f}" class="y">{text}</text>')
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 12:.0f}" class="x">{text}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 5:.0f}" class="x">predicted</text>')
    return parts


def _cell(value: float, most: float) -> str:
    return f"{value:.0%}" if most <= 1 else f"{value:,.6g}"


def _thinned(points: Sequence[tuple[Any, Any]]) -> Sequence[tuple[Any, Any]]:
    """Return about so many points as a small chart can show, the ends among them."""
    if len(points) <= _MOST_POINTS:
        return points
    step = (len(points) - 1) / (_MOST_POINTS - 1)
    return [points[round(i * step)] for i in range(_MOST_POINTS)]


def _range(layout: Mapping[str, Any], axis: str, values: Sequence[float]) -> Range:
    given = layout.get(axis, {}).get("range")
    if given:
        return float(given[0]), float(given[1])
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = _MARGIN * (high - low) or 0.5
    return (low if low == 0 else low - margin), high + margin


def _values(traces: Iterable[Mapping[str, Any]], axis: str) -> list[float]:
    return [
        float(value)
        for trace in traces
        for value in trace[axis]
        if value is not None and math.isfinite(value)
    ]


def _share(value: float, ends: Range) -> float:
    return min(1.0, max(0.0, (value - ends[0]) / (ends[1] - ends[0])))


def _title(layout: Mapping[str, Any], axis: str) -> str:
    title = layout.get(axis, {}).get("title", "")
    return html.escape(str(title["text"] if isinstance(title, Mapping) else title))


def _color(trace: Mapping[str, Any]) -> str:
    style = trace.get("line") or trace.get("marker") or {}
    return html.escape(str(style.get("color", "currentcolor")), quote=True)
