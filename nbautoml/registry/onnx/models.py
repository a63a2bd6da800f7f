"""Pipelines and ensembles of `nbautoml.runtime` as nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any  # Any: fitted models

import numpy as np

from nbautoml.registry.onnx import estimators
from nbautoml.registry.onnx.columns import Columns, InputColumn, read_columns
from nbautoml.registry.onnx.features import featurize
from nbautoml.registry.onnx.graph import Graph, Matrix, refuse
from nbautoml.registry.onnx.scalers import scale
from nbautoml.runtime import stacking
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from nbautoml.runtime.voting import LEAST_PROBABILITY

_READERS = ("DataTransformer", "MemberInput")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a model says: numbers (n_rows, 1), or probabilities (n_rows, n_classes)."""

    value: str
    n_classes: int = 0


def adapter_of(model: Any) -> InputAdapter:
    """Return the step of a fitted model that reads raw rows.

    Raises
    ------
    ModelError
        When the model is not one of this package's pipelines.
    """
    steps = getattr(model, "steps", None)
    first: Any = steps[0][1] if steps else None
    name = type(first).__name__
    if name in _READERS:
        adapter: InputAdapter = first.adapter
        return adapter
    if name == "InputAdapter":
        read: InputAdapter = first
        return read
    raise refuse("a model", "that no AutoML run made has no way to read raw rows.")


def answer(graph: Graph, model: Any, inputs: Sequence[InputColumn]) -> Answers:
    """Add a whole model: its inputs, its features, its estimators.

    Parameters
    ----------
    graph : Graph
        Takes inputs and nodes.
    model : ModelPipeline
        Fitted; it takes raw rows.
    inputs : sequence of InputColumn
        See `describe_inputs`.

    Raises
    ------
    ModelError
        When a column or a step cannot be written; the message names it.
    """
    adapter = adapter_of(model)
    formats: Sequence[ColumnFormat] = adapter.columns
    columns = read_columns(graph, inputs, formats)
    if not columns:
        raise refuse("a model", "that uses no column needs no graph.")
    return _pipeline(graph, model, columns)


def _pipeline(graph: Graph, model: Any, columns: Columns) -> Answers:
    """Return the answers of a `ModelPipeline` to columns as they were read."""
    features: Matrix | None = None
    for _, step in model.steps[:-1]:
        name = type(step).__name__
        if name == "DataTransformer":
            features = featurize(graph, step.featurizer_, columns)
        elif name == "Featurizer":
            features = featurize(graph, step, columns)
        elif name not in ("MemberInput", "InputAdapter"):
            features = scale(graph, step, _made(features, name))
    last = model.steps[-1][1]
    joined = JOINS.get(type(last).__name__)
    if joined is not None:
        return joined(graph, last, columns)
    matrix = features or Matrix(name="")  # a constant model looks at none
    if model.classes is None:
        return Answers(value=_whole(graph, model, estimators.predict(graph, last, matrix)))
    known = estimators.predict_proba(graph, last, matrix)
    n_classes = len(model.classes)
    if model.codes is not None and len(model.codes) < n_classes:
        known = _spread(graph, known, model.codes, n_classes)
    return Answers(value=known, n_classes=n_classes)


def _made(features: Matrix | None, name: str) -> Matrix:
    if features is None:
        raise refuse(f"the step {name}", "comes before features are made.")
    return features


def _whole(graph: Graph, model: Any, numbers: str) -> str:
    return graph.node("Round", numbers) if model.predicts_whole else numbers


def _spread(graph: Graph, known: str, codes: Any, n_classes: int) -> str:
    """Return probabilities of all classes from those of the classes that a model knows."""
    return graph.matmul(known, np.eye(n_classes)[np.asarray(codes)])


def _mean(
    graph: Graph, members: Sequence[Any], weights: Sequence[float] | None, columns: Columns
) -> Answers:
    """Return the weighted mean of pipelines."""
    found = [_pipeline(graph, member, columns) for member in members]
    return replace(found[0], value=_average(graph, [one.value for one in found], weights))


def _average(graph: Graph, values: Sequence[str], weights: Sequence[float] | None) -> str:
    given = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    return _sum(graph, values, [float(share) for share in given / given.sum()])


def _sum(graph: Graph, values: Sequence[str], weights: Sequence[float]) -> str:
    total = graph.mul(values[0], [[float(weights[0])]])
    for weight, value in zip(weights[1:], values[1:], strict=True):
        total = graph.add(total, graph.mul(value, [[float(weight)]]))
    return total


def _folds(graph: Graph, bag: Any, columns: Columns) -> Answers:
    return _mean(graph, bag.estimators, bag.weights, columns)


def _vote(graph: Graph, vote: Any, columns: Columns) -> Answers:
    """Return a weighted mean of members, or the geometric one of their probabilities."""
    members = [member for _, member in vote.estimators]
    if not getattr(vote, "is_geometric", False):
        return _mean(graph, members, vote.weights, columns)
    found = [_pipeline(graph, member, columns) for member in members]
    least = graph.constant([[LEAST_PROBABILITY]])
    logs = [graph.node("Log", graph.node("Max", one.value, least)) for one in found]
    return replace(found[0], value=graph.node("Softmax", _sum(graph, logs, vote.weights), axis=1))


def _stack(graph: Graph, stack: Any, columns: Columns) -> Answers:
    """Return what the model on top says of the members' answers."""
    found = [_pipeline(graph, member, columns) for _, member in stack.base_learners]
    answers = [one.value for one in found]
    vote = _sum(graph, answers, stack.weights)
    n_classes, meta = found[0].n_classes, stack.meta_learner
    if not n_classes:
        units = [_in_units(graph, one, meta) for one in (vote, *answers)]
        numbers = estimators.predict(graph, meta.model, _meta_features(graph, units))
        value = graph.add(graph.mul(numbers, [[float(meta.scale)]]), [[float(meta.center)]])
        return Answers(value=value)
    odds = [_log_odds(graph, one, n_classes) for one in (vote, *answers)]
    known = estimators.predict_proba(graph, meta.model, _meta_features(graph, odds))
    codes = np.asarray(meta.model.classes_).astype(np.int64)
    return Answers(value=_spread(graph, known, codes, n_classes), n_classes=n_classes)


def _in_units(graph: Graph, value: str, meta: Any) -> str:
    return graph.div(graph.sub(value, [[float(meta.center)]]), [[float(meta.scale)]])


def _meta_features(graph: Graph, levels: Sequence[str]) -> Matrix:
    """Return what `nbautoml.runtime.stacking.meta_features` gives: the vote first."""
    vote, *others = levels
    first = graph.mul(vote, [[stacking.VOTE_SCALE]])
    return Matrix(name=graph.join([first, *(graph.sub(one, vote) for one in others)]))


def _log_odds(graph: Graph, shares: str, n_classes: int) -> str:
    smallest = stacking._SMALLEST  # private to the stack; this is its other half
    logs = graph.node("Log", graph.clip(shares, smallest, 1.0 - smallest))
    if n_classes == 2:
        return graph.sub(graph.columns(logs, [1]), graph.columns(logs, [0]))
    mean = graph.div(graph.sum_of(logs, 1), [[float(n_classes)]])
    return graph.sub(logs, mean)


JOINS: dict[str, Callable[[Graph, Any, Columns], Answers]] = {
    "FoldBag": _folds,
    "PreFittedSoftVotingClassifier": _vote,
    "PreFittedSoftVotingRegressor": _vote,
    "StackEnsembleClassifier": _stack,
    "StackEnsembleRegressor": _stack,
}
"""Name of what joins several models to what writes it."""
