"""A fitted model as an ONNX model, handed out only when it answers as the model does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: fitted models, ONNX models, JSON values

import numpy as np
import pandas as pd

from nbautoml.registry.onnx.columns import InputColumn, describe_inputs
from nbautoml.registry.onnx.graph import Graph, refuse
from nbautoml.registry.onnx.models import Answers, adapter_of, answer
from nbautoml.registry.onnx.parity import check_parity, rows_to_compare
from nbautoml.registry.schema import JsonValue, to_json

LABEL, PROBABILITIES = "label", "probabilities"
RESOURCE_KEY = "nbautoml.resource"
"""Under which a model keeps its `OnnxResource`."""
RESOURCE_VERSION = 1
MOST_BYTES = 1_500_000_000
"""A file of protocol buffers ends at two gigabytes; a model this large serves nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxResource:
    """What a caller has to know of a graph: its inputs, and the classes of its answers.

    ``classes`` is None for numbers.
    """

    inputs: tuple[InputColumn, ...]
    classes: tuple[JsonValue, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "version": RESOURCE_VERSION,
            "inputs": [column.to_dict() for column in self.inputs],
            "outputs": [LABEL] if self.classes is None else [LABEL, PROBABILITIES],
            "classes": None if self.classes is None else list(self.classes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> OnnxResource:
        """Rebuild a resource from `to_dict`."""
        classes = values["classes"]
        return cls(
            inputs=tuple(InputColumn.from_dict(column) for column in values["inputs"]),
            classes=None if classes is None else tuple(classes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxModel:
    """A model that was written: an ``onnx.ModelProto``, and what a caller has to know of it."""

    proto: Any
    resource: OnnxResource

    @property
    def content(self) -> bytes:
        """The model as bytes."""
        return bytes(self.proto.SerializeToString())


def convert_model(model: Any, rows: pd.DataFrame) -> OnnxModel:
    """Write a fitted model as ONNX, and compare it with the model.

    Parameters
    ----------
    model : ModelPipeline
        A fitted model of an AutoML run, which takes raw rows.
    rows : DataFrame
        Raw training rows without the label; some of them are compared, and others made of
        them: with missing cells, and with categories and words that nobody has seen.

    Returns
    -------
    OnnxModel
        Inputs are the raw columns that the model uses, each of shape (n_rows, 1). Outputs are
        ``label`` of shape (n_rows,) and, for classes, ``probabilities`` (n_rows, n_classes).

    Raises
    ------
    ModelError
        When a column or a step cannot be written, or when answers differ; the message names
        columns or steps.
    MissingExtraError
        When the extra ``onnx`` is not installed.
    """
    rows = rows.rename(columns=str)
    formats = adapter_of(model).columns
    inputs = describe_inputs(formats, rows, (LABEL, PROBABILITIES))
    graph = Graph([column.input for column in inputs])
    answers = answer(graph, model, inputs)
    resource = OnnxResource(inputs=inputs, classes=_classes_of(model))
    _add_outputs(graph, model, answers)
    proto = graph.finish({RESOURCE_KEY: json.dumps(resource.to_dict())})
    if proto.ByteSize() > MOST_BYTES:
        raise refuse("the model", f"takes {proto.ByteSize() / 1e9:.1f} GB as a graph.")
    made = OnnxModel(proto=proto, resource=resource)
    check_parity(model, made.content, inputs, rows_to_compare(rows, inputs))
    return made


def _classes_of(model: Any) -> tuple[JsonValue, ...] | None:
    if model.classes is None:
        return None
    return tuple(to_json(label) for label in model.classes)


def _add_outputs(graph: Graph, model: Any, answers: Answers) -> None:
    if model.classes is None:
        numbers = graph.squeeze(answers.value)
        if model.predicts_whole:
            graph.output(LABEL, graph.cast(graph.node("Round", numbers), "int64"), "int64")
        else:
            graph.output(LABEL, numbers, "double")
        return
    places = graph.node("ArgMax", answers.value, axis=1, keepdims=0)
    labels = _labels(model.classes)
    kind: Any = {"O": "string", "i": "int64", "b": "bool", "f": "double"}[labels.dtype.kind]
    graph.output(LABEL, graph.node("Gather", graph.constant(labels), places, axis=0), kind)
    shares = graph.cast(answers.value, "float")
    graph.output(PROBABILITIES, shares, "float", answers.n_classes)


def _labels(classes: Sequence[Any]) -> Any:
    """Return the classes as an array of a type that ONNX has; mixed ones become texts."""
    array = np.asarray(classes)
    if array.dtype.kind in "bif":
        return array
    if array.dtype.kind == "u":
        return array.astype(np.int64)
    return np.array([str(label) for label in classes], dtype=object)
