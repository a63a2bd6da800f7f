"""Charts of a model, against scikit-learn's curves."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from nbautoml.automl.figures import ModelFigure, model_figures
from nbautoml.engine.metrics.charts import (
    accuracy_table_payload,
    confusion_matrix_payload,
    predicted_true_payload,
    residuals_payload,
)

RNG = np.random.default_rng(0)
N_ROWS = 600
LABELS = ["low", "mid", "<b>high</b>"]


def classes(n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(N_ROWS) % n_classes
    # Probabilities with two decimals fall on the thresholds that the table has.
    logits = RNG.normal(size=(N_ROWS, n_classes)) + 1.5 * np.eye(n_classes)[y]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return y, proba.round(2)


truth, chances = classes()


def figures_of(y: Any, proba: Any, labels: list[str]) -> dict[str, ModelFigure]:
    charts = {
        "confusion_matrix": confusion_matrix_payload(y, proba, labels),
        "accuracy_table": accuracy_table_payload(y, proba, labels),
    }
    return {figure.name: figure for figure in model_figures(charts)}


@pytest.fixture(scope="module")
def drawn() -> dict[str, ModelFigure]:
    return figures_of(truth, chances, LABELS)


def curve(figure: ModelFigure, name: str) -> tuple[np.ndarray, np.ndarray]:
    (trace,) = [trace for trace in figure.data if trace["name"] == name]
    return np.array(trace["x"]), np.array(trace["y"])


def area(x: np.ndarray, y: np.ndarray) -> float:
    order = np.argsort(x, kind="stable")
    return float(np.trapezoid(np.sort(y), x[order]))


def test_classes_have_seven_figures(drawn: dict[str, ModelFigure]) -> None:
    assert list(drawn) == [
        "confusion_matrix",
        "confusion_matrix_normalized",
        "roc",
        "precision_recall",
        "calibration",
        "lift",
        "cumulative_gain",
    ]
    for figure in drawn.values():
        assert json.loads(json.dumps(figure.as_json(), allow_nan=False))["help"].endswith(".")


def test_the_confusion_matrix_has_counts_and_shares(drawn: dict[str, ModelFigure]) -> None:
    counts = np.array(drawn["confusion_matrix"].data[0]["z"])
    shares = np.array(drawn["confusion_matrix_normalized"].data[0]["z"])
    assert counts.sum() == N_ROWS
    assert shares.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-4)
    assert shares[0, 0] == pytest.approx(np.mean(chances[truth == 0].argmax(axis=1) == 0), abs=1e-5)


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_roc_curve_is_scikit_learns(drawn: dict[str, ModelFigure], code: int) -> None:
    x, y = curve(drawn["roc"], LABELS[code])
    points = roc_curve(truth == code, chances[:, code], drop_intermediate=False)[:2]
    known = {(round(a, 5), round(b, 5)) for a, b in zip(*points, strict=True)}
    assert set(zip(x.tolist(), y.tolist(), strict=True)) <= known
    assert area(x, y) == pytest.approx(roc_auc_score(truth == code, chances[:, code]), abs=1e-3)


def test_averages_lie_between_the_classes(drawn: dict[str, ModelFigure]) -> None:
    areas = [roc_auc_score(truth == code, chances[:, code]) for code in range(3)]
    for name in ("macro average", "weighted average"):
        assert area(*curve(drawn["roc"], name)) == pytest.approx(np.mean(areas), abs=5e-3)
    pooled = roc_auc_score(np.eye(3)[truth].ravel(), chances.ravel())
    assert area(*curve(drawn["roc"], "micro average")) == pytest.approx(pooled, abs=1e-3)


def test_precision_and_recall_are_scikit_learns(drawn: dict[str, ModelFigure]) -> None:
    x, y = curve(drawn["precision_recall"], LABELS[0])
    precision, recall, thresholds = precision_recall_curve(truth == 0, chances[:, 0])
    for threshold in (0.2, 0.5, 0.8):
        place = int(np.searchsorted(thresholds, threshold))
        at = round(threshold * 100)
        assert (x[at], y[at]) == pytest.approx((recall[place], precision[place]), abs=1e-5)


def test_calibration_counts_each_row_once(drawn: dict[str, ModelFigure]) -> None:
    (trace,) = [t for t in drawn["calibration"].data if t["name"] == LABELS[1]]
    assert sum(trace["customdata"]) == N_ROWS
    low = chances[:, 1] < 0.1
    assert trace["x"][0] == 0.05
    assert trace["y"][0] == pytest.approx(np.mean(truth[low] == 1), abs=1e-5)


def test_lift_begins_at_the_rate_of_the_likeliest_rows_and_ends_at_one(
    drawn: dict[str, ModelFigure],
) -> None:
    x, y = curve(drawn["lift"], LABELS[0])
    assert (x.max(), y[np.argmax(x)]) == (1.0, 1.0)
    share = x[np.argmin(np.abs(x - 0.2))]
    best = np.argsort(-chances[:, 0], kind="stable")[: round(share * N_ROWS)]
    expected = np.mean(truth[best] == 0) / np.mean(truth == 0)
    assert y[np.argmin(np.abs(x - 0.2))] == pytest.approx(expected, abs=0.01)


def test_gain_grows_from_nothing_to_all(drawn: dict[str, ModelFigure]) -> None:
    for name in (*LABELS, "macro average", "micro average"):
        x, y = curve(drawn["cumulative_gain"], name)
        order = np.argsort(x, kind="stable")
        assert (x.min(), y.min(), x.max(), y.max()) == (0.0, 0.0, 1.0, 1.0)
        assert (np.diff(np.maximum.accumulate(y[order])) >= 0).all()


def test_curves_of_many_classes_wait_in_the_legend() -> None:
    y, proba = classes(8)
    figure = figures_of(y, proba, [str(i) for i in range(8)])["roc"]
    hidden = [trace["name"] for trace in figure.data if trace.get("visible") == "legendonly"]
    assert hidden == [str(i) for i in range(8)]


def test_a_class_without_rows_has_no_curve() -> None:
    proba = np.column_stack([chances[:, :2], np.zeros(N_ROWS)])
    figure = figures_of(np.arange(N_ROWS) % 2, proba, LABELS)["roc"]
    assert LABELS[2] not in {trace["name"] for trace in figure.data}


def test_no_rows_leave_the_matrix_only() -> None:
    empty = figures_of(np.zeros(0, int), np.zeros((0, 2)), ["a", "b"])
    assert list(empty) == ["confusion_matrix", "confusion_matrix_normalized"]


@pytest.mark.parametrize("predicted", [RNG.normal(size=200), np.zeros(200)])
def test_numbers_have_two_figures(predicted: np.ndarray) -> None:
    y = RNG.normal(size=200)
    charts = {
        "residuals": residuals_payload(y, predicted),
        "predicted_true": predicted_true_payload(y, predicted),
    }
    figures = {figure.name: figure for figure in model_figures(charts)}
    assert list(figures) == ["predicted_true", "residuals"]
    assert sum(figures["residuals"].data[0]["y"]) == 200
    assert f"mean {np.mean(predicted - y):.4g}" in figures["residuals"].help
    for figure in figures.values():
        json.dumps(figure.as_json(), allow_nan=False)


def test_unknown_charts_are_passed_over() -> None:
    assert model_figures({"something": {"data": {}}}) == []
