"""The learning of the portfolio's order."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.portfolio import Results, by_pace, curve, ensemble_loss, learn, starts_of
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.search.order import Start, learned_order

FIRST = Start(family="LightGBM", entry=0)
GOOD = Start(family="KNN", entry=0)
DEAR = Start(family="KNN", entry=1)
BAD = Start(family="ElasticNet", entry=0)


def results(seed: int = 0) -> Results:
    """Return a table on which `GOOD` and `DEAR` mend what the first start misses."""
    rng = np.random.default_rng(seed)
    y, y_test = rng.normal(size=200), rng.normal(size=300)
    found = Results(f"made{seed}", "regression", y, y_test)
    for start, noise, seconds in ((FIRST, 0.5, 1.0), (GOOD, 0.4, 1.0), (DEAR, 0.4, 50.0)):
        found.oof[start] = y + noise * rng.normal(size=200)
        found.test[start] = y_test + noise * rng.normal(size=300)
        found.seconds[start] = seconds
    found.oof[BAD] = 9.0 * rng.normal(size=200)
    found.test[BAD] = 9.0 * rng.normal(size=300)
    found.seconds[BAD] = 0.1
    return found


def test_what_helps_for_its_cost_comes_first() -> None:
    assert learn([results(0), results(1)]) == [FIRST, GOOD, DEAR]


def test_an_ensemble_is_chosen_without_the_test_rows() -> None:
    table = results()
    before = ensemble_loss(table, [FIRST, GOOD])
    assert before < min(table.loss(table.test[s]) for s in (FIRST, GOOD))
    table.test[BAD] = table.y_test  # would be perfect, if the test rows were looked at
    assert ensemble_loss(table, [FIRST, GOOD, BAD]) == pytest.approx(before)


def test_a_curve_starts_at_the_first_start() -> None:
    values = curve(results(), [FIRST, GOOD, DEAR])
    assert values[0] < 1.0
    assert values[-1] <= values[0]


def test_starts_are_those_that_the_data_allow() -> None:
    few = list(starts_of(Task.REGRESSION, frozenset({Representation.TREE}), logs=False))
    many = list(starts_of(Task.REGRESSION, frozenset(Representation), logs=True))
    assert not any(start.features or start.target for start in few)
    assert set(few) < set(many)
    assert {s.target for s in many} == {"", "log"}


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_the_learned_order_names_what_there_is(task: Task) -> None:
    """An entry whose family lost it would be passed over without a word."""
    known = set(starts_of(task, frozenset(Representation), logs=task is Task.REGRESSION))
    order = learned_order(task)
    assert set(order) <= known
    assert len(set(order)) == len(order)


def test_the_order_by_pace_has_every_entry() -> None:
    table = results()
    assert len(by_pace(table)) == len(set(by_pace(table)))
    assert all(not start.features for start in by_pace(table))
