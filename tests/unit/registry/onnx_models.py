"""Small fitted models of every family and every step, for the tests of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.build import build_adapter, build_featurizer
from nbautoml.engine.featurize.options import (
    ColumnPurpose,
    FeaturizationOptions,
    Representation,
)
from nbautoml.engine.models._base import FitContext, shape_of
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.profile import DataProfile, profile_frame
from nbautoml.runtime import scalers
from nbautoml.runtime.featurizer import DataTransformer
from nbautoml.runtime.pipeline import ModelPipeline

WORDS = ("good", "bad", "fine", "Bright", "the", "a", "plot", *(f"word{i}" for i in range(60)))


def table(n_rows: int = 220, seed: int = 0) -> pd.DataFrame:
    """Return rows with a column of every kind, each with gaps."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(50, 20, n_rows),
            "epoch": 1.6e9 + rng.integers(0, 10**8, n_rows).astype(float),
            "count": rng.integers(0, 9, n_rows),
            "is_new": rng.random(n_rows) < 0.4,
            "answer": rng.choice(["Yes", "no", " YES"], n_rows),
            "kind": rng.choice(["a", "b", "c d", "e"], n_rows, p=[0.4, 0.3, 0.2, 0.1]),
            "code": rng.choice([10, 20, 35], n_rows),
            "town": [f"town {i}" for i in rng.integers(0, 60, n_rows)],
            "seen": pd.Timestamp("2019-12-25")
            + pd.to_timedelta(rng.integers(0, 10**8, n_rows), unit="s"),
            "price": [f"{x:.2f}" for x in rng.gamma(2.0, 10.0, n_rows)],
        }
    )
    frame["day"] = frame["seen"].dt.strftime("%d.%m.%Y")
    frame["text"] = [" ".join(rng.choice(WORDS, rng.integers(6, 15))) for _ in range(n_rows)]
    for name in ("size", "kind", "town", "seen", "price", "day", "text"):
        frame.loc[rng.random(n_rows) < 0.06, name] = None
    return frame


PURPOSES = {
    "kind": ColumnPurpose.CATEGORICAL,
    "code": ColumnPurpose.CATEGORICAL,
    "town": ColumnPurpose.CATEGORICAL_HASH,
    "text": ColumnPurpose.TEXT,
    "epoch": ColumnPurpose.NUMERIC,
}


def label_of(frame: pd.DataFrame, n_classes: int, seed: int = 1) -> np.ndarray:
    """Return class codes, or numbers with `n_classes` 0, that depend on the rows."""
    rng = np.random.default_rng(seed)
    level = frame["size"].fillna(50) / 20 + (frame["kind"] == "a") - frame["is_new"].astype(float)
    level = level + (frame["town"].str.len() % 2) + rng.normal(scale=0.3, size=len(frame))
    level = np.asarray(level.fillna(0.0), dtype=float)
    if not n_classes:
        return 1000.0 + 50.0 * level
    return np.digitize(level, np.quantile(level, np.linspace(0, 1, n_classes + 1)[1:-1]))


class Data:
    """Rows with their label, profile and reader."""

    def __init__(
        self, n_classes: int, *, frame: pd.DataFrame | None = None, columns: tuple[str, ...] = ()
    ) -> None:
        whole = table() if frame is None else frame
        self.frame = whole[list(columns)] if columns else whole
        self.n_classes = n_classes
        self.y = label_of(table(len(whole)), n_classes)
        self.task = Task.CLASSIFICATION if n_classes else Task.REGRESSION
        purposes = {k: v for k, v in PURPOSES.items() if k in self.frame.columns}
        options = FeaturizationOptions(column_purposes=purposes)
        self.profile: DataProfile = profile_frame(self.frame, self.y, self.task, options=options)
        self.adapter = build_adapter(self.profile)
        self.classes = np.array([f"class {i}" for i in range(n_classes)]) if n_classes else None

    def fit(
        self,
        family: str,
        *,
        representation: str = "",
        scaler: str = "",
        params: dict[str, Any] | None = None,
        rows: np.ndarray | None = None,
    ) -> ModelPipeline:
        """Return a pipeline of a family, as a trial makes it."""
        made = get_family(family)
        chosen = Representation(representation or made.representation)
        rows = np.arange(len(self.frame)) if rows is None else rows
        read, y = self.adapter.transform(self.frame.iloc[rows]), self.y[rows]
        featurizer = build_featurizer(self.profile, chosen.matrix)
        X = featurizer.fit_transform(read, y)
        steps: list[tuple[str, Any]] = [
            ("datatransformer", DataTransformer.from_fitted(self.adapter, featurizer))
        ]
        is_native = chosen is Representation.NATIVE
        if not is_native:
            step = getattr(scalers, scaler or made.scalers[0])().fit(X)
            X = step.transform(X)
            steps.append(("scaler", step))
        context = FitContext(
            task=self.task,
            n_classes=self.n_classes,
            categories=tuple(featurizer.categorical_features_.tolist()) if is_native else (),
        )
        settings = dict(params or small(family, self.task))
        model = made.refit(X, y, params=settings, context=context, rounds=30).model
        assert shape_of(X, context).n_rows == len(rows)
        steps.append((family, model))
        codes = np.arange(self.n_classes) if self.n_classes else None
        return ModelPipeline(steps, classes=self.classes, codes=codes)


def small(family: str, task: Task) -> dict[str, Any]:
    """Return the first settings of a family's portfolio."""
    return get_family(family).portfolio(task)[0]
