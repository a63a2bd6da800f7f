"""Settings with which a fit needs half the memory."""

from __future__ import annotations

import pytest

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.models.catalog import get_family

SHAPE = DataShape(n_rows=1_000_000, n_columns=50, n_classes=2)


def test_half_the_size_needs_less_memory() -> None:
    family = get_family("LightGBM")
    for params in family.portfolio(Task.CLASSIFICATION):
        smaller = family.half_size(params)
        assert smaller is not None
        assert smaller.keys() == dict(params).keys()
        assert family.memory(smaller, SHAPE) < family.memory(params, SHAPE)
        assert {n: type(v) for n, v in smaller.items()} == {n: type(v) for n, v in params.items()}


@pytest.mark.parametrize("name", ["KNN", "RandomForest"])
def test_a_family_without_such_a_setting_has_no_smaller_size(name: str) -> None:
    family = get_family(name)
    assert family.half_size(family.portfolio(Task.CLASSIFICATION)[0]) is None


@pytest.mark.parametrize("name", ["RandomForest", "ExtremeRandomTrees"])
@pytest.mark.parametrize("n_classes", [0, 2, 100])
def test_a_forest_stays_small_on_any_number_of_rows(name: str, n_classes: int) -> None:
    family = get_family(name)
    for n_rows in (100, 10_000, 1_000_000):
        shape = DataShape(n_rows=n_rows, n_columns=50, n_classes=n_classes)
        rows = family.memory({"min_samples_leaf": n_rows}, shape)
        for leaf in (1, 5, 40):
            trees = family.memory({"min_samples_leaf": leaf}, shape) - rows
            assert trees < 32e6
