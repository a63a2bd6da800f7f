"""AutoGluon's `best_quality` preset on processors only.

Its parallel folds need ray, which is not part of a plain installation: folds run one after the
other, each with all threads.
"""

from __future__ import annotations

import time
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
        """Do nothing: there is no server."""

    def fit(self, train: pd.DataFrame, request: Request) -> None:
        self._is_classification = request.is_classification
        deadline = time.monotonic() + request.seconds
        try:
            self._fit(train, request, "first", seconds=request.seconds)
        except AssertionError:
            # Without ray, when its look for overfitted stacks (DyStack) has trained no model in
            # its quarter of the time, 1.6.3 goes on with one level and finds its "Learner is
            # already fit". This does what it was about to do, in the time that is left.
            left = max(1.0, deadline - time.monotonic())
            self._fit(train, request, "second", left, dynamic_stacking=False, num_stack_levels=1)

    def _fit(
        self, train: pd.DataFrame, request: Request, name: str, seconds: float, **params: int
    ) -> None:
        self._folder = Path(request.folder) / name
        self._predictor = TabularPredictor(
            label=request.label,
            problem_type=request.task,
            eval_metric=METRICS[request.metric],
            path=str(self._folder),
        ).fit(
            train,
            presets="best_quality",
            time_limit=seconds,
            num_cpus=request.n_threads,
            num_gpus=0,
            **params,
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
