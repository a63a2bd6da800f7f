"""Settings with which a fit needs half the memory."""

from __future__ import annotations

import pytest

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.models.catalog import get_family

SHAPE = DataShape(n_rows=1_000_000, n_columns=50, n_classes=2)


@pytest.mark.parametrize("name", ["LightGBM", "RandomForest", "ExtremeRandomTrees"])
def test_half_the_size_needs_less_memory(name: str) -> None:
    family = get_family(name)
    for params in family.portfolio(Task.CLASSIFICATION):
        smaller = family.half_size(params)
        assert smaller is not None
        assert smaller.keys() == dict(params).keys()
        assert family.memory(smaller, SHAPE) < family.memory(params, SHAPE)
        assert {n: type(v) for n, v in smaller.items()} == {n: type(v) for n, v in params.items()}


def test_a_family_without_such_a_setting_has_no_smaller_size() -> None:
    family = get_family("KNN")
    assert family.half_size(family.portfolio(Task.CLASSIFICATION)[0]) is None
