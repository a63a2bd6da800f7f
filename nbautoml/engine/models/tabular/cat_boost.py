"""CatBoost: boosting of symmetric trees; only where the package is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ClassVar  # Any: models and messages of CatBoost

import numpy as np
from catboost import CatBoostClassifier, CatBoostRegressor, Pool
from sklearn.dummy import DummyClassifier, DummyRegressor

from nbautoml.domain.tasks import Task
from nbautoml.engine.devices import card_of, is_card
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


class CatBoost(ModelFamily):
    """Gradient boosting of symmetric trees (`catboost.CatBoostClassifier`, `CatBoostRegressor`).

    Notes
    -----
    CatBoost refuses rows whose columns are all constant; a constant answer is given for those.
    """

    name: ClassVar[str] = "CatBoost"
    aliases: ClassVar[tuple[str, ...]] = ("CatBoostClassifier", "CatBoostRegressor")
    tasks = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    representation = Representation.TREE
    other_representations = (Representation.TARGET_ENCODED, Representation.CROSSED)
    takes_log_target = True
    can_be_cut: ClassVar[bool] = True
    delay: ClassVar[float] = 0.4

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {
                "learning_rate": Span(0.02, 0.2, is_log=True),
                "depth": Span(3, 9, is_whole=True),
                "l2_leaf_reg": Span(0.5, 20.0, is_log=True),
                "random_strength": Span(0.0, 3.0),
                "rsm": Span(0.3, 1.0),
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return (
            _config(0.06, depth=6, penalty=3.0),
            _config(0.08, depth=4, penalty=3.0, columns=0.7),
            _config(0.05, depth=8, penalty=6.0, columns=0.5),
        )

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        rounds = 0.35 * max_rounds(params["learning_rate"])
        columns = max(1.0, params["rsm"] * shape.n_columns)
        per_level = 1.2e-4 + 1.3e-9 * shape.n_rows * columns * shape.n_outputs
        leaves = 2.0 ** params["depth"] * columns * shape.n_outputs
        return float(rounds * (params["depth"] * per_level + 2e-7 * leaves))

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input."""
        n_rounds = max_rounds(params["learning_rate"])
        return boosting_bytes(shape, n_rounds=n_rounds, n_leaves=2.0 ** params["depth"])

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        kind = CatBoostClassifier if is_classification(context) else CatBoostRegressor
        settings, card = dict(params), {}
        if is_card(context.device):
            del settings["rsm"]  # CatBoost leaves out columns on cores only
            card = {"task_type": "GPU", "devices": str(card_of(context.device))}
        return kind(
            **settings,
            **card,
            iterations=max_rounds(params["learning_rate"]),
            random_seed=context.seed,
            thread_count=context.threads,
            allow_writing_files=False,
            verbose=False,
        )

    def takes_gpu(self, params: Params) -> bool:
        """Whether the installed CatBoost is built with CUDA: its wheels are, but for macOS."""
        del params
        return sys.platform != "darwin"

    def rounds_of(self, model: Any) -> int | None:
        """Return how many rounds the model uses: up to the best where it stopped early."""
        return int(getattr(model, "tree_count_", 1))

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
            rows = {
                "eval_set": Pool(_writable(valid[0]), _writable(valid[1]), weight=valid_weight),
                "early_stopping_rounds": early_stopping_rounds(params["learning_rate"]),
                "use_best_model": True,
            }
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
        if rounds:
            model.set_params(iterations=rounds)
        return self._train(model, X, y, context, weight)

    def _train(
        self,
        model: Any,
        X: Matrix,
        y: Vector,
        context: FitContext,
        weight: Vector | None,
        **rows_to_stop_on: Any,
    ) -> FitResult:
        if not _has_spread(X):
            kind = DummyClassifier if is_classification(context) else DummyRegressor
            return FitResult(
                model=kind().fit(X, y, sample_weight=weight), rounds=model.get_param("iterations")
            )
        rows = {"sample_weight": weight, **rows_to_stop_on}
        if not is_card(context.device):  # CatBoost calls nobody from a card
            rows["callbacks"] = [_Watch(context, model.get_param("iterations"))]
        model.fit(_writable(X), _writable(y), **rows)
        return FitResult(model=model, rounds=self.rounds_of(model))


class _Watch:
    """Tells of the rounds, and ends the boosting at a deadline; the rounds so far are kept."""

    def __init__(self, context: FitContext, n_rounds: int) -> None:
        self._is_over: Callable[[], bool] = context.deadline.is_over
        self._progress = context.progress
        self._n_rounds = n_rounds

    def after_iteration(self, info: Any) -> bool:
        """Say whether to go on."""
        self._progress(min(info.iteration / self._n_rounds, 1.0))
        return not self._is_over()


def _writable(values: Any) -> Any:
    """Return rows that CatBoost reads: it refuses those that nobody may write to."""
    return values if values.flags.writeable else values.copy()


def _has_spread(X: Matrix) -> bool:
    """Return whether a column has two different values, or cells that are missing beside others."""
    is_missing = np.isnan(X)
    is_part = is_missing.any(axis=0) & ~is_missing.all(axis=0)
    return bool(is_part.any() or (np.nan_to_num(X) != np.nan_to_num(X[:1])).any())


def _config(rate: float, *, depth: int, penalty: float, columns: float = 1.0) -> dict[str, Any]:
    return {
        "learning_rate": rate,
        "depth": depth,
        "l2_leaf_reg": penalty,
        "random_strength": 1.0,
        "rsm": columns,
    }
