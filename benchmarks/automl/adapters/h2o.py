"""H2O AutoML with its defaults, on a server of its own that this process starts and stops."""

from __future__ import annotations

import socket
from pathlib import Path

import h2o
import pandas as pd
from h2o.automl import H2OAutoML

from benchmarks.automl.adapters.contract import Request, by_class, numbers, serve

METRICS = {
    "auc": "AUC",
    "log_loss": "logloss",
    "accuracy": "mean_per_class_error",  # it cannot sort by accuracy
    "rmse": "RMSE",
}

MEMORY = "8G"


class H2O:
    """Rows go to the server as its own frames; that is part of reading them, not of the fit."""

    packages: tuple[str, ...] = ("h2o", "polars", "pandas")

    def start(self, request: Request) -> None:
        self._folder = Path(request.folder)
        h2o.init(
            nthreads=request.n_threads,
            max_mem_size=MEMORY,
            ice_root=str(self._folder),
            bind_to_localhost=True,
            name=f"benchmark-{self._folder.parent.name}",
            port=_free_port(),  # else it would join a server that happens to be there
        )
        h2o.no_progress()
        # Read here too: `fit` is given the rows, and the upload is not its work.
        rows = pd.read_parquet(request.train)
        self._train = h2o.H2OFrame(rows)
        if request.is_classification:
            self._train[request.label] = self._train[request.label].asfactor()

    def fit(self, train: pd.DataFrame, request: Request) -> None:
        self._is_classification = request.is_classification
        self._label = request.label
        self._automl = H2OAutoML(
            max_runtime_secs=round(request.seconds),
            seed=request.seed,
            sort_metric=METRICS[request.metric],
            verbosity=None,
        )
        self._automl.train(y=request.label, training_frame=self._train)

    def ready(self) -> None:
        """Do nothing: the model is in the server's memory."""

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        found = self._automl.leader.predict(h2o.H2OFrame(rows)).as_data_frame(use_multi_thread=True)
        if not self._is_classification:
            return numbers(found["predict"])
        classes = self._train[self._label].levels()[0]
        return by_class(found.iloc[:, 1:], classes)  # the first column is the predicted class

    def n_models(self) -> int:
        return int(self._automl.leaderboard.nrow)

    def size_bytes(self) -> int:
        saved = h2o.save_model(self._automl.leader, path=str(self._folder), filename="leader")
        return Path(saved).stat().st_size


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    try:
        serve(H2O())
    finally:
        if h2o.connection():
            h2o.cluster().shutdown()
