"""LightGBM with its library's defaults: 100 rounds, no tuning; the table's unit of loss."""

from __future__ import annotations

from typing import Any  # Any: models of a package without types

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor, early_stopping
from sklearn.model_selection import train_test_split

from benchmarks.automl.adapters.contract import (
    Request,
    by_class,
    numbers,
    pickled_bytes,
    serve,
)

VALID_SHARE = 0.2
MAX_ROUNDS = 10_000
PATIENCE = 50


class LightGBM:
    """Texts become pandas categories, which LightGBM splits natively; times become numbers."""

    packages: tuple[str, ...] = ("lightgbm", "pandas", "scikit-learn")

    def start(self, request: Request) -> None:
        """Do nothing: there is no server."""

    def fit(self, train: pd.DataFrame, request: Request) -> None:
        X = train.drop(columns=request.label)
        self._categories = {
            c: pd.CategoricalDtype(X[c].dropna().astype(str).unique().tolist())
            for c in X
            if X[c].dtype == object
        }
        learner = LGBMClassifier if request.is_classification else LGBMRegressor
        self._model = learner(
            n_jobs=request.n_threads, random_state=request.seed, verbose=-1, **self._params()
        )
        self._learn(self._plain(X), train[request.label], request)

    def _params(self) -> dict[str, Any]:
        return {}

    def _learn(self, X: pd.DataFrame, y: pd.Series, request: Request) -> None:
        self._model.fit(X, y)

    def _plain(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return columns of numbers and categories, named by position: any name will do."""
        made = {
            c: X[c].astype(self._categories[c]) if c in self._categories else _number(X[c])
            for c in X
        }
        return pd.DataFrame(made).set_axis([f"c{i}" for i in range(X.shape[1])], axis=1)

    def ready(self) -> None:
        """Do nothing: the model is in memory."""

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        X = self._plain(rows)
        if isinstance(self._model, LGBMRegressor):
            return numbers(self._model.predict(X))
        return by_class(self._model.predict_proba(X), self._model.classes_)

    def n_models(self) -> int:
        return 1

    def size_bytes(self) -> int:
        return pickled_bytes(self._model)


class EarlyStoppedLightGBM(LightGBM):
    """As many rounds as help on 20 % of the rows, kept for that; else its defaults."""

    def _params(self) -> dict[str, Any]:
        return {"n_estimators": MAX_ROUNDS}

    def _learn(self, X: pd.DataFrame, y: pd.Series, request: Request) -> None:
        classes = y if request.is_classification else None
        parts = train_test_split(
            X, y, test_size=VALID_SHARE, random_state=request.seed, stratify=classes
        )
        X_train, X_valid, y_train, y_valid = parts
        self._model.fit(
            X_train,
            y_train,
            eval_set=[(X_valid, y_valid)],
            callbacks=[early_stopping(PATIENCE, verbose=False)],
        )


def _number(values: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.astype("datetime64[ns]").astype(np.int64).where(values.notna()) / 1e9
    return values


if __name__ == "__main__":
    serve(LightGBM())
