"""Best model of a run against single learners with default settings, on rows kept back.

For each table 30 % of the rows are kept back. Six learners with their libraries' defaults, and
one nbautoml run with a time budget, learn from the other 70 %. All are scored on the rows kept
back, in one process after the other on the same machine. Shown per table: the run's wall time
against its budget, each score, and the difference to the best default learner.

    python benchmarks/holdout.py                              bundled tables, 30 s each
    python benchmarks/holdout.py --seconds 60 people.csv:left wages.parquet:pay
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.metrics import roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

import nbautoml

SHARE_KEPT_BACK = 0.3
MOST_CLASSES = 20

CLASSIFIERS: dict[str, Any] = {
    "LogisticRegression": LogisticRegression(max_iter=1000),
    "LightGBM": LGBMClassifier(verbose=-1, n_jobs=1),
    "XGBoost": XGBClassifier(n_jobs=1),
    "RandomForest": RandomForestClassifier(random_state=0),
    "ExtraTrees": ExtraTreesClassifier(random_state=0),
    "KNN": KNeighborsClassifier(),
}
REGRESSORS: dict[str, Any] = {
    "ElasticNet": ElasticNet(),
    "LightGBM": LGBMRegressor(verbose=-1, n_jobs=1),
    "XGBoost": XGBRegressor(n_jobs=1),
    "RandomForest": RandomForestRegressor(random_state=0),
    "ExtraTrees": ExtraTreesRegressor(random_state=0),
    "KNN": KNeighborsRegressor(),
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table and the column to predict."""

    name: str
    frame: pd.DataFrame
    label: str

    @property
    def is_classification(self) -> bool:
        values = self.frame[self.label]
        return not pd.api.types.is_numeric_dtype(values) or values.nunique() <= MOST_CLASSES


def tables(names: list[str]) -> Iterator[Table]:
    """Yield the named tables (``path:label``), or bundled ones."""
    if not names:
        for name, load in (("cancer", load_breast_cancer), ("wine", load_wine)):
            yield Table(name=name, frame=load(as_frame=True).frame, label="target")
        yield Table(name="diabetes", frame=load_diabetes(as_frame=True).frame, label="target")
    for name in names:
        path, _, label = name.rpartition(":")
        read = pd.read_parquet if path.endswith(".parquet") else pd.read_csv
        yield Table(name=Path(path).name, frame=read(path).dropna(subset=[label]), label=label)


def plain(features: pd.DataFrame) -> pd.DataFrame:
    """Return the features with texts as objects and missing texts as NaN."""
    texts = [c for c in features if not pd.api.types.is_numeric_dtype(features[c])]
    return features.assign(
        **{c: features[c].astype(object).where(features[c].notna(), np.nan) for c in texts}
    )


def preparation() -> Any:
    """Return what a careful user does before a learner with default settings."""
    words = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore", max_categories=50, sparse_output=False),
    )
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer(
        (words, make_column_selector(dtype_exclude=np.number)),
        (numbers, make_column_selector(dtype_include=np.number)),
    )


def score(table: Table, truth: pd.Series, model: Any, rows: pd.DataFrame) -> float:
    """Return weighted AUC, or minus the RMSE over the label's range: greater is better."""
    if not table.is_classification:
        span = float(table.frame[table.label].max() - table.frame[table.label].min())
        return -float(root_mean_squared_error(truth, model.predict(rows))) / span
    proba = model.predict_proba(rows)
    if proba.shape[1] == 2:
        return float(roc_auc_score(truth == model.classes_[1], proba[:, 1]))
    return float(
        roc_auc_score(truth, proba, multi_class="ovr", average="weighted", labels=model.classes_)
    )


def defaults(table: Table, train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """Return the scores of the default learners."""
    learners = CLASSIFIERS if table.is_classification else REGRESSORS
    target, truth = train[table.label], test[table.label]
    if table.is_classification:
        codes = {c: i for i, c in enumerate(sorted(table.frame[table.label].unique()))}
        target, truth = target.map(codes), truth.map(codes)
    found = {}
    for name, learner in learners.items():
        model = make_pipeline(preparation(), clone(learner))
        model.fit(plain(train.drop(columns=table.label)), target)
        found[name] = score(table, truth, model, plain(test.drop(columns=table.label)))
    return found


def automl(
    table: Table, train: pd.DataFrame, test: pd.DataFrame, seconds: float
) -> tuple[float, float]:
    """Return the score of a run's best model, and the run's wall time from submission."""
    metric = "AUC_weighted" if table.is_classification else "normalized_root_mean_squared_error"
    config = nbautoml.AutoMLConfig(
        "classification" if table.is_classification else "regression",
        training_data=train,
        label_column_name=table.label,
        primary_metric=metric,
        experiment_timeout_minutes=seconds / 60,
        model_explainability=False,  # it would be made while the next run is measured
    )
    workspace = nbautoml.Workspace.create("benchmark", path=tempfile.mkdtemp(prefix="nbautoml-"))
    started = time.monotonic()
    run = nbautoml.Experiment(workspace, "holdout").submit(config)
    run.wait_for_completion()
    wall = time.monotonic() - started
    _, model = run.get_output()
    return score(table, test[table.label], model, test.drop(columns=table.label)), wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", help="path:label of CSV or Parquet files")
    parser.add_argument("--seconds", type=float, default=30.0, help="budget of each run")
    parser.add_argument("--seed", type=int, default=0, help="which rows are kept back")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    for table in tables(given.tables):
        train, test = train_test_split(
            table.frame,
            test_size=SHARE_KEPT_BACK,
            random_state=given.seed,
            stratify=table.frame[table.label] if table.is_classification else None,
        )
        found = defaults(table, train, test)
        best = max(found, key=found.__getitem__)
        ours, wall = automl(table, train, test, given.seconds)
        print(f"{table.name}: {wall:.1f} s of {given.seconds:.0f} s")
        print("  " + ", ".join(f"{name} {value:.4f}" for name, value in found.items()))
        print(f"  nbautoml {ours:.4f}, best default {best}: {ours - found[best]:+.4f}", flush=True)


if __name__ == "__main__":
    main()
