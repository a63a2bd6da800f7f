"""mljar-supervised in its mode for the best score, `Compete`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from supervised import AutoML

from benchmarks.automl.adapters.contract import Request, folder_bytes, numbers, serve

METRICS = {"auc": "auc", "log_loss": "logloss", "accuracy": "accuracy", "rmse": "rmse"}
TASKS = {
    "binary": "binary_classification",
    "multiclass": "multiclass_classification",
    "regression": "regression",
}
PREFIX = "prediction_"


class Mljar:
    """Writes models and reports to a folder; all of it counts as the model's size."""

    packages: tuple[str, ...] = ("mljar-supervised", "lightgbm", "xgboost", "catboost", "pandas")

    def start(self, request: Request) -> None:
        self._folder = Path(request.folder) / "mljar"

    def fit(self, train: pd.DataFrame, request: Request) -> None:
        self._is_classification = request.is_classification
        self._automl = AutoML(
            results_path=str(self._folder),
            mode="Compete",
            ml_task=TASKS[request.task],
            eval_metric=METRICS[request.metric],
            total_time_limit=round(request.seconds),
            n_jobs=request.n_threads,
            random_state=request.seed,
            verbose=0,
        )
        self._automl.fit(train.drop(columns=request.label), train[request.label])

    def ready(self) -> None:
        """Do nothing: the models are in memory."""

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        if not self._is_classification:
            return numbers(self._automl.predict(rows))
        found: pd.DataFrame = self._automl.predict_all(rows)
        proba = found[[c for c in found if str(c).startswith(PREFIX)]]
        return proba.rename(columns=lambda name: str(name).removeprefix(PREFIX))

    def n_models(self) -> int:
        return len(self._automl.get_leaderboard())

    def size_bytes(self) -> int:
        return folder_bytes(self._folder)


if __name__ == "__main__":
    serve(Mljar())
