"""Classification metrics against scikit-learn, recorded numbers and the definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine.metrics import score_classification, score_primary
from nbautoml.errors import ConfigError

NAMES = [spec.name for spec in metrics_for(Task.CLASSIFICATION)]


def sample(n_rows: int, n_classes: int, seed: int, *, with_ties: bool = False):
    """Return labels, probabilities that know something of them, and weights."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n_rows - n_classes)])
    logits = rng.normal(size=(n_rows, n_classes)) + 1.2 * np.eye(n_classes)[y]
    if with_ties:
        logits = np.round(logits)
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return y, proba, rng.uniform(0.1, 3.0, n_rows)


def by_sklearn(y, proba, weight) -> dict[str, float]:
    """Return the same metrics by scikit-learn's functions on all classes."""
    n_classes = proba.shape[1]
    predicted, codes = proba.argmax(axis=1), np.arange(n_classes)
    one_hot = np.eye(n_classes)[y]
    scores = {
        "accuracy": sk.accuracy_score(y, predicted, sample_weight=weight),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted, sample_weight=weight),
        "matthews_correlation": sk.matthews_corrcoef(y, predicted, sample_weight=weight),
        "log_loss": sk.log_loss(y, proba, labels=codes, sample_weight=weight),
    }
    recall = scores["balanced_accuracy"]
    scores["norm_macro_recall"] = max(0.0, (recall - 1 / n_classes) / (1 - 1 / n_classes))
    plain = {
        "precision_score": sk.precision_score,
        "recall_score": sk.recall_score,
        "f1_score": sk.f1_score,
    }
    ranked = {"AUC": sk.roc_auc_score, "average_precision_score": sk.average_precision_score}
    for average in ("macro", "micro", "weighted"):
        for name, function in plain.items():
            scores[f"{name}_{average}"] = function(
                y, predicted, average=average, sample_weight=weight, zero_division=0
            )
        for name, function in ranked.items():
            scores[f"{name}_{average}"] = function(
                one_hot, proba, average=average, sample_weight=weight
            )
    return scores


@pytest.mark.parametrize("with_ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted rows"])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_scikit_learn(n_classes, is_weighted, with_ties, seed):
    y, proba, weight = sample(120, n_classes, seed, with_ties=with_ties)
    weight = weight if is_weighted else None
    scores = score_classification(y, proba, n_classes, sample_weight=weight)
    expected = by_sklearn(y, proba, weight)
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_reports_exactly_the_documented_metrics():
    y, proba, _ = sample(60, 3, 0)
    assert sorted(score_classification(y, proba, 3)) == sorted(NAMES)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_single_metric_equals_the_full_set(name, n_classes):
    y, proba, weight = sample(80, n_classes, 5)
    full = score_classification(y, proba, n_classes, sample_weight=weight)
    alone = score_primary(name, y, proba, n_classes=n_classes, sample_weight=weight)
    assert full[name] == alone


def test_recorded_recall_gives_recorded_norm_macro_recall():
    """A run of the SDK printed macro recall 0.8241285991 beside 0.6482571982."""
    target, n = 0.8241285991, 10**10
    hits = round(target * n)
    counts = np.array([hits, n - hits, hits, n - hits], dtype=float)
    y, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
    scores = score_classification(y, np.eye(2)[predicted], 2, sample_weight=counts)
    assert scores["recall_score_macro"] == pytest.approx(0.8241285991, abs=1e-12)
    assert scores["norm_macro_recall"] == pytest.approx(0.6482571982, abs=1e-12)
    assert scores["balanced_accuracy"] == scores["recall_score_macro"]


def test_two_classes_have_one_area():
    y, proba, _ = sample(90, 2, 3)
    scores = score_classification(y, proba, 2)
    assert scores["AUC_weighted"] == pytest.approx(scores["AUC_macro"], abs=1e-15)


def test_micro_averages_of_predictions_are_the_accuracy():
    y, proba, _ = sample(90, 4, 3)
    scores = score_classification(y, proba, 4)
    names = [f"{family}_score_micro" for family in ("recall", "precision", "f1")]
    assert [scores[name] for name in names] == [scores["accuracy"]] * 3


def test_weighted_accuracy_weighs_rows_by_the_size_of_their_class():
    y = np.array([0, 0, 0, 1])
    predicted = np.array([0, 0, 1, 1])
    scores = score_classification(y, np.eye(2)[predicted], 2)
    # Rows of class 0 weigh 3, the row of class 1 weighs 1: (3 + 3 + 1) / (3 * 3 + 1)
    assert scores["weighted_accuracy"] == pytest.approx(0.7)


def test_class_without_rows_is_left_out_of_averages():
    y, proba, _ = sample(60, 3, 1)
    keep = y != 1
    scores = score_classification(y[keep], proba[keep], 3)
    predicted, codes = proba[keep].argmax(axis=1), [0, 2]
    assert scores["recall_score_macro"] == pytest.approx(
        sk.recall_score(y[keep], predicted, labels=codes, average="macro")
    )
    areas = [sk.roc_auc_score(y[keep] == c, proba[keep][:, c]) for c in codes]
    assert scores["AUC_macro"] == pytest.approx(np.mean(areas))
    assert all(math.isfinite(score) for score in scores.values())


def test_chance_of_norm_macro_recall_counts_classes_of_the_training_data():
    y, proba = np.array([0, 0, 1, 1]), np.eye(4)[[0, 1, 1, 1]]
    scores = score_classification(y, proba, 4)
    assert scores["norm_macro_recall"] == pytest.approx((0.75 - 0.25) / 0.75)


