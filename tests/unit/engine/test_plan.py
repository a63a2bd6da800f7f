"""What a plan says of its own limits."""

from __future__ import annotations

import pytest

from nbautoml.domain.tasks import Task
from nbautoml.engine.plan import EnsembleOptions, Limits, SearchPlan

FEW_ROWS = 100


def plan(*, voting: bool = True, **limits: object) -> SearchPlan:
    return SearchPlan(
        task=Task.CLASSIFICATION,
        primary_metric="accuracy",
        models=("KNN",),
        limits=Limits(**limits),  # type: ignore[arg-type] # given by each test
        ensemble=EnsembleOptions(enable_voting=voting),
    )


@pytest.mark.parametrize(
    ("iterations", "voting", "singles"),
    [(10, True, 9), (10, False, 10), (1, True, 1), (None, True, None)],
)
def test_the_vote_is_one_of_the_iterations(
    iterations: int | None, voting: bool, singles: int | None
) -> None:
    assert plan(voting=voting, max_iterations=iterations).max_singles(FEW_ROWS) == singles


@pytest.mark.parametrize(
    ("iterations", "n_rows", "singles"), [(10, 749, 9), (10, 750, 8), (4, 750, 3), (5, 750, 3)]
)
def test_the_stack_is_another_where_there_is_one(
    iterations: int, n_rows: int, singles: int
) -> None:
    assert plan(max_iterations=iterations).max_singles(n_rows) == singles


def test_models_of_many_folds_are_not_fitted_again() -> None:
    options = EnsembleOptions()
    assert [k for k in (1, 3, 5, 10) if options.has_refits(k)] == [1, 3, 5]
    assert not EnsembleOptions(enable_refit=False).has_refits(3)


def test_iterations_make_a_counted_run() -> None:
    assert plan(max_iterations=5, timeout_seconds=60.0).is_counted
    assert not plan(timeout_seconds=60.0).is_counted


def test_a_run_without_limits_stops_for_lack_of_gain() -> None:
    assert Limits(enable_early_stopping=False).stops_early
    assert not Limits(enable_early_stopping=False, max_iterations=5).stops_early
    assert Limits(enable_early_stopping=True, max_iterations=5).stops_early


def test_the_metric_is_that_of_the_name() -> None:
    assert plan().metric.name == "accuracy"
