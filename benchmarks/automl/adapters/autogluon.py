"""AutoGluon's `best_quality` preset on processors only.

Its parallel folds need ray, which is not part of a plain installation: folds run one after the
other, each with all threads.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor

from benchmarks.automl.adapters.contract import Request, folder_bytes, numbers, serve

METRICS = {
    "auc": "roc_auc",
    "log_loss": "log_loss",
    "accuracy": "accuracy",
    "rmse": "root_mean_squared_error",
}


class AutoGluon:
    """Writes its models to disk while it fits; `persist` reads the needed ones for prediction."""

    packages: tuple[str, ...] = (
        "autogluon.tabular",
        *("lightgbm", "xgboost-cpu", "catboost", "torch", "fastai", "pandas", "scikit-learn"),
    )

    def start(self, request: Request) -> None:
        self._folder = Path(request.folder) / "autogluon"

    def fit(self, train: pd.DataFrame, request: Request) -> None:
        self._is_classification = request.is_classification
        self._predictor = TabularPredictor(
            label=request.label,
            problem_type=request.task,
            eval_metric=METRICS[request.metric],
            path=str(self._folder),
        ).fit(
            train,
            presets="best_quality",
            time_limit=request.seconds,
            num_cpus=request.n_threads,
            num_gpus=0,
        )

    def ready(self) -> None:
        self._predictor.persist()

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        if self._is_classification:
            proba: pd.DataFrame = self._predictor.predict_proba(rows)
            return proba
        return numbers(self._predictor.predict(rows))

    def n_models(self) -> int:
        return len(self._predictor.model_names())

    def size_bytes(self) -> int:
        return folder_bytes(self._folder)


if __name__ == "__main__":
    serve(AutoGluon())
