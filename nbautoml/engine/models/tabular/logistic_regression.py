"""LogisticRegression: a linear model of the log odds."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression

from nbautoml.domain.tasks import Task
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
    shape_of,
)

# The solver runs this many iterations between two looks at the clock, this often at most.
_STEP = 60
_MOST_STEPS = 8


class LogisticRegression(ModelFamily):
    """Linear classifier with an L2 penalty (`sklearn.linear_model.LogisticRegression`)."""

    name: ClassVar[str] = "LogisticRegression"
    aliases: ClassVar[tuple[str, ...]] = ("LogReg", "LR")
    tasks = frozenset({Task.CLASSIFICATION})
    representation = Representation.LINEAR
    scalers: ClassVar[tuple[str, ...]] = ("StandardScalerWrapper", "MaxAbsScaler", "RobustScaler")

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {
                "C": Span(1e-3, 1e3, is_log=True),
                "class_weight": Choice((None, "balanced")),
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return (
            {"C": 1.0, "class_weight": None},
            {"C": 0.05, "class_weight": None},
            {"C": 0.3, "class_weight": "balanced"},
        )

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        cells = shape.n_rows * shape.n_columns * max(1, shape.n_classes - 1)
        hardness: float = min(max(params["C"], 0.05), 20.0) ** 0.25
        return 2e-3 + 1.5e-7 * cells * hardness

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        return SklearnLogisticRegression(
            **params, max_iter=_STEP * _MOST_STEPS, random_state=context.seed
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
        """Fit in steps until the solver converges or the deadline comes."""
        del valid, valid_weight
        model = self.build(params, shape_of(X, context), context)
        longest = model.max_iter
        model.set_params(max_iter=_STEP, warm_start=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(_MOST_STEPS):
                model.fit(X, y, sample_weight=weight)
                if max(model.n_iter_) < _STEP or context.deadline.is_over():
                    break
        return FitResult(model=model.set_params(max_iter=longest, warm_start=False))
