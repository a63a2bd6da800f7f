"""SGD: linear models trained by stochastic gradient descent."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier, SGDRegressor

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    Choice,
    DataShape,
    FitContext,
    FitResult,
    Matrix,
    Params,
    SearchSpace,
    Span,
    Vector,
    is_classification,
    shape_of,
)
from nbautoml.engine.models.tabular._descent import (
    descent_seconds,
    long_row,
    most_passes,
    on_unit_target,
)
from nbautoml.engine.models.tabular._margin import MarginClassifier, n_splits

# Passes over the rows after which a fit mostly has converged.
_USUAL_PASSES = 12


class SGD(MarginClassifier):
    """Linear model by stochastic gradient descent (`sklearn.linear_model.SGDClassifier`, `...`).

    Notes
    -----
    Probabilities are calibrated. Numbers are learned as multiples of their standard deviation,
    with Huber's loss: its gradient is bounded, so that no row can make the descent diverge.

    The answer is the mean of the steps, so the penalty is L2: scikit-learn's mean takes no notice
    of what an L1 penalty cuts off. With both, r2 fell from 0.996 to -220 on rows of a plain linear
    function; without the mean, the AUC of adult is 0.74 in place of 0.90. ElasticNet and LassoLars
    have that penalty.
    """

    name: ClassVar[str] = "SGD"
    aliases: ClassVar[tuple[str, ...]] = (
        "SGDClassifier",
        "SGDRegressor",
        "SGDClassifierWrapper",
        "StochasticGradientDescent",
    )
    tasks = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    delay: ClassVar[float] = 1.6

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        if task is Task.CLASSIFICATION:
            own: dict[str, Any] = {"loss": Choice(("log_loss", "modified_huber", "hinge"))}
        else:
            own = {"epsilon": Span(0.1, 3.0, is_log=True)}
        return SearchSpace(own | {"alpha": Span(1e-6, 1e-1, is_log=True)})

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        if task is Task.CLASSIFICATION:
            return (
                {"loss": "log_loss", "alpha": 1e-4},
                {"loss": "modified_huber", "alpha": 3e-3},
            )
        return (
            {"epsilon": 1.35, "alpha": 1e-4},
            {"epsilon": 1.35, "alpha": 1e-2},
        )

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        n_fits = n_splits(shape.n_rows) if shape.n_classes else 1
        passes = min(_USUAL_PASSES, most_passes(shape.n_rows))
        return 8e-3 + n_fits * descent_seconds(shape, passes)

    def margin(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the classifier that is calibrated, not yet fitted."""
        return SGDClassifier(
            **params,
            penalty="l2",
            max_iter=most_passes(shape.n_rows),
            average=True,
            random_state=context.seed,
        )

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        if is_classification(context):
            return super().build(params, shape, context)
        model = SGDRegressor(
            **params,
            loss="huber",
            penalty="l2",
            learning_rate="adaptive",
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
        if is_classification(context):
            return super().fit(X, y, params=params, context=context, weight=weight)
        del valid, valid_weight
        model = self.build(params, shape_of(X, context), context)
        model.set_params(regressor__eta0=_FIRST_STEP / long_row(X))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, **self.weights(weight))
        return FitResult(model=model)


# First step as a share of the longest that does not overshoot on an ordinary row.
_FIRST_STEP = 0.3
