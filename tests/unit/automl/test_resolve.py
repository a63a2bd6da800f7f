"""From checked settings to a plan in which nothing is left open."""

from __future__ import annotations

import pandas as pd
import pytest

from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.model_names import available, canonical, for_task
from nbautoml.automl.resolve import COUNTED_CONCURRENT, resolve
from nbautoml.domain.tasks import Task
from nbautoml.engine.models.catalog import FAMILIES, families_for
from nbautoml.engine.plan import SearchPlan
from nbautoml.errors import ConfigError, MissingExtraError

FRAME = pd.DataFrame({"a": range(20), "y": ["p", "q"] * 10})


def plan_of(**settings: object) -> SearchPlan:
    config = AutoMLConfig("classification", training_data=FRAME, label_column_name="y", **settings)
    # A run reads its settings back from the store.
    again = AutoMLConfig.from_dict(config.to_dict())
    return resolve(again, n_slots=2, timeout_seconds=60.0)


def test_what_is_not_given_is_decided() -> None:
    plan = plan_of()
    assert plan.task is Task.CLASSIFICATION
    assert plan.primary_metric == "accuracy"
    assert plan.limits.max_concurrent == 2
    assert plan.limits.timeout_seconds == 60.0
    assert plan.ensemble.enable_voting
    assert plan.featurization.is_auto
    assert plan.models == available(Task.CLASSIFICATION)


def test_limits_are_in_seconds_and_trials() -> None:
    limits = plan_of(
        iterations=7,
        iteration_timeout_minutes=0.5,
        experiment_exit_score=0.9,
        max_concurrent_iterations=1,
        enable_early_stopping=False,
    ).limits
    assert (limits.max_iterations, limits.iteration_timeout_seconds) == (7, 30.0)
    assert (limits.exit_score, limits.max_concurrent) == (0.9, 1)
    assert not limits.enable_early_stopping


def test_a_counted_run_looks_the_same_on_every_machine() -> None:
    assert plan_of(iterations=7).limits.max_concurrent == COUNTED_CONCURRENT


def test_memory_for_a_fit_is_in_megabytes() -> None:
    assert plan_of(mem_in_mb=700).limits.memory_limit_bytes == 700_000_000
    assert plan_of().limits.memory_limit_bytes is None


def test_a_stack_is_made_of_enough_rows_or_when_it_is_asked_for() -> None:
    assert [plan_of().ensemble.has_stack(n) for n in (749, 750)] == [False, True]
    assert plan_of(enable_stack_ensemble=True).ensemble.has_stack(20)
    assert not plan_of(enable_stack_ensemble=False).ensemble.has_stack(10_000)


def test_settings_of_ensembles_reach_the_plan() -> None:
    given = plan_of(
        enable_voting_ensemble=False,
        ensemble_iterations=4,
        stack_meta_learner_type="lightgbmclassifier",
        stack_meta_learner_kwargs={"num_leaves": 8},
        stack_meta_learner_train_percentage=0.4,
    ).ensemble
    assert (given.enable_voting, given.max_members) == (False, 4)
    assert given.meta_learner == "LightGBMClassifier"
    assert given.meta_learner_params == {"num_leaves": 8}
    assert given.meta_learner_train_share == 0.4


def test_models_are_chosen_and_blocked() -> None:
    assert plan_of(allowed_models=["knn", "lightgbm"]).models == ("KNN", "LightGBM")
    assert "KNN" not in plan_of(blocked_models=["KNN"]).models


def test_a_family_of_ones_own_is_named_by_its_path() -> None:
    path = "nbautoml.testing.fast_family:FastFamily"
    assert plan_of(allowed_models=[path]).models == (path,)


@pytest.mark.parametrize(("given", "expected"), [("auto", None), (4, 4)])
def test_auto_folds_are_left_to_the_number_of_rows(given: object, expected: int | None) -> None:
    assert plan_of(n_cross_validations=given).validation.n_cross_validations == expected


def test_ensembles_can_be_set() -> None:
    assert not plan_of(enable_voting_ensemble=False).ensemble.enable_voting
    assert plan_of(ensemble_iterations=3).ensemble.max_members == 3
    assert plan_of(featurization="off").featurization.is_auto is False


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_the_models_of_a_config_are_those_of_the_engine(task: Task) -> None:
    assert set(available(task)) == set(families_for(task))


@pytest.mark.parametrize("name", FAMILIES.names())
def test_every_alias_of_a_family_is_understood_in_a_config(name: str) -> None:
    family = FAMILIES.get(name)
    for task in family.tasks:
        found = {for_task(canonical(alias), task) for alias in family.aliases}
        assert found <= set(available(task)), family.aliases
        if not name.startswith("XGBoost"):  # its short name means the task's own
            assert found <= {name}


def test_families_without_a_converter_are_left_out_for_onnx(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nbautoml.automl.checks.check_extra", lambda *a, **k: None)
    monkeypatch.setattr("nbautoml.automl.model_names.is_installed", lambda name: True)
    asked = {"enable_onnx_compatible_models": True}

    assert "CatBoost" in plan_of().models
    assert plan_of(**asked).models == tuple(m for m in plan_of().models if m != "CatBoost")
    with pytest.raises(ConfigError, match="leaves no model to try.*CatBoost: its trees"):
        plan_of(**asked, allowed_models=["CatBoost"])


@pytest.mark.parametrize(
    ("setting", "extra"), [("enable_onnx_compatible_models", "onnx"), ("save_mlflow", "mlflow")]
)
def test_a_missing_package_is_told_before_the_run(
    setting: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbautoml.registry.extras.find_spec", lambda module: None)

    with pytest.raises(MissingExtraError, match=rf"pip install 'nbautoml\[{extra}\]'"):
        plan_of(**{setting: True})
