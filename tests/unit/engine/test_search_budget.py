"""Deadlines, the cost model and patience."""

from __future__ import annotations

import math

import pytest

from nbautoml.engine.search.budget import CostModel, Deadline, patience


def test_a_deadline_without_a_moment_never_comes() -> None:
    deadline = Deadline()
    assert not deadline.is_over()
    assert deadline.remaining() == math.inf
    assert not Deadline.after(None).is_limited


def test_a_deadline_comes_when_its_clock_says_so() -> None:
    now = [100.0]
    deadline = Deadline.after(5.0, lambda: now[0])
    assert deadline.remaining() == 5.0
    now[0] = 105.0
    assert deadline.is_over()


def test_a_moved_deadline_is_another_one() -> None:
    deadline = Deadline(10.0, lambda: 0.0)
    assert deadline.moved(60.0).at == 70.0
    assert deadline.at == 10.0


def test_costs_follow_what_was_measured() -> None:
    cost = CostModel()
    for _ in range(5):
        cost.observe("A", hint=0.1, seconds=1.03)
    assert cost.predict("A", hint=0.2) == pytest.approx(2.03)


def test_a_family_that_was_not_measured_borrows_the_speed_of_the_others() -> None:
    cost = CostModel()
    before = cost.predict("B", hint=1.0)
    cost.observe("A", hint=1.0, seconds=20.0)
    assert cost.predict("B", hint=1.0) > 10.0 > before


def test_costs_are_planned_above_the_mean() -> None:
    cost = CostModel()
    for seconds in (1.03, 1.03, 1.03, 1.03, 9.03):
        cost.observe("A", hint=1.0, seconds=seconds)
    assert cost.predict("A", hint=1.0) == pytest.approx(9.03)


@pytest.mark.parametrize(("n_rows", "count"), [(1, 20), (300, 20), (10_000, 40), (10**7, 100)])
def test_patience_grows_with_rows(n_rows: int, count: int) -> None:
    assert patience(n_rows) == count
