"""FastLinearRegressor: linear regression by stochastic average gradients."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge

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
from nbautoml.engine.models.tabular._descent import descent_seconds, most_passes

_USUAL_PASSES = 25
_TOLERANCE = 1e-4


class FastLinearRegressor(ModelFamily):
    """Linear regression by stochastic average gradients (`sklearn.linear_model.Ridge`).

    Notes
    -----
    The SDK's model of this name is trained by stochastic dual coordinate ascent. Its closest
    kin in scikit-learn is stochastic average gradient: it also goes over single rows, remembers
    something of each, and has the same rate of convergence (Schmidt, Le Roux and Bach,
    "Minimizing finite sums with the stochastic average gradient", 2017). ``alpha`` is the
    penalty for each row. The number of passes is bounded; a fit cannot be cut.
    """

    name: ClassVar[str] = "FastLinearRegressor"
    aliases: ClassVar[tuple[str, ...]] = ("FastLinear",)
    tasks = frozenset({Task.REGRESSION})
    representation = Representation.LINEAR
    scalers: ClassVar[tuple[str, ...]] = ("StandardScalerWrapper", "MaxAbsScaler", "RobustScaler")
    delay: ClassVar[float] = 1.5

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace({"alpha": Span(1e-6, 10.0, is_log=True)})

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return ({"alpha": 1e-3}, {"alpha": 0.1})

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        return 2e-3 + descent_seconds(shape, min(_USUAL_PASSES, most_passes(shape.n_rows)))

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        return Ridge(
            alpha=params["alpha"] * shape.n_rows,
            solver="sag",
            max_iter=most_passes(shape.n_rows),
            tol=_TOLERANCE,
            random_state=context.seed,
        )

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
        """Fit on rows; the number of passes over them is bounded."""
        del valid, valid_weight
        model = self.build(params, shape_of(X, context), context)
        if not _has_spread(X):  # the length of a step would be infinite
            model.set_params(solver="lsqr")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, sample_weight=weight)
        return FitResult(model=model)


def _has_spread(X: Matrix) -> bool:
    return bool(abs(X.max(axis=0) - X.min(axis=0)).sum() > 0)
