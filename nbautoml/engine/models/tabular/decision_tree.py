"""DecisionTree: one tree."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    ROW_BYTES,
    Choice,
    DataShape,
    FitContext,
    ModelFamily,
    Params,
    Representation,
    SearchSpace,
    Span,
    is_classification,
    log2_rows,
)

_NODE_BYTES = 64.0


class DecisionTree(ModelFamily):
    """One tree (`sklearn.tree.DecisionTreeClassifier`, `DecisionTreeRegressor`).

    A fit cannot be cut: it is begun only where its cost fits.
    """

    name: ClassVar[str] = "DecisionTree"
    aliases: ClassVar[tuple[str, ...]] = (
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "DT",
    )
    tasks = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    representation = Representation.TREE
    takes_log_target = True
    delay: ClassVar[float] = 1.3

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        criteria = ("gini", "entropy") if task is Task.CLASSIFICATION else ("squared_error",)
        return SearchSpace(
            {
                "max_depth": Span(2, 30, is_log=True, is_whole=True),
                "min_samples_leaf": Span(1, 200, is_log=True, is_whole=True),
                "criterion": Choice(criteria),
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        criterion = "gini" if task is Task.CLASSIFICATION else "squared_error"
        return (
            {"max_depth": 12, "min_samples_leaf": 20, "criterion": criterion},
            {"max_depth": 5, "min_samples_leaf": 5, "criterion": criterion},
        )

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        depth = min(params["max_depth"], log2_rows(shape))
        return 2e-3 + 3e-8 * shape.n_cells * float(depth) * (1.0 + 0.05 * shape.n_classes)

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input."""
        n_nodes = min(2.0 ** params["max_depth"], shape.n_rows / params["min_samples_leaf"])
        nodes = 2.0 * n_nodes * (_NODE_BYTES + 8.0 * shape.n_outputs)
        return float(nodes) + ROW_BYTES * shape.n_rows * shape.n_outputs

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        kind = DecisionTreeClassifier if is_classification(context) else DecisionTreeRegressor
        # Small data give a tree all the same.
        smallest = max(1, min(params["min_samples_leaf"], shape.n_rows // 10))
        settings = dict(params) | {"min_samples_leaf": smallest}
        return kind(**settings, random_state=context.seed)
