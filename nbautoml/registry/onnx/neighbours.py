"""Nearest neighbours as nodes of a graph, which carries the training rows."""

from __future__ import annotations

from typing import Any  # Any: fitted estimators of scikit-learn

import numpy as np

from nbautoml.registry.onnx.graph import Graph, Matrix, refuse

_SAME = 1e-12
"""Squared distances below this share of the rows' squared lengths are those of equal rows."""


def neighbour_probabilities(graph: Graph, model: Any, features: Matrix) -> str:
    """Return the shares of the classes among the neighbours of each row."""
    places, weights = _neighbours(graph, model, features)
    shown = np.eye(len(model.classes_))[np.asarray(model._y).ravel()]
    votes = graph.node("Gather", graph.constant(shown), places, axis=0)
    return _weighted(graph, votes, weights)


def neighbour_numbers(graph: Graph, model: Any, features: Matrix) -> str:
    """Return the mean label of the neighbours of each row."""
    places, weights = _neighbours(graph, model, features)
    labels = np.asarray(model._y, dtype=np.float64).reshape(-1, 1)
    return _weighted(graph, graph.node("Gather", graph.constant(labels), places, axis=0), weights)


def _weighted(graph: Graph, votes: str, weights: str) -> str:
    """Return weighted means of shape (n_rows, n_outputs) from (n_rows, n_neighbours, n_outputs)."""
    wide = graph.node("Unsqueeze", weights, graph.constant([2]))
    total = graph.squeeze(graph.sum_of(graph.mul(votes, wide), 1))
    return graph.node("Div", total, graph.sum_of(weights, 1))


def _neighbours(graph: Graph, model: Any, features: Matrix) -> tuple[str, str]:
    """Return places and weights of the neighbours, each of shape (n_rows, n_neighbours)."""
    stored = model._fit_X
    rows = np.asarray(stored.toarray() if hasattr(stored, "toarray") else stored, dtype=np.float64)
    if model.metric != "minkowski" or model.p not in (1, 2):
        raise refuse("KNeighbors", f"measures distances as {model.metric!r} with p={model.p}.")
    measure = _straight if model.p == 2 else _along_axes
    distances = measure(graph, features.name, rows)
    count = graph.constant([int(model.n_neighbors)])
    near, places = graph.nodes("TopK", distances, count, n_outputs=2, axis=1, largest=0)
    if model.p == 2:
        near = graph.node("Sqrt", near)
    is_same = graph.compare("Equal", near, [[0.0]])
    if model.weights == "uniform":
        return places, graph.where(is_same, [[1.0]], [[1.0]])
    closeness = graph.node("Div", graph.constant([[1.0]]), graph.where(is_same, [[1.0]], near))
    same = graph.cast(is_same, "double")
    has_same = graph.compare("Greater", graph.sum_of(same, 1), [[0.0]])
    return places, graph.where(has_same, same, closeness)


def _straight(graph: Graph, value: str, rows: Any) -> str:
    """Return squared distances to all rows."""
    squares = (rows**2).sum(axis=1)[np.newaxis]
    sizes = graph.add(graph.sum_of(graph.mul(value, value), 1), squares)
    found = graph.add(graph.mul(graph.matmul(value, rows.T), [[-2.0]]), sizes)
    is_same = graph.compare("LessOrEqual", found, graph.mul(sizes, [[_SAME]]))
    return graph.where(is_same, [[0.0]], found)


def _along_axes(graph: Graph, value: str, rows: Any) -> str:
    """Return sums of absolute differences to all rows, one feature after the other."""
    total = ""
    for place in range(rows.shape[1]):
        column = graph.columns(value, [place])
        part = graph.node("Abs", graph.sub(column, rows[np.newaxis, :, place]))
        total = graph.add(total, part) if total else part
    return total
