"""The chart of a static page: scores by iteration with the best so far, as inline SVG."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values of a view

from nbautoml.widgets.points import Point, colors_of, points_of
from nbautoml.widgets.words import score_text, status_words

_WIDTH, _HEIGHT = 720.0, 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 10.0, 24.0
_MANY = 10  # from this many scores on, far outliers do not stretch the axis
_OUTLIER_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Maps trial numbers and scores to coordinates; scores outside are put on the edge."""

    last: int
    low: float
    high: float

    def x(self, number: int) -> float:
        """Return the horizontal place of a trial."""
        width = _WIDTH - _LEFT - _RIGHT
        return round(_LEFT + width * (number / self.last if self.last else 0.5), 1)

    def y(self, score: float) -> float:
        """Return the vertical place of a score."""
        share = (score - self.low) / (self.high - self.low)
        height = _HEIGHT - _TOP - _BOTTOM
        return round(_TOP + height * (1 - min(1.0, max(0.0, share))), 1)


def chart_svg(view: Mapping[str, Any]) -> str:
    """Return the chart of a view as SVG text, or ``""`` while no trial has a score.

    Parameters
    ----------
    view : mapping
        What `nbautoml.services.view.view` returns.
    """
    points = points_of(view)
    header = view["header"]
    metric = header["metric"]
    scores = [p.score for p in points if p.is_scored and p.score is not None]
    if metric is None or not scores:
        return ""
    last = max(p.number for p in points)
    if header["is_live"] and header["max_iterations"]:
        last = max(last, header["max_iterations"] - 1)
    low, high = _range(scores, maximize=metric["maximize"])
    scale = _Scale(last=last, low=low, high=high)
    label = html.escape(f"{metric['name']} by iteration", quote=True)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{label}">',
        *_axes(scale),
        _best_line(points, scale, maximize=metric["maximize"]),
        *_dots(points, scale),
        _crosses(points, scale),
        "</svg>",
    ]
    return "".join(parts)


def _range(scores: Sequence[float], *, maximize: bool) -> tuple[float, float]:
    """Return the ends of the axis: all scores, without the worst when they are far off."""
    ordered = sorted(scores, reverse=maximize)
    worst = ordered[-1]
    if len(ordered) >= _MANY:
        usual = ordered[int(len(ordered) * (1 - _OUTLIER_SHARE)) - 1]
        if abs(worst - ordered[0]) > 3 * abs(usual - ordered[0]) > 0:
            worst = usual
    low, high = min(ordered[0], worst), max(ordered[0], worst)
    margin = 0.06 * (high - low) or max(0.01, abs(high) * 0.01)
    return low - margin, high + margin


def _axes(scale: _Scale) -> list[str]:
    right = _WIDTH - _RIGHT
    parts = []
    for tick in ticks(scale.low, scale.high, 4):
        y = scale.y(tick)
        parts.append(f'<line x1="{_LEFT:.0f}" x2="{right:.0f}" y1="{y}" y2="{y}" class="g"/>')
        parts.append(f'<text x="{_LEFT - 6:.0f}" y="{y + 4:.1f}" class="y">{tick:.6g}</text>')
    for tick in ticks(0, max(1, scale.last), 6):
        if tick == int(tick) and tick <= scale.last:
            x = scale.x(int(tick))
            parts.append(f'<text x="{x}" y="{_HEIGHT - 6:.0f}" class="x">{int(tick)}</text>')
    return parts


def ticks(low: float, high: float, about: int) -> list[float]:
    """Return round numbers between two ends.

    Examples
    --------
    >>> ticks(0.81, 0.93, 4)
    [0.82, 0.84, 0.86, 0.88, 0.9, 0.92]
    """
    raw = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= raw * 0.6)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]


def _best_line(points: Sequence[Point], scale: _Scale, *, maximize: bool) -> str:
    path, best, last_x = "", None, 0.0
    for point in points:
        if not point.is_scored or point.score is None:
            continue
        last_x = scale.x(point.number)
        if best is None:
            path = f"M{last_x} {scale.y(point.score)}"
        elif (point.score > best) is maximize and point.score != best:
            path += f"H{last_x}V{scale.y(point.score)}"
        else:
            continue
        best = point.score
    return f'<path class="best" d="{path}H{last_x}"/>' if path else ""


def _dots(points: Sequence[Point], scale: _Scale) -> list[str]:
    """Return the scores: one path a family, and one circle with a tooltip for each row."""
    parts = []
    scored = [p for p in points if p.is_scored and p.score is not None]
    for family, color in colors_of(points).items():
        places = "".join(
            f"M{scale.x(p.number)} {scale.y(p.score)}h0"
            for p in scored
            if p.family == family and not p.name and p.score is not None
        )
        if places:
            parts.append(f'<path class="dots" stroke="{color}" d="{places}"/>')
        parts += [_circle(p, scale, color) for p in scored if p.family == family and p.name]
    return parts


def _circle(point: Point, scale: _Scale, color: str) -> str:
    score = point.score if point.score is not None else math.nan
    tooltip = html.escape(f"{point.number}: {point.name} {score_text(point.score)}")
    return (
        f'<circle cx="{scale.x(point.number)}" cy="{scale.y(score)}" r="3.6" fill="{color}">'
        f"<title>{tooltip}</title></circle>"
    )


def _crosses(points: Sequence[Point], scale: _Scale) -> str:
    """Return marks at the bottom for trials that ended without a score."""
    failed = [p for p in points if p.is_failed]
    if not failed:
        return ""
    y = _HEIGHT - _BOTTOM - 8
    marks = "".join(f"M{scale.x(p.number) - 3:.1f} {y:.0f}l6 6m0-6l-6 6" for p in failed)
    states = sorted({status_words(p.status) for p in failed})
    return f'<path class="bad" d="{marks}"><title>{html.escape(", ".join(states))}</title></path>'
