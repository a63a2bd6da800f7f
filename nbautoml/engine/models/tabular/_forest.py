"""What the two forest families share: trees are grown in steps, so that time can cut them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar  # Any: settings and models of scikit-learn

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    ROW_BYTES,
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
    log2_rows,
    shape_of,
)

# Trees of the first step; later steps are sized by what these took.
_FIRST_TREES = 4
N_TREES = 100
# One node of a tree of scikit-learn, without its answers.
_NODE_BYTES = 64.0


class Forest(ModelFamily):
    """Base of the forest families."""

    tasks = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    representation = Representation.TREE
    # A tree's nodes, which take the memory, are as many as rows / min_samples_leaf.
    halving: ClassVar[Mapping[str, float]] = {"min_samples_leaf": 2.0}
    other_representations = (
        Representation.LINEAR,
        Representation.TARGET_ENCODED,
        Representation.CROSSED,
    )
    takes_log_target = True
    can_be_cut = True

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        criteria = ("gini", "entropy") if task is Task.CLASSIFICATION else ("squared_error",)
        return SearchSpace(
            {
                "max_features": Span(0.1, 1.0),
                "min_samples_leaf": Span(1, 40, is_log=True, is_whole=True),
                "criterion": Choice(criteria),
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        if task is Task.CLASSIFICATION:
            return (
                {"max_features": 0.35, "min_samples_leaf": 2, "criterion": "gini"},
                {"max_features": 0.7, "min_samples_leaf": 5, "criterion": "entropy"},
                {"max_features": 0.2, "min_samples_leaf": 1, "criterion": "gini"},
            )
        return (
            {"max_features": 0.7, "min_samples_leaf": 2, "criterion": "squared_error"},
            {"max_features": 1.0, "min_samples_leaf": 5, "criterion": "squared_error"},
            {"max_features": 0.4, "min_samples_leaf": 1, "criterion": "squared_error"},
        )

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        columns = max(1.0, params["max_features"] * shape.n_columns)
        per_tree = 8e-4 + 3e-8 * shape.n_rows * columns * log2_rows(shape)
        return float(N_TREES * per_tree * (1.0 + 0.05 * shape.n_classes))

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input: the trees' nodes."""
        n_nodes = 2.0 * shape.n_rows / params["min_samples_leaf"]
        per_node = _NODE_BYTES + 8.0 * shape.n_outputs
        bytes_of_rows = ROW_BYTES * shape.n_rows * shape.n_outputs
        return float(N_TREES * n_nodes * per_node + bytes_of_rows)

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
        """Grow the trees, fewer of them when the deadline comes first."""
        del valid, valid_weight
        model = self.build(params, shape_of(X, context), context)
        if context.deadline.is_limited:
            _grow(model, X, y, context, weight)
        else:
            model.fit(X, y, sample_weight=weight)
        return FitResult(model=model)


def _grow(model: Any, X: Matrix, y: Vector, context: FitContext, weight: Vector | None) -> None:
    """Grow trees in steps; the result is that of one step when time allows all of them."""
    wanted = model.n_estimators
    model.set_params(warm_start=True, n_estimators=min(_FIRST_TREES, wanted))
    started = time.perf_counter()
    model.fit(X, y, sample_weight=weight)
    while (done := model.n_estimators) < wanted:
        per_tree = (time.perf_counter() - started) / done
        affordable = int(context.deadline.remaining() / max(per_tree, 1e-6))
        if affordable < 1:
            break
        model.set_params(n_estimators=min(wanted, done + max(1, min(affordable // 2, 3 * done))))
        model.fit(X, y, sample_weight=weight)
    model.set_params(warm_start=False)
