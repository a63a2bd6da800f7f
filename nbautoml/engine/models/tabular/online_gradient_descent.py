"""OnlineGradientDescentRegressor: linear regression, a step for each row."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDRegressor

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
from nbautoml.engine.models.tabular._descent import (
    descent_seconds,
    long_row,
    most_passes,
    on_unit_target,
)

# Standard deviations up to which an error counts with its square.
_SQUARED_UP_TO = 5.0
_USUAL_PASSES = 12


class OnlineGradientDescentRegressor(ModelFamily):
    """Online gradient descent (`sklearn.linear_model.SGDRegressor`), steps falling with time.

    Notes
    -----
    Step t is ``eta0 / (t ** 0.5 * r)``, where r is the squared length of a long row, so that an
    ``eta0`` up to 1 does not overshoot. Numbers are learned as multiples of their standard
    deviation. Errors count with their square up to five of these and linearly above, so that no
    row can make the descent diverge. The number of passes is bounded; a fit cannot be cut.
    """

    name: ClassVar[str] = "OnlineGradientDescentRegressor"
    aliases: ClassVar[tuple[str, ...]] = ("OnlineGradientDescent", "OGD")
    tasks = frozenset({Task.REGRESSION})
    representation = Representation.LINEAR
    scalers: ClassVar[tuple[str, ...]] = ("StandardScalerWrapper", "MaxAbsScaler", "RobustScaler")
    delay: ClassVar[float] = 1.7

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {"eta0": Span(0.05, 2.0, is_log=True), "alpha": Span(1e-7, 1e-2, is_log=True)}
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return ({"eta0": 1.0, "alpha": 1e-5},)

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        return 5e-3 + descent_seconds(shape, min(_USUAL_PASSES, most_passes(shape.n_rows)))

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        model = SGDRegressor(
            **params,
            loss="huber",
            epsilon=_SQUARED_UP_TO,
            learning_rate="invscaling",
            power_t=0.5,
            max_iter=most_passes(shape.n_rows),
            average=True,
            random_state=context.seed,
        )
        return on_unit_target(model)

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
        settings = dict(params) | {"eta0": params["eta0"] / long_row(X)}
        model = self.build(settings, shape_of(X, context), context)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, **self.weights(weight))
        return FitResult(model=model)
