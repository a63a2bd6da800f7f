"""Whole runs of which the user said something about the features."""

from __future__ import annotations

import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.automl.featurization_config import FeaturizationConfig
from nbautoml.domain.tasks import Task
from nbautoml.engine.finder import find_model
from nbautoml.engine.plan import Limits, SearchPlan
from nbautoml.errors import ConfigError
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)

N = 160
RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(
    {
        "size": np.where(RNG.random(N) < 0.1, np.nan, RNG.normal(size=N)),
        "code": RNG.choice([10, 20, 30], N),
        "city": [f"city{i}" for i in RNG.integers(0, 60, N)],
        "note": [
            f"{a} {b} wine of {i}" for i, (a, b) in enumerate(RNG.choice(list("uvw"), (N, 2)))
        ],
        "extra": RNG.normal(size=N),
    }
)
FRAME["number"] = 20 * FRAME["extra"] + FRAME["code"]
FRAME["label"] = (FRAME["extra"] > 0).astype(float)

CONFIG = FeaturizationConfig(
    blocked_transformers=["TfIdf", "CountVectorizer"],
    column_purposes={"code": "Numeric"},
    transformer_params={
        "Imputer": [(["size"], {"strategy": "median"})],
        "HashOneHotEncoder": [([], {"number_of_bits": 4})],
    },
    drop_columns=["number"],
)


def found(folder: Path, config: FeaturizationConfig, label: str, task: Task) -> list[Any]:
    """Return the models of all trials of a short run, the ensemble last."""
    is_class = task is Task.CLASSIFICATION
    artifacts, executor = FolderArtifacts(folder / "artifacts"), InProcessExecutor()
    find_model(
        FRAME if label == "number" else FRAME.drop(columns="number"),
        label,
        SearchPlan(
            task=task,
            primary_metric="accuracy" if is_class else "normalized_root_mean_squared_error",
            models=("LogisticRegression" if is_class else "ElasticNet", "KNN"),
            limits=Limits(max_iterations=4, enable_early_stopping=False),
            featurization=config.to_options(),
        ),
        executor=executor,
        events=MemoryEvents(),
        artifacts=artifacts,
        control=ScriptedControl(),
        scratch=folder / "scratch",
        clock=time.time,
    )
    executor.close()
    paths = [artifacts.local_path(number, "outputs/model.pkl") for number in range(4)]
    return [pickle.loads(path.read_bytes()) for path in paths]


def test_every_model_obeys_and_says_so(tmp_path: Path) -> None:
    config = FeaturizationConfig.from_dict({**CONFIG.to_dict(), "drop_columns": ["extra"]})
    for model in found(tmp_path, config, "label", Task.CLASSIFICATION):
        rows = model.named_steps["datatransformer"].get_featurization_summary()
        summary = {row["RawFeatureName"]: row for row in rows}
        assert summary["size"]["Tranformations"][0] == "MedianImputer"
        assert summary["code"]["TypeDetected"] == "Numeric"
        assert [r for r, row in summary.items() if row["Dropped"] == "Yes"] == ["note", "extra"]
        names = model.named_steps["datatransformer"].get_engineered_feature_names()
        assert sum(name.startswith("city_hash") for name in names) in (0, 16)
        assert sum(row["EngineeredFeatureCount"] for row in rows) == len(names)


def test_numbers_are_predicted_whole(tmp_path: Path) -> None:
    config = FeaturizationConfig(prediction_transform_type="Integer")
    for model in found(tmp_path, config, "number", Task.REGRESSION):
        answers = model.predict(FRAME)
        assert answers.dtype == np.int64
        assert np.corrcoef(answers, FRAME["number"])[0, 1] > 0.8
        assert len(np.unique(answers)) > 20


def test_classes_are_answered_whole(tmp_path: Path) -> None:
    config = FeaturizationConfig(prediction_transform_type="Integer")
    for model in found(tmp_path, config, "label", Task.CLASSIFICATION):
        assert set(model.predict(FRAME).tolist()) == {0, 1}
        assert model.classes_.dtype == np.int64


def test_classes_that_are_no_numbers_cannot_be_whole(tmp_path: Path) -> None:
    config = FeaturizationConfig(prediction_transform_type="Integer")
    with pytest.raises(ConfigError, match="'Integer', but the classes are no whole numbers"):
        found(tmp_path, config, "city", Task.CLASSIFICATION)
