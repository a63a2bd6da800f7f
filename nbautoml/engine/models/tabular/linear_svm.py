"""LinearSVM: a linear support vector machine."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.svm import LinearSVC

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    Choice,
    DataShape,
    FitContext,
    Params,
    SearchSpace,
    Span,
)
from nbautoml.engine.models.tabular._margin import MarginClassifier, n_splits

# liblinear's dual solver, used where columns outnumber rows, may go on for long.
_MOST_ITERATIONS = 300


class LinearSVM(MarginClassifier):
    """Linear support vector machine (`sklearn.svm.LinearSVC`), calibrated."""

    name: ClassVar[str] = "LinearSVM"
    aliases: ClassVar[tuple[str, ...]] = ("LinearSVC", "LinearSVMWrapper")
    delay: ClassVar[float] = 0.9

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {"C": Span(1e-4, 30.0, is_log=True), "class_weight": Choice((None, "balanced"))}
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return ({"C": 0.1, "class_weight": None}, {"C": 0.005, "class_weight": None})

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        hardness: float = max(params["C"], 0.01) ** 0.25
        cells = shape.n_cells * shape.n_outputs
        return 8e-3 + n_splits(shape.n_rows) * 1e-7 * cells * hardness

    def margin(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the classifier that is calibrated, not yet fitted."""
        return LinearSVC(**params, max_iter=_MOST_ITERATIONS, random_state=context.seed)
