"""FLAML with its defaults."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd
from flaml import AutoML

from benchmarks.automl.adapters.contract import Request, by_class, numbers, pickled_bytes, serve

METRICS = {"auc": "roc_auc", "log_loss": "log_loss", "accuracy": "accuracy", "rmse": "rmse"}


class Flaml:
    """Models are counted in the log that it writes: a line each, and one for the best."""

    packages: tuple[str, ...] = ("flaml", "lightgbm", "xgboost", "pandas", "scikit-learn")

    def start(self, request: Request) -> None:
        logging.getLogger("flaml").setLevel(logging.WARNING)
        self._log = Path(request.folder) / "flaml.log"

    def fit(self, train: pd.DataFrame, request: Request) -> None:
        self._is_classification = request.is_classification
        self._automl = AutoML()
        self._automl.fit(
            X_train=train.drop(columns=request.label),
            y_train=train[request.label],
            task="classification" if request.is_classification else "regression",
            metric=METRICS[request.metric],
            time_budget=request.seconds,
            n_jobs=request.n_threads,
            seed=request.seed,
            log_file_name=str(self._log),
            log_type="all",
        )

    def ready(self) -> None:
        """Do nothing: the model is in memory."""

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        if self._is_classification:
            return by_class(self._automl.predict_proba(rows), self._automl.classes_)
        return numbers(self._automl.predict(rows))

    def n_models(self) -> int:
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return sum('"record_id"' in line for line in lines)

    def size_bytes(self) -> int:
        return pickled_bytes(self._automl)


if __name__ == "__main__":
    serve(Flaml())
