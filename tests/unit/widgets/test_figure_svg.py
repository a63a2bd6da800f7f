from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from nbautoml.automl.figures import ModelFigure, model_figures
from nbautoml.domain import events as ev
from nbautoml.domain.status import RunStatus
from nbautoml.engine.metrics import (
    accuracy_table_payload,
    confusion_matrix_payload,
    predicted_true_payload,
    residuals_payload,
)
from nbautoml.widgets.figure_svg import MOST_CLASSES, SHOWN, figure_svg, figures_html
from nbautoml.widgets.html import run_html

EVIL = '<script>&"'
SVG = "{http://www.w3.org/2000/svg}"


def classified(n_classes: int, n_rows: int = 400) -> list[ModelFigure]:
    rng = np.random.default_rng(0)
    y = rng.integers(n_classes, size=n_rows)
    y[:n_classes] = np.arange(n_classes)
    proba = rng.random((n_rows, n_classes)) + 2 * np.eye(n_classes)[y]
    proba /= proba.sum(axis=1, keepdims=True)
    labels = [f"{EVIL} {i}" for i in range(n_classes)]
    return model_figures(
        {
            "confusion_matrix": confusion_matrix_payload(y, proba, labels),
            "accuracy_table": accuracy_table_payload(y, proba, labels),
        }
    )


def regressed() -> list[ModelFigure]:
    rng = np.random.default_rng(0)
    y = rng.lognormal(10.0, 1.0, size=500)
    predictions = y * rng.normal(1.0, 0.1, size=500)
    return model_figures(
        {
            "predicted_true": predicted_true_payload(y, predictions),
            "residuals": residuals_payload(y, predictions),
        }
    )


def drawn(figure: ModelFigure) -> ElementTree.Element:
    text = figure_svg(figure)
    return ElementTree.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))


def places(node: ElementTree.Element) -> list[float]:
    """All coordinates of paths and rectangles."""
    found = []
    for path in node.iter(f"{SVG}path"):
        found += [float(v) for v in path.attrib["d"].replace("M", " ").replace("L", " ").split()]
    for box in node.iter(f"{SVG}rect"):
        found += [float(box.attrib[name]) for name in ("x", "y", "width", "height")]
    return found


@pytest.mark.parametrize("figures", [classified(2), classified(3), classified(12), regressed()])
def test_each_chart_is_drawn_inside_of_its_frame(figures: list[ModelFigure]) -> None:
    for figure in figures:
        values = places(drawn(figure))
        assert values
        assert np.isfinite(values).all()
        assert 0 <= min(values) <= max(values) <= 340


def test_a_curve_is_drawn_where_its_values_are() -> None:
    line = {"type": "scatter", "name": "a", "x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, None]}
    layout = {"xaxis": {"range": [0, 2]}, "yaxis": {"range": [0, 1]}}
    figure = ModelFigure(name="roc", title="t", help="h", data=[line], layout=layout)
    (path,) = drawn(figure).iter(f"{SVG}path")
    (x0, y0), (x1, y1) = (part.split() for part in path.attrib["d"][1:].split("L"))
    assert (float(x0), float(y0)) == (46.0, 196.0)  # lower left corner
    assert (float(x1), float(y1)) == (188.0, 8.0)  # middle of the upper edge


def test_a_matrix_is_as_dark_as_its_shares() -> None:
    matrix = next(f for f in classified(2) if f.name == "confusion_matrix_normalized")
    cells = [float(box.attrib["fill-opacity"]) for box in drawn(matrix).iter(f"{SVG}rect")]
    shares = np.array(matrix.data[0]["z"]).ravel()
    assert np.corrcoef(cells, shares)[0, 1] > 0.999


def test_texts_are_texts() -> None:
    page = figures_html(classified(3), EVIL)
    assert "<script" not in page
    assert "&lt;script" in page


def test_a_page_holds_few_charts_and_stays_small() -> None:
    page = figures_html(classified(MOST_CLASSES), "LightGBM")
    assert page.count("<figure>") == len(SHOWN)
    assert len(page) < 50_000
    many = figures_html(classified(MOST_CLASSES + 1, 800), "LightGBM")
    assert many.count("<figure>") == len(SHOWN) - 1
    assert figures_html([], "LightGBM") == ""


def test_a_run_without_a_best_model_has_no_charts(run_with: Any) -> None:
    run = run_with(3)
    assert "Charts of the best model" in run_html(run.snapshot(), figures=regressed())
    nothing = run_with(0)
    nothing.add(ev.StatusChanged(status=RunStatus.FAILED))
    assert "Charts of" not in run_html(nothing.snapshot(), figures=regressed())
