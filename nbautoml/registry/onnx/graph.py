"""An ONNX graph that is built node by node.

All numbers are float64: what the model keeps in float32 is rounded to it where the model does
so, so that a threshold is met by the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal  # Any: attributes of nodes; onnx is loaded when it is needed

import numpy as np
import numpy.typing as npt

from nbautoml.errors import ModelError
from nbautoml.registry.extras import need

OPSET, ML_OPSET, IR_VERSION = 21, 5, 10
"""The newest operators that are used are `RegexFullMatch` (20) and `TreeEnsemble` (ml 5)."""
ML = "ai.onnx.ml"
RUNTIME = "com.microsoft"
"""Operators that onnxruntime adds: a hash of texts, and a splitter of texts."""

TensorType = Literal["double", "string", "int64", "bool", "float"]
_TYPES = {"float": 1, "int64": 7, "string": 8, "bool": 9, "double": 11}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Features of the rows, shape (n_rows, n_features), as float64.

    ``is_sparse`` tells that the model holds them as a sparse matrix, in which some libraries
    take a zero for a missing cell. ``rounded`` tells the raw column of each feature, by its place,
    that is a sum of many products: another order of summing changes its last digits.
    """

    name: str
    is_sparse: bool = False
    rounded: Mapping[int, str] = field(default_factory=dict)


def refuse(what: str, why: str) -> ModelError:
    """Return the error for what cannot be written as a graph.

    Parameters
    ----------
    what : str
        The column or the step, such as ``"column 'price'"``.
    why : str
        Its reason, as a sentence that begins in lower case.
    """
    return ModelError(
        f"The model cannot be written as ONNX: {what} {why} The model itself, outputs/model.pkl, "
        "is not concerned."
    )


