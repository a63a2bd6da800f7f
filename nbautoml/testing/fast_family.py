"""Model families for tests: one that fits in no time, one that never ends, one that fails.

They are in no catalog. A plan names them by their path, such as
``"nbautoml.testing.fast_family:FastFamily"``.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.dummy import DummyRegressor
from sklearn.naive_bayes import BernoulliNB

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
)

FAST_FAMILY = "nbautoml.testing.fast_family:FastFamily"
HANGING_FAMILY = "nbautoml.testing.fast_family:HangingFamily"
FAILING_FAMILY = "nbautoml.testing.fast_family:FailingFamily"

_AGES_SECONDS = 3_600.0


class FastFamily(ModelFamily):
    """Naive Bayes or a quantile of the target, with enough settings for thousands of trials."""

    name: ClassVar[str] = "TestFast"
    tasks = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    representation = Representation.LINEAR
    scalers: ClassVar[tuple[str, ...]] = ("MaxAbsScaler",)

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        span = Span(1e-6, 1.0, is_log=True)
        return SearchSpace({"x": span, "y": span, "z": span})

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return ({"x": 0.001, "y": 0.1, "z": 0.1}, {"x": 0.1, "y": 0.1, "z": 0.1})

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        return 1e-3 + 1e-9 * shape.n_rows * shape.n_columns

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        if is_classification(context):
            return BernoulliNB(alpha=params["x"])
        return DummyRegressor(strategy="quantile", quantile=params["x"])


class HangingFamily(FastFamily):
    """Its fit does not end, and takes no notice of a deadline."""

    name: ClassVar[str] = "TestHanging"

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
        """Sleep."""
        del valid_weight
        time.sleep(_AGES_SECONDS)
        return super().fit(X, y, params=params, context=context, valid=valid, weight=weight)


class FailingFamily(FastFamily):
    """Its fit raises an error."""

    name: ClassVar[str] = "TestFailing"

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
        """Raise an error."""
        raise ValueError("This family always fails.")
