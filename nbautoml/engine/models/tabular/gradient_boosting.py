"""GradientBoosting: scikit-learn's boosting on histograms."""

from __future__ import annotations

import inspect
import time
from typing import Any, ClassVar  # Any: settings and models of scikit-learn

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    DataShape,
    FitContext,
    FitResult,
    Matrix,
    ModelFamily,
    Params,
    Representation,
    SearchSpace,
    Span,
    Vector,
    is_classification,
    shape_of,
)
from nbautoml.engine.models.tabular._boosting import (
    boosting_bytes,
    early_stopping_rounds,
    max_rounds,
)

# Rounds of the first step; later steps are sized by what these took.
_FIRST_ROUNDS = 10
# Each step is at most this many times what was done before it.
_GROWTH = 2
# Rows to stop on can be given since scikit-learn 1.7; before, some training rows are taken.
_TAKES_VALID = "X_val" in inspect.signature(HistGradientBoostingClassifier.fit).parameters


class GradientBoosting(ModelFamily):
    """Gradient boosting of scikit-learn (`HistGradientBoostingClassifier`, `...Regressor`)."""

    name: ClassVar[str] = "GradientBoosting"
    aliases: ClassVar[tuple[str, ...]] = (
        "GradientBoostingClassifier",
        "GradientBoostingRegressor",
        "HistGradientBoosting",
        "GBM",
    )
    tasks = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    representation = Representation.TREE
    other_representations = (Representation.TARGET_ENCODED, Representation.CROSSED)
    takes_log_target = True
    can_be_cut = True
    delay: ClassVar[float] = 0.8

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {
                "learning_rate": Span(0.02, 0.2, is_log=True),
                "max_leaf_nodes": Span(3, 100, is_log=True, is_whole=True),
                "min_samples_leaf": Span(2, 60, is_log=True, is_whole=True),
                "l2_regularization": Span(1e-3, 10.0, is_log=True),
                "max_features": Span(0.3, 1.0),
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return (_config(0.08, 24, 15, 0.1, 0.7), _config(0.06, 7, 10, 1.0, 0.5))

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        rounds = 0.35 * max_rounds(params["learning_rate"]) * shape.n_outputs
        leaves = min(params["max_leaf_nodes"], shape.n_rows / params["min_samples_leaf"])
        per_round = 4e-4 + 4e-9 * shape.n_rows * shape.n_columns + 2e-5 * leaves
        return float(rounds * (per_round + 1e-6 * leaves * shape.n_columns))

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input."""
        n_rounds = max_rounds(params["learning_rate"])
        return boosting_bytes(shape, n_rounds=n_rounds, n_leaves=params["max_leaf_nodes"])

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        kind: Any = HistGradientBoostingRegressor
        if is_classification(context):
            kind = HistGradientBoostingClassifier
        smallest = max(1, min(params["min_samples_leaf"], shape.n_rows // 10))
        return kind(
            **(dict(params) | {"min_samples_leaf": smallest}),
            max_iter=max_rounds(params["learning_rate"]),
            n_iter_no_change=early_stopping_rounds(params["learning_rate"]),
            early_stopping=False,
            random_state=context.seed,
        )

    def rounds_of(self, model: Any) -> int | None:
        """Return how many rounds the model uses."""
        return int(model.n_iter_)

    def fit(
        self,
        X: Matrix,
        y: Vector,
        *,
        params: Params,
        context: FitContext,
        valid: tuple[Matrix, Vector] | None = None,
        weight: Vector | None = None,
        valid_weight: Vector | None = None,
    ) -> FitResult:
        """Fit on rows, stopping early on `valid` and at the deadline."""
        model = self.build(params, shape_of(X, context), context)
        rows: dict[str, Any] = {}
        if valid is not None:
            model.set_params(early_stopping=True)
            if _TAKES_VALID:
                rows = {"X_val": valid[0], "y_val": valid[1], "sample_weight_val": valid_weight}
        _boost(model, X, y, context, sample_weight=weight, **rows)
        return FitResult(model=model, rounds=_best_round(model))

    def refit(
        self,
        X: Matrix,
        y: Vector,
        *,
        params: Params,
        context: FitContext,
        rounds: int | None,
        weight: Vector | None = None,
    ) -> FitResult:
        """Fit on all rows for a given number of rounds."""
        model = self.build(params, shape_of(X, context), context)
        model.set_params(max_iter=rounds or model.max_iter)
        _boost(model, X, y, context, sample_weight=weight)
        return FitResult(model=model, rounds=self.rounds_of(model))


def _boost(model: Any, X: Matrix, y: Vector, context: FitContext, **rows: Any) -> None:
    """Boost in steps, as far as time allows; steps give the same model as one go."""
    X = _without_empty_columns(X)
    wanted = model.max_iter
    model.set_params(warm_start=True, max_iter=min(_FIRST_ROUNDS, wanted))
    started = time.monotonic()
    while True:
        model.fit(X, y, **rows)
        done = model.max_iter
        context.progress(done / wanted)
        if done >= wanted or model.n_iter_ < done:
            break
        per_round = (time.monotonic() - started) / done
        affordable = context.deadline.remaining() / max(per_round, 1e-6)
        if affordable < 1:
            break
        step = int(min(wanted - done, _GROWTH * done, max(1.0, affordable / 2)))
        model.set_params(max_iter=done + step)
    context.progress(1.0)
    model.set_params(warm_start=False, max_iter=wanted)


def _without_empty_columns(X: Matrix) -> Matrix:
    """Return rows whose columns without any value are 0; scikit-learn cannot bin those.

    No tree splits on such a column, so that what it holds later does not matter.
    """
    is_empty = np.isnan(X).all(axis=0)
    return np.where(is_empty, np.float32(0.0), X) if is_empty.any() else X


def _best_round(model: Any) -> int:
    """Return the round with the best score on the rows to stop on; the last one without them."""
    scores = list(model.validation_score_)
    return max(1, scores.index(max(scores))) if scores else int(model.n_iter_)


def _config(
    rate: float, leaves: int, smallest: int, penalty: float, columns: float
) -> dict[str, Any]:
    return {
        "learning_rate": rate,
        "max_leaf_nodes": leaves,
        "min_samples_leaf": smallest,
        "l2_regularization": penalty,
        "max_features": columns,
    }
