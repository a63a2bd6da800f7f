"""Fits on graphics cards, as far as they can be seen without one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost

from nbautoml import AutoMLConfig
from nbautoml.automl.graphics_cards import check_families, families_for_gpu
from nbautoml.domain.tasks import Task
from nbautoml.engine.devices import CARDS_VARIABLE, device_for
from nbautoml.engine.models._base import DataShape, FitContext
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.models.tabular import light_gbm
from nbautoml.engine.trial import RefitJob
from nbautoml.errors import ConfigError

SHAPE = DataShape(n_rows=100, n_columns=3, n_classes=2)
ON_CARD = FitContext(task=Task.CLASSIFICATION, n_classes=2, device="cuda:1")
ON_CORES = FitContext(task=Task.CLASSIFICATION, n_classes=2)


def settings(name: str, context: FitContext) -> dict[str, Any]:
    family = get_family(name)
    params = family.portfolio(context.task)[0]
    built: dict[str, Any] = family.build(params, SHAPE, context).get_params()
    return built


def test_a_task_computes_on_its_own_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CARDS_VARIABLE, "3")
    assert (device_for(True), device_for(False)) == ("cuda:3", "cpu")
    monkeypatch.delenv(CARDS_VARIABLE)
    assert device_for(True) == "cuda:0"


def test_boosters_are_told_their_card() -> None:
    assert settings("XGBoostClassifier", ON_CARD)["device"] == "cuda:1"
    found = settings("LightGBM", ON_CARD)
    assert (found["device_type"], found["gpu_device_id"]) == ("cuda", 1)
    assert "force_row_wise" not in found


def test_without_a_card_they_are_told_nothing() -> None:
    assert settings("XGBoostClassifier", ON_CORES).get("device") is None
    assert "device_type" not in settings("LightGBM", ON_CORES)


@pytest.mark.parametrize("is_built", [True, False])
def test_only_a_build_with_cuda_takes_a_card(
    is_built: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": is_built})
    assert get_family("XGBoostClassifier").takes_gpu({}) is is_built

    def boost(*_: Any, **__: Any) -> None:
        text = (
            "No card is there." if is_built else "CUDA Tree Learner was not enabled in this build"
        )
        raise lightgbm.basic.LightGBMError(text)

    monkeypatch.setattr(light_gbm.lightgbm, "Booster", boost)
    light_gbm._has_cuda.cache_clear()
    assert get_family("LightGBM").takes_gpu({"linear_tree": False}) is is_built
    assert get_family("LightGBM").takes_gpu({"linear_tree": True}) is False
    light_gbm._has_cuda.cache_clear()


def test_the_installed_lightgbm_says_what_it_was_built_without() -> None:
    light_gbm._has_cuda.cache_clear()
    assert light_gbm._has_cuda() in {True, False}
    light_gbm._has_cuda.cache_clear()


def test_a_model_from_a_card_predicts_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    family = get_family("XGBoostClassifier")
    X = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    asked: list[str] = []
    fit = xgboost.XGBClassifier.fit

    def fit_on_cores(model: Any, *rows: Any, **more: Any) -> Any:
        asked.append(model.device)
        return fit(model.set_params(device="cpu"), *rows, **more)

    monkeypatch.setattr(xgboost.XGBClassifier, "fit", fit_on_cores)
    params = family.portfolio(Task.CLASSIFICATION)[0]
    model = family.fit(X, y, params=params, context=ON_CARD).model
    assert asked == ["cuda:1"]
    assert model.device == "cpu"
    assert model.predict_proba(X).shape == (80, 2)


def config(*models: str) -> AutoMLConfig:
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0, 2.0], "y": [0, 1]})
    return AutoMLConfig(
        "classification",
        training_data=frame,
        label_column_name="y",
        allowed_models=list(models),
        enable_gpu=True,
    )


def test_which_models_of_a_run_use_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": True})
    assert families_for_gpu(config("KNN", "XGBoostClassifier")) == ("XGBoostClassifier",)
    check_families(config("KNN", "XGBoostClassifier"))
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": False})
    with pytest.raises(ConfigError, match="none of the run's models"):
        check_families(config("KNN", "XGBoostClassifier"))


def test_jobs_ask_for_no_card_unless_told() -> None:
    job = SimpleNamespace(**dict.fromkeys(("data", "out", "candidate"), None))
    made = RefitJob(
        data=job.data, out=job.out, candidate=job.candidate, key="k", seed=0, rounds=1, threads=1
    )
    assert made.use_gpu is False
