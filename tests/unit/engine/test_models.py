"""What single model families must not do; the contract of all is in tests/contract."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import r2_score, roc_auc_score

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import FitContext
from nbautoml.engine.models.catalog import get_family

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4_000, 6)).astype(np.float32)
X[:, 1] = X[:, 0] + 0.05 * X[:, 1]
SIGNAL = (X @ [1.0, 0.5, 0.0, 0.0, 0.3, 0.0] + 0.1 * RNG.normal(size=len(X))).astype(np.float64)


@pytest.mark.parametrize("at", range(2))
def test_no_penalty_leads_descent_to_numbers_astray(at: int) -> None:
    params = get_family("SGD").portfolio(Task.REGRESSION)[at]
    context = FitContext(task=Task.REGRESSION)
    model = get_family("SGD").fit(X, SIGNAL, params=params, context=context).model
    assert r2_score(SIGNAL, model.predict(X)) > 0.95


@pytest.mark.parametrize("at", range(2))
def test_no_penalty_leads_descent_to_classes_astray(at: int) -> None:
    y = (SIGNAL > 0).astype(int)
    params = get_family("SGD").portfolio(Task.CLASSIFICATION)[at]
    context = FitContext(task=Task.CLASSIFICATION, n_classes=2)
    model = get_family("SGD").fit(X, y, params=params, context=context).model
    assert roc_auc_score(y, model.predict_proba(X)[:, 1]) > 0.98


@pytest.mark.parametrize(("made", "expected"), [(np.asarray, 1), (sparse.csr_matrix, 2)])
def test_neighbours_of_sparse_rows_are_found_by_the_usual_distance(made, expected) -> None:
    rows = made(np.where(np.abs(X[:200]) > 1, X[:200], 0))
    params = {"n_neighbors": 3, "weights": "uniform", "p": 1}
    context = FitContext(task=Task.REGRESSION)
    assert (
        get_family("KNN").fit(rows, SIGNAL[:200], params=params, context=context).model.p
        == expected
    )
