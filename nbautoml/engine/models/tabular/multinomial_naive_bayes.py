"""MultinomialNaiveBayes: counts of words, or of what is like them."""

from __future__ import annotations

import operator
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from scipy import sparse
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

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


class MultinomialNaiveBayes(ModelFamily):
    """Naive Bayes on counts (`sklearn.naive_bayes.MultinomialNB`).

    Notes
    -----
    Counts are never negative. Dense rows are therefore brought into [0, 1] once more; of sparse
    ones, which would not stay sparse, the size counts. Neither changes what comes out of the
    family's scalers. A fit is one pass over the rows and cannot be cut.
    """

    name: ClassVar[str] = "MultinomialNaiveBayes"
    aliases: ClassVar[tuple[str, ...]] = ("MultinomialNB", "NaiveBayes", "NB")
    tasks = frozenset({Task.CLASSIFICATION})
    representation = Representation.LINEAR
    scalers: ClassVar[tuple[str, ...]] = ("MinMaxScaler",)
    delay: ClassVar[float] = 1.5

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
        return Pipeline([("positive", MinMaxScaler(clip=True)), ("model", MultinomialNB(**params))])

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
        """Fit on rows."""
        del valid, valid_weight
        model = self.build(params, shape_of(X, context), context)
        if sparse.issparse(X):
            model.set_params(positive=FunctionTransformer(operator.abs, accept_sparse=True))
        return FitResult(model=model.fit(X, y, model__sample_weight=weight))
