"""XGBoost: level-wise gradient boosting on histograms."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: settings and models of XGBoost

import numpy as np
import xgboost
from xgboost.callback import TrainingCallback

from nbautoml.domain.tasks import Task
from nbautoml.engine.devices import CPU, is_card
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
from nbautoml.engine.search.budget import Deadline


class _XGBoost(ModelFamily):
    """What the two XGBoost families share."""

    representation = Representation.TREE
    other_representations = (
        Representation.LINEAR,
        Representation.TARGET_ENCODED,
        Representation.CROSSED,
    )
    takes_log_target = True
    can_be_cut = True
    scalers: ClassVar[tuple[str, ...]] = ("MaxAbsScaler",)
    pace: ClassVar[float] = 2.0

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {
                "learning_rate": Span(0.01, 0.15, is_log=True),
                "max_depth": Span(2, 10, is_whole=True),
                "min_child_weight": Span(0.1, 10.0, is_log=True),
                "subsample": Span(0.6, 1.0),
                "colsample_bytree": Span(0.4, 1.0),
                "reg_lambda": Span(0.05, 10.0, is_log=True),
                "reg_alpha": Span(0.0, 2.0),
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return (
            _config(0.08, 5, 1.0),
            _config(0.06, 3, 1.0, subsample=0.8, colsample_bytree=0.7),
            _config(0.04, 8, 0.7, subsample=0.9, colsample_bytree=0.6, reg_lambda=2.0),
            _config(0.05, 2, 3.0, subsample=0.7, colsample_bytree=0.5, reg_alpha=0.5),
        )

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        trees = shape.n_classes if shape.n_classes > 2 else 1
        rounds = 0.35 * max_rounds(params["learning_rate"]) * trees
        nodes = min(2.0 ** params["max_depth"], shape.n_rows / 2)
        per_round = 3e-4 + 3e-9 * shape.n_rows * shape.n_columns + 6e-6 * nodes
        return float(rounds * (per_round + 1.5e-7 * nodes * shape.n_columns))

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input."""
        n_rounds = max_rounds(params["learning_rate"])
        return boosting_bytes(shape, n_rounds=n_rounds, n_leaves=2.0 ** params["max_depth"])

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        kind = xgboost.XGBClassifier if is_classification(context) else xgboost.XGBRegressor
        return kind(
            **params,
            n_estimators=max_rounds(params["learning_rate"]),
            tree_method="hist",
            random_state=context.seed,
            n_jobs=context.threads,
            verbosity=0,
            **({"device": context.device} if is_card(context.device) else {}),
        )

    def takes_gpu(self, params: Params) -> bool:
        """Whether the installed XGBoost is built with CUDA; that of ``xgboost-cpu`` is not."""
        del params
        return bool(xgboost.build_info().get("USE_CUDA"))

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
        if valid is None:
            return self._train(model, X, y, context, weight)
        model.set_params(
            early_stopping_rounds=early_stopping_rounds(params["learning_rate"]),
            eval_metric=_eval_metric(context),
        )
        weights = None if valid_weight is None else [valid_weight]
        rows = {"eval_set": [valid], "sample_weight_eval_set": weights}
        return self._train(model, X, y, context, weight, **rows)

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
        model.set_params(n_estimators=rounds or model.n_estimators)
        return self._train(model, X, y, context, weight)

    def rounds_of(self, model: Any) -> int | None:
        """Return how many rounds the model uses: up to the best where it stopped early."""
        booster = model.get_booster()
        best = booster.attributes().get("best_iteration")
        return booster.num_boosted_rounds() if best is None else int(best) + 1

    def _train(
        self,
        model: Any,
        X: Matrix,
        y: Vector,
        context: FitContext,
        weight: Vector | None,
        **rows_to_stop_on: Any,
    ) -> FitResult:
        if context.deadline.is_limited:
            model.set_params(callbacks=[_StopAt(context.deadline)])
        y = y.astype(np.float32)
        model.fit(X, y, sample_weight=weight, verbose=False, **rows_to_stop_on)
        # What only steered the fit is no part of the model that people save.
        model.set_params(callbacks=None)
        if is_card(context.device):  # who loads it may have no card
            model.set_params(device=CPU)
            model.get_booster().set_param({"device": CPU})
        return FitResult(model=model, rounds=self.rounds_of(model))


class XGBoostClassifier(_XGBoost):
    """Gradient boosting with XGBoost, for classes (`xgboost.XGBClassifier`)."""

    name: ClassVar[str] = "XGBoostClassifier"
    aliases: ClassVar[tuple[str, ...]] = ("XGBoost", "XGBClassifier")
    tasks = frozenset({Task.CLASSIFICATION})


class XGBoostRegressor(_XGBoost):
    """Gradient boosting with XGBoost, for numbers (`xgboost.XGBRegressor`)."""

    name: ClassVar[str] = "XGBoostRegressor"
    aliases: ClassVar[tuple[str, ...]] = ("XGBoost", "XGBRegressor")
    tasks = frozenset({Task.REGRESSION})


class _StopAt(TrainingCallback):
    """Ends the boosting at a deadline; the rounds so far are kept."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Say whether to stop."""
        del model, epoch, evals_log
        return self._deadline.is_over()


def _eval_metric(context: FitContext) -> str:
    if not is_classification(context):
        return "rmse"
    return "mlogloss" if context.n_classes > 2 else "logloss"


def _config(rate: float, depth: int, weight: float, **others: Any) -> dict[str, Any]:
    """Return a full set of settings; those not named are XGBoost's defaults."""
    return {
        "learning_rate": rate,
        "max_depth": depth,
        "min_child_weight": weight,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
        "reg_lambda": 1.0,
        "reg_alpha": 0.0,
    } | others
