"""BernoulliNaiveBayes: which values are above the middle, each on its own."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.naive_bayes import BernoulliNB

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    Choice,
    DataShape,
    FitContext,
    ModelFamily,
    Params,
    Representation,
    SearchSpace,
    Span,
)


class BernoulliNaiveBayes(ModelFamily):
    """Naive Bayes on values above 0 or not (`sklearn.naive_bayes.BernoulliNB`).

    Notes
    -----
    After the standard scaler 0 is the mean of a column; flags stay 0 and 1. A fit is one pass
    over the rows and cannot be cut.
    """

    name: ClassVar[str] = "BernoulliNaiveBayes"
    aliases: ClassVar[tuple[str, ...]] = ("BernoulliNB",)
    tasks = frozenset({Task.CLASSIFICATION})
    representation = Representation.LINEAR
    scalers: ClassVar[tuple[str, ...]] = ("StandardScalerWrapper", "RobustScaler")
    delay: ClassVar[float] = 1.4

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {"alpha": Span(1e-3, 10.0, is_log=True), "fit_prior": Choice((True, False))}
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return ({"alpha": 0.3, "fit_prior": True},)

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        return 2e-3 + 8e-9 * shape.n_cells + 1e-8 * shape.n_rows * shape.n_classes

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        return BernoulliNB(**params)
