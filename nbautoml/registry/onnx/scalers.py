"""Scaling steps as nodes of a graph; each rounds to float32 where the step does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any  # Any: fitted transformers

import numpy as np

from nbautoml.registry.onnx.graph import Graph, Matrix, refuse


def scale(graph: Graph, step: Any, features: Matrix) -> Matrix:
    """Return features behind a fitted scaler of `nbautoml.runtime.scalers`.

    Raises
    ------
    ModelError
        When the step is not known.
    """
    make = SCALERS.get(type(step).__name__)
    if make is None:
        raise refuse(f"the step {type(step).__name__}", "has no form as a graph.")
    return features if step.scaler_ is None else make(graph, step, features)


def _shift_and_divide(graph: Graph, features: Matrix, shift: Any, size: Any) -> Matrix:
    """Take a shift off and divide; sparse matrices are multiplied, and never shifted."""
    value = features.name
    if features.is_sparse:
        if size is not None:
            value = graph.round32(graph.mul(value, (1.0 / np.asarray(size, float))[np.newaxis]))
        return replace(features, name=value)
    if shift is not None:
        value = graph.round32(graph.sub(value, np.asarray(shift, float)[np.newaxis]))
    if size is not None:
        value = graph.round32(graph.div(value, np.asarray(size, float)[np.newaxis]))
    return replace(features, name=value)


def _standard(graph: Graph, step: Any, features: Matrix) -> Matrix:
    inner = step.scaler_
    if not inner.with_mean:
        return _shift_and_divide(graph, features, None, inner.scale_)
    # Later releases of scikit-learn take the means and deviations of float32 rows as float32.
    row = inner.mean_.astype(np.float32)[np.newaxis]
    digits = np.float64 if inner.transform(row.copy()).any() else np.float32
    scale_ = None if inner.scale_ is None else inner.scale_.astype(digits)
    return _shift_and_divide(graph, features, inner.mean_.astype(digits), scale_)


def _max_abs(graph: Graph, step: Any, features: Matrix) -> Matrix:
    return _shift_and_divide(graph, features, None, step.scaler_.scale_)


def _robust(graph: Graph, step: Any, features: Matrix) -> Matrix:
    inner = step.scaler_
    center = inner.center_ if inner.with_centering else None
    return _shift_and_divide(graph, features, center, inner.scale_ if inner.with_scaling else None)


def _min_max(graph: Graph, step: Any, features: Matrix) -> Matrix:
    inner = step.scaler_
    if features.is_sparse:
        shifted = graph.round32(graph.sub(features.name, inner.shift_[np.newaxis].astype(float)))
        size = (1 / inner.scale_)[np.newaxis].astype(float)
        value = graph.round32(graph.mul(shifted, size))
    else:
        value = graph.round32(graph.mul(features.name, inner.scale_[np.newaxis].astype(float)))
        value = graph.round32(graph.add(value, inner.min_[np.newaxis].astype(float)))
    if step.clip:
        value = graph.clip(value, 0.0, 1.0)
    return replace(features, name=value)


def _unit_rows(graph: Graph, step: Any, features: Matrix) -> Matrix:
    value = features.name
    sizes = graph.node("Abs", value)
    if step.norm == "max":
        length = graph.node("ReduceMax", sizes, graph.constant([1]), keepdims=1)
    elif step.norm == "l1":
        length = graph.sum_of(sizes, 1)
    else:
        length = graph.node("Sqrt", graph.sum_of(graph.mul(value, value), 1))
    is_empty = graph.compare("Equal", length, [[0.0]])
    length = graph.round32(graph.where(is_empty, [[1.0]], length))
    return replace(features, name=graph.round32(graph.div(value, length)))


def _components(graph: Graph, step: Any, features: Matrix) -> Matrix:
    """Truncated singular values and principal components; the result is never sparse."""
    inner = step.scaler_
    value = scale(graph, step.units_, features).name
    mean = getattr(inner, "mean_", None)
    if mean is not None:
        value = graph.sub(value, np.asarray(mean, float)[np.newaxis])
    value = graph.matmul(value, inner.components_.T.astype(float))
    if getattr(inner, "whiten", False):
        sizes = np.sqrt(inner.explained_variance_)
        value = graph.div(value, np.maximum(sizes, np.finfo(sizes.dtype).eps)[np.newaxis])
    return Matrix(name=value)


SCALERS: dict[str, Callable[[Graph, Any, Matrix], Matrix]] = {
    "StandardScalerWrapper": _standard,
    "MaxAbsScaler": _max_abs,
    "RobustScaler": _robust,
    "MinMaxScaler": _min_max,
    "SparseNormalizer": _unit_rows,
    "TruncatedSVDWrapper": _components,
    "PCA": _components,
}
"""Name of a scaling step to what writes it."""
