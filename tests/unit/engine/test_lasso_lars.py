"""A path of least angle that runs away is cut where it was still sane."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LassoLars as SklearnLassoLars

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import FitContext
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.models.tabular.lasso_lars import keep_sane


def twins(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return three columns, each with one that is nearly alike, and a label of the first."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(200, 3))
    like = columns + 1e-8 * rng.normal(size=columns.shape)
    label = columns[:, 0] + 0.1 * rng.normal(size=200) + 3e-6 * rng.normal(size=200)
    return np.column_stack([columns, like]), label


@pytest.mark.parametrize("seed", [2, 3])
def test_columns_that_cancel_out_do_not_run_away(seed: int) -> None:
    X, y = twins(seed)
    context = FitContext(task=Task.REGRESSION)
    model = get_family("LassoLars").fit(X, y, params={"alpha": 1e-8}, context=context).model
    assert np.abs(model.coef_).max() < 20
    assert model.score(X, y) > 0.95
    X[:, 3:] = np.random.default_rng(0).normal(size=(200, 3))
    assert np.abs(model.predict(X)).max() < 100


def test_the_last_sane_point_of_the_path_is_kept() -> None:
    X, y = twins(0)
    path = np.zeros((6, 4))
    path[0] = [0.0, 0.5, 0.9, 1.0]
    path[1, 3], path[4, 3] = 1e9, -1e9
    model = SimpleNamespace(coef_path_=path, coef_=path[:, -1], intercept_=0.0)
    keep_sane(model, X, y)
    assert model.coef_.tolist() == [0.9, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert model.intercept_ == pytest.approx(float(np.mean(y - 0.9 * X[:, 0])))


def test_a_sane_path_is_left_as_it_is() -> None:
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(100, 4)), rng.normal(size=100)
    y = X @ [1.0, 2.0, 0.0, -1.0] + noise
    alpha = 0.01
    plain = SklearnLassoLars(alpha=alpha * y.std(), max_iter=300).fit(X, y)
    context = FitContext(task=Task.REGRESSION)
    model = get_family("LassoLars").fit(X, y, params={"alpha": alpha}, context=context).model
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-6)
