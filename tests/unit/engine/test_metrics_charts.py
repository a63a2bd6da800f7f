"""Payloads of charts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from nbautoml.engine.metrics import (
    accuracy_table_payload,
    confusion_matrix_payload,
    predicted_true_payload,
    residuals_payload,
)

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 200)
PROBA = RNG.dirichlet(np.ones(3), 200)
TRUE = RNG.normal(size=150)
PREDICTED = TRUE + RNG.normal(size=150)
LABELS = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("payload", "schema_type"),
    [
        (confusion_matrix_payload(Y, PROBA, LABELS), "confusion_matrix"),
        (accuracy_table_payload(Y, PROBA, LABELS), "accuracy_table"),
        (residuals_payload(TRUE, PREDICTED), "residuals"),
        (predicted_true_payload(TRUE, PREDICTED), "predictions"),
        (confusion_matrix_payload([], np.empty((0, 3)), LABELS), "confusion_matrix"),
        (accuracy_table_payload([], np.empty((0, 3)), LABELS), "accuracy_table"),
        (residuals_payload([], []), "residuals"),
        (predicted_true_payload([], []), "predictions"),
        (residuals_payload([1.0], [1.0]), "residuals"),
    ],
)
def test_payload_is_json_of_the_documented_shape(payload, schema_type):
    again = json.loads(json.dumps(payload, allow_nan=False))
    assert again == payload
    assert (payload["schema_type"], payload["schema_version"]) == (schema_type, "1.0.0")


def test_confusion_matrix_equals_scikit_learn():
    payload = confusion_matrix_payload(Y, PROBA, LABELS)
    assert payload["data"]["class_labels"] == LABELS
    assert payload["data"]["matrix"] == confusion_matrix(Y, PROBA.argmax(axis=1)).tolist()


def test_confusion_matrix_has_classes_without_rows():
    payload = confusion_matrix_payload([0, 0], np.eye(3)[[0, 0]], LABELS)
    assert payload["data"]["matrix"] == [[2, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_accuracy_table_counts_rows_at_or_above_each_threshold():
    data = accuracy_table_payload(Y, PROBA, LABELS)["data"]
    assert data["probability_thresholds"] == [round(i / 100, 2) for i in range(101)]
    for code, at in ((0, 0), (1, 37), (2, 100)):
        is_above = PROBA[:, code] >= data["probability_thresholds"][at]
        is_true = np.equal(Y, code)
        expected = [
            int((is_true & is_above).sum()),
            int((~is_true & is_above).sum()),
            int((~is_true & ~is_above).sum()),
            int((is_true & ~is_above).sum()),
        ]
        assert data["probability_tables"][code][at] == expected


def test_accuracy_table_by_percentile_leaves_that_share_of_the_rows_out():
    data = accuracy_table_payload(Y, PROBA, LABELS)["data"]
    tp, fp, tn, fn = data["percentile_tables"][1][50]
    assert (tn + fn, tp + fp) == (100, 100)
    tp, fp, tn, fn = data["percentile_tables"][1][0]
    assert (tn + fn, tp + fp) == (0, 200)


def test_residuals_are_predicted_minus_true():
    data = residuals_payload(TRUE, PREDICTED)["data"]
    assert data["mean"] == pytest.approx((PREDICTED - TRUE).mean())
    assert data["stddev"] == pytest.approx((PREDICTED - TRUE).std())
    assert (sum(data["bin_counts"]), data["res_count"]) == (150, 150)
    assert len(data["bin_edges"]) == len(data["bin_counts"]) + 1


def test_predicted_true_has_mean_and_spread_of_each_bin():
    data = predicted_true_payload(TRUE, PREDICTED)["data"]
    edges = data["bin_edges"]
    place = int(np.argmax(data["bin_counts"]))
    is_in = (edges[place] <= TRUE) & (edges[place + 1] > TRUE)
    assert data["bin_counts"][place] == is_in.sum()
    assert data["bin_averages"][place] == pytest.approx(PREDICTED[is_in].mean())
    assert data["bin_errors"][place] == pytest.approx(PREDICTED[is_in].std())
    assert sum(data["bin_counts"]) == 150


def test_empty_bins_have_no_average():
    data = predicted_true_payload([0.0, 1.0], [0.0, 1.0])["data"]
    assert data["bin_averages"] == [0.0, *[None] * 8, 1.0]


COUNTS = RNG.integers(1, 4, 200)


@pytest.mark.parametrize("payload", [confusion_matrix_payload, accuracy_table_payload])
def test_weights_that_are_counts_equal_repeated_rows(payload):
    weighted = payload(Y, PROBA, LABELS, sample_weight=COUNTS)["data"]
    repeated = payload(np.repeat(Y, COUNTS), np.repeat(PROBA, COUNTS, axis=0), LABELS)["data"]
    for name in ("matrix", "probability_tables"):
        if name in weighted:
            assert weighted[name] == repeated[name]


def test_weighted_percentiles_leave_that_share_of_the_weight_out():
    weight = RNG.uniform(0.1, 2.0, 200)
    data = accuracy_table_payload(Y, PROBA, LABELS, sample_weight=weight)["data"]
    for share, (tp, fp, tn, fn) in zip(
        data["percentile_thresholds"], data["percentile_tables"][0], strict=True
    ):
        assert tp + fp + tn + fn == pytest.approx(weight.sum(), abs=0.01)
        assert tn + fn == pytest.approx(share * weight.sum(), abs=weight.max() + 0.01)


def test_many_classes_have_fewer_thresholds():
    y, proba = np.arange(30), np.eye(30)
    data = accuracy_table_payload(y, proba, [str(code) for code in y])["data"]
    assert len(data["probability_thresholds"]) == len(data["probability_tables"][7]) == 21


def test_weighted_residuals_have_the_weighted_mean_and_spread():
    counts = RNG.integers(1, 4, 150)
    weighted = residuals_payload(TRUE, PREDICTED, sample_weight=counts)["data"]
    residuals = np.repeat(PREDICTED - TRUE, counts)
    assert weighted["mean"] == pytest.approx(residuals.mean())
    assert weighted["stddev"] == pytest.approx(residuals.std())
    assert sum(weighted["bin_counts"]) == counts.sum()


def test_weighted_predicted_true_has_the_weighted_mean_of_each_bin():
    counts = RNG.integers(1, 4, 150)
    data = predicted_true_payload(TRUE, PREDICTED, sample_weight=counts)["data"]
    edges, place = data["bin_edges"], int(np.argmax(data["bin_counts"]))
    is_in = (edges[place] <= TRUE) & (edges[place + 1] > TRUE)
    repeated = np.repeat(PREDICTED[is_in], counts[is_in])
    assert data["bin_counts"][place] == counts[is_in].sum()
    assert data["bin_averages"][place] == pytest.approx(repeated.mean())
    assert data["bin_errors"][place] == pytest.approx(repeated.std())