def test_worse_than_chance_has_norm_macro_recall_zero():
    scores = score_classification([0, 1], np.eye(2)[[1, 0]], 2)
    assert scores["norm_macro_recall"] == 0.0


def test_areas_of_a_single_class_do_not_exist():
    scores = score_classification([1, 1, 1], np.full((3, 2), 0.5), 2)
    names = [name for name in scores if name.startswith("AUC")]
    assert all(math.isnan(scores[name]) for name in names)
    assert scores["accuracy"] == 0.0
    assert scores["average_precision_score_macro"] == 1.0


def test_without_rows_every_metric_is_nan():
    scores = score_classification([], np.empty((0, 3)), 3)
    assert all(math.isnan(score) for score in scores.values())


def test_constant_predictions_have_correlation_zero():
    scores = score_classification([0, 1, 1], np.tile([0.2, 0.8], (3, 1)), 2)
    assert scores["matthews_correlation"] == 0.0
    assert scores["AUC_weighted"] == 0.5


def test_log_loss_of_a_sure_error_is_finite():
    scores = score_classification([0, 1], np.eye(2)[[1, 1]], 2)
    assert scores["log_loss"] == pytest.approx(-math.log(np.finfo(float).eps) / 2)


def test_float32_probabilities_are_taken():
    y, proba, _ = sample(50, 3, 2)
    single = score_classification(y, proba.astype(np.float32), 3)
    assert single["AUC_macro"] == pytest.approx(score_classification(y, proba, 3)["AUC_macro"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_probabilities_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="not finite"):
        score_classification([0, 1], [[0.5, bad], [0.5, 0.5]], 2)


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"must have shape \(2, 3\); got \(2, 2\)"):
        score_classification([0, 1], np.eye(2), 3)


def test_unknown_metric_is_refused_with_a_hint():
    with pytest.raises(ConfigError, match="Did you mean 'AUC_weighted'"):
        score_primary("AUC_weightd", [0, 1], np.eye(2), n_classes=2)


BINARY = {spec.name for spec in metrics_for(Task.CLASSIFICATION, has_positive=True)} - set(NAMES)


@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted rows"])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("positive", [0, 1])
def test_metrics_of_the_positive_class_equal_scikit_learn(positive, n_classes, is_weighted):
    y, proba, weight = sample(120, n_classes, 8, with_ties=True)
    weight = weight if is_weighted else None
    scores = score_classification(y, proba, n_classes, sample_weight=weight, positive=positive)
    is_true, score = y == positive, proba[:, positive]
    said = proba.argmax(axis=1) == positive
    expected = {
        "AUC_binary": sk.roc_auc_score(is_true, score, sample_weight=weight),
        "average_precision_score_binary": sk.average_precision_score(
            is_true, score, sample_weight=weight
        ),
        "f1_score_binary": sk.f1_score(is_true, said, sample_weight=weight),
        "precision_score_binary": sk.precision_score(is_true, said, sample_weight=weight),
        "recall_score_binary": sk.recall_score(is_true, said, sample_weight=weight),
    }
    assert {name: scores[name] for name in BINARY} == pytest.approx(expected, abs=1e-12)
    for name in BINARY:
        alone = score_primary(
            name, y, proba, n_classes=n_classes, sample_weight=weight, positive=positive
        )
        assert alone == scores[name]


def test_a_positive_class_changes_no_other_metric():
    y, proba, _ = sample(60, 2, 9)
    with_it = score_classification(y, proba, 2, positive=1)
    assert set(with_it) - BINARY == set(NAMES)
    assert {name: with_it[name] for name in NAMES} == score_classification(y, proba, 2)


def test_a_positive_class_without_rows_has_no_metrics():
    scores = score_classification([0, 0], np.eye(3)[[0, 2]], 3, positive=2)
    assert all(math.isnan(scores[name]) for name in BINARY)


def test_metrics_of_a_class_need_the_class():
    with pytest.raises(KeyError):
        score_primary("AUC_binary", [0, 1], np.eye(2), n_classes=2)


@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted rows"])
def test_a_fold_without_a_class_equals_scikit_learn_on_the_others(is_weighted):
    y, proba, weight = sample(90, 4, 11)
    keep = y != 2
    y, proba, weight = y[keep], proba[keep], weight[keep] if is_weighted else None
    scores = score_classification(y, proba, 4, sample_weight=weight)
    labels, predicted = [0, 1, 3], proba.argmax(axis=1)
    for average in ("macro", "weighted"):
        known = {"labels": labels, "average": average, "sample_weight": weight, "zero_division": 0}
        expected = {
            "precision_score": sk.precision_score(y, predicted, **known),
            "recall_score": sk.recall_score(y, predicted, **known),
            "f1_score": sk.f1_score(y, predicted, **known),
            "average_precision_score": sk.average_precision_score(
                np.eye(4)[y][:, labels], proba[:, labels], average=average, sample_weight=weight
            ),
        }
        found = {name: scores[f"{name}_{average}"] for name in expected}
        assert found == pytest.approx(expected, abs=1e-12)
    assert scores["log_loss"] == pytest.approx(
        sk.log_loss(y, proba, labels=range(4), sample_weight=weight)
    )


def test_constant_predictions_equal_scikit_learn():
    y, _, weight = sample(80, 3, 12)
    proba = np.tile([0.2, 0.5, 0.3], (80, 1))
    scores = score_classification(y, proba, 3, sample_weight=weight)
    expected = by_sklearn(y, proba, weight)
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=1e-12)
