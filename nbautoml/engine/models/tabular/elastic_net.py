"""ElasticNet: linear regression with L1 and L2 penalties."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet as SklearnElasticNet

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
    shape_of,
)
from nbautoml.engine.models.tabular._linear import spread_of

_STEP = 100
_MOST_STEPS = 10


class ElasticNet(ModelFamily):
    """Linear regression with L1 and L2 penalties (`sklearn.linear_model.ElasticNet`).

    Notes
    -----
    ``alpha`` is meant for a target of unit spread. For a target with standard deviation s the
    same fit needs L1 and L2 weights ``alpha * l1_ratio * s`` and ``alpha * (1 - l1_ratio)``,
    because coefficients scale with s, the L1 term linearly and the loss with its square.
    """

    name: ClassVar[str] = "ElasticNet"
    tasks = frozenset({Task.REGRESSION})
    representation = Representation.LINEAR
    scalers: ClassVar[tuple[str, ...]] = ("StandardScalerWrapper", "MaxAbsScaler", "RobustScaler")

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace({"alpha": Span(1e-5, 1.0, is_log=True), "l1_ratio": Span(0.02, 1.0)})

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return (
            {"alpha": 3e-3, "l1_ratio": 0.5},
            {"alpha": 3e-2, "l1_ratio": 0.1},
            {"alpha": 2e-4, "l1_ratio": 0.9},
        )

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        return 2e-3 + 1e-7 * shape.n_rows * shape.n_columns

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        return SklearnElasticNet(**params, max_iter=_STEP * _MOST_STEPS, random_state=context.seed)

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
        """Fit in steps until the solver converges or the deadline comes."""
        del valid, valid_weight
        scaled = _for_spread(params, spread_of(y, weight))
        model = self.build(scaled, shape_of(X, context), context)
        longest = model.max_iter
        model.set_params(max_iter=_STEP, warm_start=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(_MOST_STEPS):
                model.fit(X, y, sample_weight=weight)
                if np.max(model.n_iter_) < _STEP or context.deadline.is_over():
                    break
        return FitResult(model=model.set_params(max_iter=longest, warm_start=False))


def _for_spread(params: Params, spread: float) -> dict[str, float]:
    """Return the settings that fit a target of that spread as `params` fit one of spread 1."""
    l1 = params["alpha"] * params["l1_ratio"] * spread
    l2 = params["alpha"] * (1.0 - params["l1_ratio"])
    return {"alpha": l1 + l2, "l1_ratio": l1 / (l1 + l2)}