class Graph:
    """Nodes, constants, inputs and outputs; equal nodes are made once.

    Parameters
    ----------
    taken : sequence of str
        Names that users see: no inner value gets one of them.
    """

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self._onnx: Any = need("onnx", extra="onnx", purpose="write ONNX models")
        self._prefix = "/"
        while any(name.startswith(self._prefix) for name in taken):
            self._prefix += "/"
        self._nodes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._tensors: list[Any] = []
        self._known: dict[tuple[Any, ...], list[str]] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._n_names = 0
        self._first_input = ""

    def input(self, name: str, tensor: TensorType) -> str:
        """Add an input of shape (n_rows, 1)."""
        make = self._onnx.helper.make_tensor_value_info
        self._inputs.append(make(name, _TYPES[tensor], ["rows", 1]))
        self._first_input = self._first_input or name
        return name

    def matrix(self, name: str, n_columns: int) -> str:
        """Add an input of float64, shape (n_rows, n_columns)."""
        make = self._onnx.helper.make_tensor_value_info
        self._inputs.append(make(name, _TYPES["double"], ["rows", n_columns]))
        self._first_input = self._first_input or name
        return name

    def output(self, name: str, value: str, tensor: TensorType, *shape: int) -> None:
        """Name a value as an output; `shape` is what follows the number of rows."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        make = self._onnx.helper.make_tensor_value_info
        self._outputs.append(make(name, _TYPES[tensor], ["rows", *shape]))

    def constant(self, values: Any) -> str:
        """Return a constant: float64, int64, bool, or texts."""
        array = np.asarray(values)
        if array.dtype.kind in "US" or array.dtype == object:
            array = array.astype(object)
            content = json.dumps(array.ravel().tolist()).encode()
        else:
            if array.dtype.kind == "f":
                array = array.astype(np.float64)
            elif array.dtype.kind in "iu":
                array = array.astype(np.int64)
            content = np.ascontiguousarray(array).tobytes()
        key = (str(array.dtype), array.shape, content)
        if key not in self._constants:
            name = self._new_name()
            self._constants[key] = name
            self._tensors.append(self._onnx.numpy_helper.from_array(array, name))
        return self._constants[key]

    def node(
        self, kind: str, *inputs: str, domain: str = "", n_outputs: int = 1, **attributes: Any
    ) -> str:
        """Add a node and return its first output."""
        return self.nodes(kind, *inputs, domain=domain, n_outputs=n_outputs, **attributes)[0]

    def nodes(
        self, kind: str, *inputs: str, domain: str = "", n_outputs: int = 1, **attributes: Any
    ) -> list[str]:
        """Add a node and return all its outputs."""
        given = tuple((name, _identity(value)) for name, value in sorted(attributes.items()))
        key = (domain, kind, inputs, given)
        if key not in self._known:
            outputs = [self._new_name() for _ in range(n_outputs)]
            written = {name: self._attribute(value) for name, value in attributes.items()}
            make = self._onnx.helper.make_node
            self._nodes.append(make(kind, inputs, outputs, domain=domain, **written))
            self._known[key] = outputs
        return self._known[key]

    def add(self, a: str, b: Any) -> str:
        """Return a + b; here and below `b` may be a constant."""
        return self.node("Add", a, self._value(b))

    def sub(self, a: str, b: Any) -> str:
        """Return a - b."""
        return self.node("Sub", a, self._value(b))

    def mul(self, a: str, b: Any) -> str:
        """Return a * b."""
        return self.node("Mul", a, self._value(b))

    def div(self, a: str, b: Any) -> str:
        """Return a / b."""
        return self.node("Div", a, self._value(b))

    def matmul(self, a: str, b: Any) -> str:
        """Return the product of two matrices."""
        return self.node("MatMul", a, self._value(b))

    def where(self, condition: str, a: Any, b: Any) -> str:
        """Return `a` where the condition holds, else `b`."""
        return self.node("Where", condition, self._value(a), self._value(b))

    def clip(self, a: str, low: float, high: float) -> str:
        """Return numbers held within two bounds."""
        return self.node("Max", self.node("Min", a, self.constant(high)), self.constant(low))

    def compare(self, kind: str, a: str, b: Any) -> str:
        """Return truth values of ``Equal``, ``Less``, ``Greater``, ``LessOrEqual``, …."""
        return self.node(kind, a, self._value(b))

    def is_nan(self, a: str) -> str:
        """Return where a number is missing."""
        return self.node("IsNaN", a)

    def cast(self, a: str, tensor: TensorType) -> str:
        """Return values as another type."""
        return self.node("Cast", a, to=_TYPES[tensor])

    def round32(self, a: str) -> str:
        """Return numbers with the digits that they have as float32."""
        return self.cast(self.cast(a, "float"), "double")

    def join(self, parts: Sequence[str]) -> str:
        """Return columns side by side."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)

    def sum_of(self, a: str, axis: int) -> str:
        """Return sums along an axis, which is kept with length 1."""
        return self.node("ReduceSum", a, self.constant([axis]), keepdims=1)

    def columns(self, a: str, places: Sequence[int]) -> str:
        """Return some columns of a matrix."""
        return self.node("Gather", a, self.constant(np.asarray(places, np.int64)), axis=1)

    def squeeze(self, a: str, axis: int = 1) -> str:
        """Return values without an axis of length 1."""
        return self.node("Squeeze", a, self.constant([axis]))

    def n_rows(self) -> str:
        """Return the number of rows, shape (1,)."""
        return self.node("Shape", self._first_input, start=0, end=1)

    def repeat(self, row: Any) -> str:
        """Return a constant of shape (1, n) for each row."""
        constant = np.asarray(row)
        shape = self.node("Concat", self.n_rows(), self.constant([constant.shape[1]]), axis=0)
        return self.node("Expand", self.constant(constant), shape)

    def matches(self, a: str, pattern: str) -> str:
        """Return which texts match a pattern (RE2) as a whole."""
        return self.node("RegexFullMatch", a, pattern=pattern)

    def lookup(self, a: str, keys: Any, values: Any, default: Any) -> str:
        """Return the value of each key, `default` for others; shape as that of `a`."""
        if not len(keys):
            return self.where(self.compare("Equal", a, a), _one(default), _one(default))
        return self.node(
            "LabelEncoder",
            a,
            domain=ML,
            keys_tensor=_typed(keys),
            values_tensor=_typed(values),
            default_tensor=_typed([default]),
        )

    def finish(self, metadata: Mapping[str, str]) -> Any:
        """Return the model, checked by the ``onnx`` package.

        Parameters
        ----------
        metadata : mapping of str to str
            What is kept with it.
        """
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes, "model", self._inputs, self._outputs, initializer=self._tensors
        )
        model = helper.make_model(
            graph,
            ir_version=IR_VERSION,
            producer_name="nbautoml",
            opset_imports=[
                helper.make_opsetid("", OPSET),
                helper.make_opsetid(ML, ML_OPSET),
                helper.make_opsetid(RUNTIME, 1),
            ],
        )
        helper.set_model_props(model, dict(metadata))
        return model

    def _value(self, given: Any) -> str:
        return given if isinstance(given, str) else self.constant(given)

    def _attribute(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self._onnx.numpy_helper.from_array(value)
        return value

    def _new_name(self) -> str:
        self._n_names += 1
        return f"{self._prefix}{self._n_names}"


def _identity(value: Any) -> Any:
    """Return something equal for equal attributes."""
    if isinstance(value, np.ndarray):
        content = repr(value.tolist()) if value.dtype == object else value.tobytes()
        return (str(value.dtype), value.shape, content)
    return repr(value)


def _typed(values: Any) -> npt.NDArray[Any]:
    """Return an array of a type that ONNX has."""
    array = np.asarray(values)
    if array.dtype.kind in "US":
        return array.astype(object)
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    return array if array.dtype == object else array.astype(np.int64)


def _one(value: Any) -> npt.NDArray[Any]:
    return _typed([[value]])
