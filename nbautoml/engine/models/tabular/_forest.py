"""What the two forest families share: trees are grown in steps, so that time can cut them."""

from __future__ import annotations

import time
from typing import Any  # Any: settings and models of scikit-learn

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
FEWEST_TREES = 30
# One node of a tree of scikit-learn, without its answers: a number each, or one a class.
NODE_BYTES, ANSWER_BYTES = 64, 8
MOST_BYTES = 15_000_000
"""The trees of a fit take about so many bytes at most. Trees that are grown to single rows grow
with the rows, to gigabytes in an ensemble; fewer trees, and then larger leaves, cost little."""


def most_nodes(n_classes: int) -> int:
    """Return how many nodes a fit is planned to have at most, if all leaves were full.

    A tree of classes ends where a leaf holds one class only, and has about half of them.
    `n_classes` is 0 for numbers.
    """
    most_bytes = MOST_BYTES * (2 if n_classes else 1)
    return most_bytes // (NODE_BYTES + ANSWER_BYTES * max(n_classes, 1))


def n_trees(params: Params, shape: DataShape) -> int:
    """Return how many trees a fit grows.

    Examples
    --------
    >>> shapes = [DataShape(n_rows=n, n_columns=9, n_classes=2) for n in (999, 9_999, 99_999)]
    >>> [n_trees({"min_samples_leaf": 2}, shape) for shape in shapes]
    [100, 37, 30]
    """
    nodes = most_nodes(shape.n_classes) * params["min_samples_leaf"]
    return int(min(N_TREES, max(FEWEST_TREES, nodes // (2 * max(shape.n_rows, 1)))))


def smallest_leaf(params: Params, shape: DataShape) -> int:
    """Return how many rows a leaf has at least.

    Examples
    --------
    >>> shapes = [DataShape(n_rows=n, n_columns=9, n_classes=2) for n in (999, 9_999, 99_999)]
    >>> [smallest_leaf({"min_samples_leaf": 2}, shape) for shape in shapes]
    [2, 2, 16]
    """
    needed = -(-2 * FEWEST_TREES * shape.n_rows // most_nodes(shape.n_classes))
    return int(max(params["min_samples_leaf"], needed))


class Forest(ModelFamily):
    """Base of the forest families."""

    tasks = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    representation = Representation.TREE
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
        return float(n_trees(params, shape) * per_tree * (1.0 + 0.05 * shape.n_classes))

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input: the trees' nodes."""
        n_nodes = n_trees(params, shape) * 2.0 * shape.n_rows / smallest_leaf(params, shape)
        per_node = NODE_BYTES + ANSWER_BYTES * max(shape.n_classes, 1)
        return n_nodes * per_node + ROW_BYTES * shape.n_rows * shape.n_outputs

    def settings(self, params: Params, shape: DataShape, context: FitContext) -> dict[str, Any]:
        """Return the settings of an estimator, sized for the rows."""
        return {
            **params,
            "n_estimators": n_trees(params, shape),
            "min_samples_leaf": smallest_leaf(params, shape),
            "random_state": context.seed,
            "n_jobs": context.threads,
        }

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
