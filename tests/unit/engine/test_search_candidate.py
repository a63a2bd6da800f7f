"""Keys and seeds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.search.candidate import (
    Candidate,
    candidate_from,
    candidate_key,
    fold_seed,
)

CANDIDATE = Candidate(
    family="KNN", model_name="KNN", params={"n_neighbors": 3, "p": 2}, scaler="MaxAbsScaler"
)


def test_a_pipeline_is_named_after_scaler_and_model() -> None:
    assert CANDIDATE.pipeline == "MaxAbsScaler, KNN"
    assert replace(CANDIDATE, scaler="").pipeline == "KNN"


def test_the_order_of_settings_does_not_change_the_key() -> None:
    other = replace(CANDIDATE, params={"p": 2, "n_neighbors": 3})
    keys = {candidate_key(c, data="d", seed=0, n_folds=5) for c in (CANDIDATE, other)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    "change", [{"data": "e"}, {"seed": 1}, {"n_folds": 4}], ids=["data", "seed", "folds"]
)
def test_the_key_depends_on_all_that_results_depend_on(change: dict[str, object]) -> None:
    given = {"data": "d", "seed": 0, "n_folds": 5}
    assert candidate_key(CANDIDATE, **given) != candidate_key(CANDIDATE, **(given | change))


def test_the_key_depends_on_settings_scaler_and_features() -> None:
    others = [
        replace(CANDIDATE, params={"p": 1}),
        replace(CANDIDATE, scaler="RobustScaler"),
        replace(CANDIDATE, features="tree"),
    ]
    keys = {candidate_key(c, data="d", seed=0, n_folds=5) for c in (CANDIDATE, *others)}
    assert len(keys) == 4


@pytest.mark.parametrize("features", ["", "tree"])
def test_a_candidate_is_read_back_from_what_is_shown_of_it(features: str) -> None:
    candidate = replace(CANDIDATE, features=features)
    shown = candidate.shown_params
    assert ("features" in shown) == bool(features)
    again = candidate_from(shown, family="KNN", model_name="KNN", scaler="MaxAbsScaler")
    assert again == candidate


def test_features_are_the_familys_own_unless_others_are_named() -> None:
    assert CANDIDATE.representation is Representation.LINEAR
    assert replace(CANDIDATE, features="tree").representation is Representation.TREE


def test_each_fit_has_its_own_seed() -> None:
    seeds = {fold_seed(s, k, f) for s in (0, 1) for k in ("a", "b") for f in (-1, 0, 1)}
    assert len(seeds) == 12
    assert all(0 <= seed < 2**31 - 1 for seed in seeds)
