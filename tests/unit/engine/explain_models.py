"""Small fitted models in the shapes in which runs save theirs, for the tests of explanations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nbautoml.domain.tasks import Task
from nbautoml.engine.explain.study import Subject
from nbautoml.engine.featurize.build import build_adapter, build_featurizer
from nbautoml.engine.profile import profile_frame
from nbautoml.engine.trial_data import DataSpec
from nbautoml.runtime.bag import FoldBag, featurizer_of
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline
from nbautoml.runtime.voting import PreFittedSoftVotingClassifier, PreFittedSoftVotingRegressor

N_FOLDS = 3


def table(n_rows: int = 240, seed: int = 0) -> pd.DataFrame:
    """Return rows in which ``strong`` says most, ``kind`` something, and ``noise`` nothing."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "strong": rng.normal(size=n_rows),
            "noise": rng.normal(size=n_rows),
            "kind": rng.choice(["a", "b", "c"], n_rows),
        }
    )


def numbers_of(frame: pd.DataFrame, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    of_kind = frame["kind"].map({"a": 0.0, "b": 0.5, "c": -0.5}).to_numpy()
    return np.asarray(2.0 * frame["strong"] + of_kind + rng.normal(scale=0.2, size=len(frame)))


def codes_of(frame: pd.DataFrame, n_classes: int = 2) -> np.ndarray:
    shares = np.linspace(0, 1, n_classes + 1)[1:-1]
    numbers = numbers_of(frame)
    return np.digitize(numbers, np.quantile(numbers, shares))


class Made:
    """A model of fold models, with what a study of it needs."""

    def __init__(
        self,
        *estimators: Callable[[], Any],
        n_classes: int = 0,
        representations: Sequence[str] = ("tree",),
        weights: Sequence[float] = (),
        scaler: Any = None,
        n_rows: int = 240,
    ) -> None:
        self.frame = table(n_rows)
        self.n_classes = n_classes
        self.y = codes_of(self.frame, n_classes) if n_classes else numbers_of(self.frame)
        self.classes = np.array([f"class {i}" for i in range(n_classes)]) if n_classes else None
        task = Task.CLASSIFICATION if n_classes else Task.REGRESSION
        self.profile = profile_frame(self.frame, self.y, task)
        self.adapter = build_adapter(self.profile)
        self.columns = self.adapter.transform(self.frame)
        self.folds = np.arange(n_rows) % N_FOLDS
        self._scaler = scaler
        bags = [
            self._bag(make, representations[i % len(representations)])
            for i, make in enumerate(estimators)
        ]
        self.model = self._joined(bags, list(weights))
        self.task = task

    def _bag(self, make: Callable[[], Any], representation: str) -> ModelPipeline:
        parts = []
        for fold in range(N_FOLDS):
            train = np.flatnonzero(self.folds != fold)
            featurizer = build_featurizer(self.profile, representation)
            X = featurizer.fit_transform(self.columns.iloc[train], self.y[train])
            steps: list[tuple[str, Any]] = [("featurizer", featurizer)]
            if self._scaler is not None:
                scaler = self._scaler().fit(X)
                X = scaler.transform(X)
                steps.append(("scaler", scaler))
            steps.append(("model", make().fit(X, self.y[train])))
            codes = np.unique(self.y[train]) if self.n_classes else None
            parts.append(ModelPipeline(steps, classes=self.classes, codes=codes))
        return ModelPipeline([("model", FoldBag(parts))], classes=self.classes)

    def _joined(self, bags: list[ModelPipeline], weights: list[float]) -> ModelPipeline:
        reader = MemberInput.from_fitted(self.adapter, featurizer_of(bags[0]))
        if len(bags) == 1:
            steps = [("datatransformer", reader), *bags[0].steps]
            return ModelPipeline(steps, classes=self.classes)
        named = [(str(i), bag) for i, bag in enumerate(bags)]
        vote: Any = PreFittedSoftVotingRegressor(named, weights)
        if self.classes is not None:
            vote = PreFittedSoftVotingClassifier(named, weights, self.classes)
        return ModelPipeline([("datatransformer", reader), ("vote", vote)], classes=self.classes)

    def answers(self, frame: pd.DataFrame) -> np.ndarray:
        """Return what the model says, of two classes only of the second, (n_rows, n_outputs)."""
        if not self.n_classes:
            return np.asarray(self.model.predict(frame)).reshape(-1, 1)
        proba = np.asarray(self.model.predict_proba(frame))
        return proba[:, 1:] if self.n_classes == 2 else proba

    def subject(self, **changes: Any) -> Subject:
        values: dict[str, Any] = {
            "model": self.model,
            "adapter": self.adapter,
            "frame": self.frame,
            "y": self.y,
            "folds": self.folds,
            "n_folds": N_FOLDS,
            "spec": self.spec(),
        }
        return Subject(**(values | changes))

    def spec(self) -> DataSpec:
        return DataSpec(
            task=self.task,
            primary_metric="AUC_weighted" if self.n_classes else "r2_score",
            n_classes=self.n_classes,
            y_min=float(self.y.min()),
            y_max=float(self.y.max()),
            n_folds=N_FOLDS,
        )
