"""What is tried next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models._base import DataShape
from nbautoml.engine.models.catalog import families_for, get_family
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.search.order import learned_order
from nbautoml.engine.search.proposer import PortfolioThenSteps
from nbautoml.testing.fast_family import FAST_FAMILY

SMALL = DataShape(n_rows=300, n_columns=12, n_classes=2)


def proposer(
    models: Sequence[str] = families_for(Task.CLASSIFICATION), seed: int = 0
) -> PortfolioThenSteps:
    return PortfolioThenSteps(models, task=Task.CLASSIFICATION, shape=SMALL, seed=seed)


def drive(
    source: PortfolioThenSteps, n: int, loss: Callable[[Candidate], float]
) -> list[Candidate]:
    candidates = []
    for _ in range(n):
        candidate = source.ask(candidates[:3])
        assert candidate is not None
        source.tell(candidate, loss=loss(candidate), cost=1.0)
        candidates.append(candidate)
    return candidates


def mixed_loss(candidate: Candidate) -> float:
    return (sum(map(ord, candidate.identity)) % 97) / 97


def test_every_family_that_suits_is_in_the_portfolio() -> None:
    source = proposer()
    tried = drive(source, source.portfolio_size, mixed_loss)
    suited = {m for m in families_for(Task.CLASSIFICATION) if get_family(m).suits(SMALL)}
    assert {c.family for c in tried} == suited
    assert tried[0].family == "LightGBM"


def test_a_model_for_small_data_is_tried_on_large_data_where_there_is_no_other() -> None:
    large = DataShape(n_rows=1_000_000, n_columns=12, n_classes=2)
    for models, expected in ((("SVM",), "SVM"), (("SVM", "SGD"), "SGD")):
        source = PortfolioThenSteps(models, task=Task.CLASSIFICATION, shape=large, seed=0)
        assert {c.family for c in drive(source, 3, mixed_loss)} == {expected}


def test_kinds_of_models_alternate_early() -> None:
    first = drive(proposer(), 5, mixed_loss)
    assert {"LightGBM", "LogisticRegression"} < {c.family for c in first}
    assert len({c.family for c in first}) >= 3


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_the_portfolio_is_tried_first_and_whole(task: Task) -> None:
    models = families_for(task)
    source = PortfolioThenSteps(models, task=task, shape=SMALL, seed=0)
    tried = drive(source, source.portfolio_size, mixed_loss)
    wanted = [(m, params) for m in models for params in get_family(m).portfolio(task)]
    assert len(tried) == len(wanted)
    assert all((c.family, dict(c.params)) in wanted for c in tried)


def test_the_learned_order_comes_first() -> None:
    features = frozenset(Representation)
    source = PortfolioThenSteps(
        families_for(Task.REGRESSION),
        task=Task.REGRESSION,
        shape=SMALL,
        seed=0,
        representations=features,
        may_log=True,
    )
    order = learned_order(Task.REGRESSION)
    tried = drive(source, len(order), mixed_loss)
    assert [(c.family, c.features, c.target) for c in tried] == [
        (start.family, start.features, start.target) for start in order
    ]


def test_features_that_the_data_lack_are_never_tried() -> None:
    source = PortfolioThenSteps(
        families_for(Task.CLASSIFICATION), task=Task.CLASSIFICATION, shape=SMALL, seed=0
    )
    tried = drive(source, 150, mixed_loss)
    assert {(c.features, c.target) for c in tried} == {("", "")}


def test_steps_change_features_and_target() -> None:
    source = PortfolioThenSteps(
        ["LightGBM"],
        task=Task.REGRESSION,
        shape=SMALL,
        seed=0,
        representations=frozenset(Representation),
        may_log=True,
    )
    tried = drive(source, 150, mixed_loss)
    assert {c.features for c in tried} == {"", "native", "linear", "target_encoded", "crossed"}
    assert {c.target for c in tried} == {"", "log"}
    assert all((c.scaler == "") == (c.features == "native") for c in tried)


def test_nothing_is_proposed_twice() -> None:
    tried = drive(proposer(), 120, mixed_loss)
    assert len({c.identity for c in tried}) == 120


def test_proposals_lie_in_the_space() -> None:
    for candidate in drive(proposer(), 80, mixed_loss):
        family = get_family(candidate.family)
        space = family.space(Task.CLASSIFICATION)
        assert list(candidate.params) == list(space.dimensions)
        assert candidate.scaler in family.scalers
        point = space.encode(candidate.params)
        assert all(0.0 <= u <= 1.0 for u in point)
        assert space.encode(space.decode(point)) == pytest.approx(point, abs=0.02)


def test_the_same_seed_proposes_the_same() -> None:
    first, second = (drive(proposer(seed=3), 60, mixed_loss) for _ in range(2))
    assert first == second


def test_another_seed_searches_elsewhere() -> None:
    first, second = (drive(proposer(seed=s), 60, mixed_loss) for s in (1, 2))
    assert first[:21] == second[:21]
    assert first[21:] != second[21:]


def test_a_family_that_does_not_suit_the_data_is_left_out() -> None:
    large = DataShape(n_rows=10**6, n_columns=12, n_classes=2)
    source = PortfolioThenSteps(("LightGBM", "KNN"), task=Task.CLASSIFICATION, shape=large, seed=0)
    assert {c.family for c in drive(source, 30, mixed_loss)} == {"LightGBM"}


def test_search_turns_to_the_family_that_gains() -> None:
    def loss(candidate: Candidate) -> float:
        if candidate.family == "KNN":
            return 0.9
        return 0.3 + abs(np.log10(candidate.params["C"]) - 2.0) / 10

    source = proposer(("LogisticRegression", "KNN"))
    tried = drive(source, 80, loss)[source.portfolio_size :]
    assert sum(c.family == "LogisticRegression" for c in tried) > 0.7 * len(tried)


def test_search_comes_closer_to_the_best_settings() -> None:
    def loss(candidate: Candidate) -> float:
        return abs(float(np.log10(candidate.params["x"])) + 4.0)

    tried = drive(proposer((FAST_FAMILY,)), 40, loss)
    assert min(loss(c) for c in tried) < 0.05 < min(loss(c) for c in tried[:2])


def test_failures_are_taken_in() -> None:
    source = proposer(("KNN",))
    for _ in range(30):
        candidate = source.ask()
        assert candidate is not None
        source.tell(candidate, loss=None, cost=1.0)


def test_what_was_told_is_not_proposed() -> None:
    first = proposer().ask()
    assert first is not None
    source = proposer()
    source.tell(first, loss=0.5, cost=1.0)
    assert source.ask() != first


def test_without_families_there_is_nothing_to_try() -> None:
    source = PortfolioThenSteps((), task=Task.CLASSIFICATION, shape=SMALL, seed=0)
    assert source.ask() is None
