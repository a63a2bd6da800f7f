"""LightGBM's trees asked by onnxruntime: the same sums, sooner for many rows and large trees.

LightGBM takes a row through all trees before the next one; onnxruntime takes many rows through a
tree while the tree is in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any  # Any: fitted models

from nbautoml.registry.onnx.boosting import light_gbm
from nbautoml.registry.onnx.graph import Graph, Matrix
from nbautoml.registry.onnx.parity import open_model
from nbautoml.registry.onnx.trees import Floats

_FEATURES, _MARGINS = "features", "margins"


def margins_of(model: Any) -> Callable[[Floats], Floats]:
    """Return what computes the margins of a fitted LightGBM model.

    Parameters
    ----------
    model : LGBMModel
        Fitted.

    Returns
    -------
    callable
        Takes rows of features, float64 of shape (n_rows, n_features), and returns margins of
        shape (n_rows, n_margins). Any thread may call it.

    Raises
    ------
    ModelError
        When its trees cannot be written as a graph.
    MissingExtraError
        When the extra ``onnx`` is not installed.
    """
    graph = Graph()
    features = graph.matrix(_FEATURES, model.booster_.num_feature())
    margins, n_margins = light_gbm(graph, model, Matrix(name=features))
    graph.output(_MARGINS, margins, "double", n_margins)
    session = open_model(graph.finish({}).SerializeToString())

    def ask(rows: Floats) -> Floats:
        found: Floats = session.run(None, {_FEATURES: rows})[0]
        return found

    return ask
