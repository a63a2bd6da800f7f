"""nbautoml through its public names, as a notebook would use it."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from benchmarks.automl.adapters.contract import Request, by_class, numbers, serve
from nbautoml import AutoMLConfig, Experiment, Workspace

METRICS = {
    "auc": "AUC_weighted",
    "log_loss": "log_loss",
    "accuracy": "accuracy",
    "rmse": "normalized_root_mean_squared_error",
}


class Nbautoml:
    """Its time runs from `submit` until the run is seen to have ended."""

    packages: tuple[str, ...] = ("nbautoml", "lightgbm", "pandas", "scikit-learn")

    def start(self, request: Request) -> None:
        self._folder = Path(request.folder)
        os.environ["NBAUTOML_HOME"] = str(self._folder / "home")
        self._workspace = Workspace.create("benchmark", path=str(self._folder / "workspace"))

    def fit(self, train: pd.DataFrame, request: Request) -> None:
        self._is_classification = request.is_classification
        config = AutoMLConfig(
            "classification" if request.is_classification else "regression",
            training_data=train,
            label_column_name=request.label,
            primary_metric=METRICS[request.metric],
            experiment_timeout_minutes=request.seconds / 60,
            model_explainability=False,  # it would be made while the next run is measured
        )
        self._run = Experiment(self._workspace, "benchmark").submit(config)
        self._run.wait_for_completion()

    def ready(self) -> None:
        self._child, self._model = self._run.get_output()

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        if self._is_classification:
            return by_class(self._model.predict_proba(rows), self._model.classes_)
        return numbers(self._model.predict(rows))

    def n_models(self) -> int:
        return int((self._run.leaderboard()["status"] == "Completed").sum())

    def size_bytes(self) -> int:
        path = self._folder / "model.pkl"
        self._child.download_file("outputs/model.pkl", str(path))
        return path.stat().st_size


if __name__ == "__main__":
    serve(Nbautoml())
