"""LightGBM: leaf-wise gradient boosting."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar  # Any: settings and callbacks of LightGBM

import lightgbm
import numpy as np
from lightgbm.callback import CallbackEnv, EarlyStopException

from nbautoml.domain.tasks import Task
from nbautoml.engine.devices import CPU, CUDA, card_of, is_card
from nbautoml.engine.models._base import (
    Choice,
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

# Above this many columns LightGBM builds histograms column by column.
_WIDE = 1_000
# Penalty of the lines in leaves, which few rows would else make steep.
_LINEAR_LAMBDA = 0.1
# LightGBM says this of a learner that it was built without.
_NOT_BUILT = "not enabled in this build"
# LightGBM 4.7 renamed the arguments of the rows to stop on, and warns about the old name.
_TAKES_EVAL_X = "eval_X" in inspect.signature(lightgbm.LGBMModel.fit).parameters


class LightGBM(ModelFamily):
    """Gradient boosting with leaf-wise trees (`lightgbm.LGBMClassifier`, `LGBMRegressor`)."""

    name: ClassVar[str] = "LightGBM"
    aliases: ClassVar[tuple[str, ...]] = (
        "LightGBMClassifier",
        "LightGBMRegressor",
        "LGBM",
        "LGBMClassifier",
        "LGBMRegressor",
    )
    tasks = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    representation = Representation.TREE
    other_representations = (
        Representation.NATIVE,
        Representation.LINEAR,
        Representation.TARGET_ENCODED,
        Representation.CROSSED,
    )
    takes_log_target = True
    can_be_cut = True
    scalers: ClassVar[tuple[str, ...]] = ("MaxAbsScaler",)
    pace: ClassVar[float] = 3.0
    # It keeps a histogram of every column for each leaf.
    halving: ClassVar[Mapping[str, float]] = {"num_leaves": 0.5}

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        # A line in each leaf instead of a number; LightGBM offers it for squared errors only.
        lines = {"linear_tree": Choice((False, True))} if task is not Task.CLASSIFICATION else {}
        return SearchSpace(
            {
                "learning_rate": Span(0.008, 0.12, is_log=True),
                "num_leaves": Span(3, 200, is_log=True, is_whole=True),
                "min_child_samples": Span(1, 60, is_log=True, is_whole=True),
                "colsample_bytree": Span(0.35, 1.0),
                "subsample": Span(0.6, 1.0),
                "reg_alpha": Span(0.0, 1.0),
                "reg_lambda": Span(0.0, 3.0),
                "extra_trees": Choice((False, True)),
                **lines,
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        entries = (
            _config(0.05, 31, 20),
            _config(0.05, 31, 8, colsample_bytree=0.75, extra_trees=True),
            _config(0.06, 6, 10, colsample_bytree=0.6, subsample=0.85, reg_lambda=1.0),
            _config(0.03, 90, 4, colsample_bytree=0.85, subsample=0.9),
            _config(0.025, 18, 6, colsample_bytree=0.45, extra_trees=True, reg_lambda=0.5),
            _config(0.04, 4, 30, colsample_bytree=0.5, subsample=0.7, reg_alpha=0.3),
            _config(0.02, 52, 14, colsample_bytree=0.65, subsample=0.8),
            _config(0.04, 130, 2, colsample_bytree=0.55, extra_trees=True, reg_alpha=0.6),
        )
        if task is Task.CLASSIFICATION:
            return entries
        lines = _config(0.05, 8, 20, colsample_bytree=0.7, reg_lambda=0.1, linear_tree=True)
        return (*(entry | {"linear_tree": False} for entry in entries), lines)

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        rounds = 0.35 * max_rounds(params["learning_rate"]) * max(1, _trees_a_round(shape))
        leaves = min(params["num_leaves"], shape.n_rows / max(params["min_child_samples"], 1))
        per_round = 1.2e-4 + 2e-9 * shape.n_rows * shape.n_columns + 6e-6 * leaves
        return float(rounds * (per_round + 1.5e-7 * leaves * shape.n_columns))

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input."""
        n_rounds = max_rounds(params["learning_rate"])
        return boosting_bytes(shape, n_rounds=n_rounds, n_leaves=params["num_leaves"])

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        settings = dict(params)
        # A leaf never asks for more than a tenth of the rows, or small data give no tree.
        smallest = max(1, min(settings["min_child_samples"], shape.n_rows // 10))
        settings["min_child_samples"] = smallest
        if settings.get("linear_tree"):
            settings["linear_lambda"] = _LINEAR_LAMBDA
        layout = "force_col_wise" if shape.n_columns > _WIDE else "force_row_wise"
        kind: Any = lightgbm.LGBMRegressor
        if is_classification(context):
            kind = lightgbm.LGBMClassifier
        return kind(
            **settings,
            n_estimators=max_rounds(params["learning_rate"]),
            subsample_freq=1,
            random_state=context.seed,
            n_jobs=context.threads,
            deterministic=True,
            verbosity=-1,
            **(_card(context) or {layout: True}),
        )

    def takes_gpu(self, params: Params) -> bool:
        """Whether the installed LightGBM is built with CUDA; linear leaves are fitted on cores."""
        return not params.get("linear_tree") and _has_cuda()

    def rounds_of(self, model: Any) -> int | None:
        """Return how many rounds the model uses: up to the best where it stopped early."""
        best = model.booster_.best_iteration
        return int(best if best > 0 else model.booster_.current_iteration())

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
        callbacks: list[Any] = []
        codes = _categories(context)
        if context.deadline.is_limited:
            callbacks.append(_StopAt(context.deadline))
        if valid is None:
            model.fit(X, y, sample_weight=weight, **codes, callbacks=callbacks)
            return self._result(model, context)
        patience = early_stopping_rounds(params["learning_rate"])
        callbacks.append(lightgbm.early_stopping(patience, verbose=False))
        rows = _eval_data(valid, valid_weight)
        model.fit(X, y, sample_weight=weight, **codes, **rows, callbacks=callbacks)
        return self._result(model, context)

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
        limited = context.deadline.is_limited
        callbacks = [_StopAt(context.deadline)] if limited else None
        codes = _categories(context)
        model.fit(X, y, sample_weight=weight, **codes, callbacks=callbacks)
        return self._result(model, context)

    def _result(self, model: Any, context: FitContext) -> FitResult:
        if is_card(context.device):  # who loads it may have no card
            model.set_params(device_type=CPU)
        return FitResult(model=model, rounds=self.rounds_of(model))


class _StopAt:
    """Ends the boosting at a deadline; the rounds so far are kept."""

    order = 40  # after early stopping, which is 30
    before_iteration = False

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __call__(self, env: CallbackEnv) -> None:
        if self._deadline.is_over():
            raise EarlyStopException(env.iteration, env.evaluation_result_list or [])


def _config(rate: float, leaves: int, smallest: int, **others: Any) -> dict[str, Any]:
    """Return a full set of settings; those not named are LightGBM's defaults."""
    return {
        "learning_rate": rate,
        "num_leaves": leaves,
        "min_child_samples": smallest,
        "colsample_bytree": 1.0,
        "subsample": 1.0,
        "reg_alpha": 0.0,
        "reg_lambda": 0.0,
        "extra_trees": False,
    } | others


def _categories(context: FitContext) -> dict[str, Any]:
    return {"categorical_feature": list(context.categories)} if context.categories else {}


def _eval_data(valid: tuple[Matrix, Vector], weight: Vector | None) -> dict[str, Any]:
    weights = {} if weight is None else {"eval_sample_weight": [weight]}
    if _TAKES_EVAL_X:
        return {"eval_X": valid[0], "eval_y": valid[1]} | weights
    return {"eval_set": [valid]} | weights


def _card(context: FitContext) -> dict[str, Any]:
    if not is_card(context.device):
        return {}
    return {"device_type": CUDA, "gpu_device_id": card_of(context.device)}


@functools.cache
def _has_cuda() -> bool:
    """Ask for a learner on a card: a build without them refuses by this sentence."""
    rows = np.arange(8.0).reshape(-1, 1)
    settings = {"device_type": CUDA, "verbosity": -1, "min_data_in_leaf": 1}
    try:
        lightgbm.Booster(settings, lightgbm.Dataset(rows, label=rows[:, 0]))
    except lightgbm.basic.LightGBMError as error:
        return _NOT_BUILT not in str(error)
    return True


def _trees_a_round(shape: DataShape) -> int:
    return shape.n_classes if shape.n_classes > 2 else 1
