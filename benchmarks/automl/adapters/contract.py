"""What every adapter does: read the request, fit in time, predict, say what it took.

Runs in the system's own environment, so it needs numpy, pandas and pyarrow only. A request is a
JSON file; the answer is a JSON file and the predictions as Parquet, in the request's folder.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol  # Any: models of other packages

import numpy as np
import pandas as pd

REQUEST, ANSWER, PREDICTIONS = "request.json", "answer.json", "predictions.parquet"

PREDICTION = "prediction"
"""Name of the only column of a regression's predictions."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a system is asked for.

    ``metric`` is ``"auc"``, ``"log_loss"``, ``"accuracy"`` or ``"rmse"``; ``task`` is
    ``"binary"``, ``"multiclass"`` or ``"regression"``. ``folder`` is for the system's files.
    """

    train: str
    test: str
    label: str
    task: str
    metric: str
    seconds: float
    n_threads: int
    seed: int
    folder: str

    @property
    def is_classification(self) -> bool:
        return self.task != "regression"


class Adapter(Protocol):
    """One system. Time counts for `fit` only, from the call to its return."""

    packages: tuple[str, ...]
    """Distributions whose versions are recorded, the system itself first."""

    def start(self, request: Request) -> None:
        """Start what a user would have running before the fit, such as a server."""

    def fit(self, train: pd.DataFrame, request: Request) -> None:
        """Learn within ``request.seconds``."""

    def ready(self) -> None:
        """Bring the fitted model into memory; not timed."""

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return a column of probabilities a class, or the column ``"prediction"``."""

    def n_models(self) -> int:
        """Return how many models the system trained, by its own count."""

    def size_bytes(self) -> int:
        """Return the size on disk of what is needed to predict."""


def serve(adapter: Adapter) -> None:
    """Carry out the request in the folder that the command line names."""
    folder = Path(sys.argv[1])
    request = Request(**json.loads((folder / REQUEST).read_text(encoding="utf-8")))
    train, test = read(request.train), read(request.test)
    adapter.start(request)
    started = time.monotonic()
    adapter.fit(train, request)
    fit_seconds = time.monotonic() - started
    adapter.ready()
    started = time.monotonic()
    predictions = adapter.predict(test)
    predict_seconds = time.monotonic() - started
    predictions.set_axis(predictions.columns.astype(str), axis=1).reset_index(drop=True).to_parquet(
        folder / PREDICTIONS
    )
    answer = {
        "fit_seconds": fit_seconds,
        "predict_seconds": predict_seconds,
        "n_models": adapter.n_models(),
        "model_bytes": adapter.size_bytes(),
        "versions": {name: version(name) for name in adapter.packages}
        | {"python": sys.version.split()[0]},
    }
    (folder / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def read(path: str) -> pd.DataFrame:
    """Return a file's rows, texts as objects: the same for every version of pandas."""
    frame = pd.read_parquet(path)
    texts = [c for c in frame if isinstance(frame[c].dtype, pd.StringDtype)]
    texts += [c for c in frame if frame[c].dtype == object]
    for column in texts:
        frame[column] = frame[column].astype(object).where(frame[column].notna(), np.nan)
    return frame


def by_class(proba: Any, classes: Any) -> pd.DataFrame:
    """Return probabilities as one column a class."""
    return pd.DataFrame(np.asarray(proba), columns=[str(name) for name in classes])


def numbers(values: Any) -> pd.DataFrame:
    """Return predicted numbers as the column of that name."""
    return pd.DataFrame({PREDICTION: np.asarray(values, dtype=float).ravel()})


def pickled_bytes(model: Any) -> int:
    """Return the size of a model's pickle."""
    return len(pickle.dumps(model))


def folder_bytes(folder: str | Path) -> int:
    """Return the size of all files below a folder."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
