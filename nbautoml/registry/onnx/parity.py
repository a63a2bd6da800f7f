"""Whether a graph answers as the model does, on stored rows and on rows made of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any  # Any: fitted models

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.registry.extras import need
from nbautoml.registry.onnx.columns import InputColumn, to_tensor
from nbautoml.registry.onnx.graph import refuse

COMPARED_ROWS = 300
"""Stored rows that are compared, evenly spread; a third of them again with changed cells."""
LARGEST_DIFFERENCE = 1e-4
"""Most that a probability may differ, and a number as a share of the spread of the numbers.

Rounding is a hundred times smaller (docs/decisions/onnx.md); a row on the other side of a threshold
differs by far more.
"""
_ROUNDING = 1e-6
_CHANGED_SHARE = 0.3
_UNSEEN_TEXT = "never seen before"
_UNSEEN_NUMBER = 987_654_321.0
_SEED = 0
_SHOWN_COLUMNS = 5
_TRIED_ROWS = 20


def rows_to_compare(rows: pd.DataFrame, inputs: Sequence[InputColumn]) -> pd.DataFrame:
    """Return stored rows, and below them some with missing cells and unseen values.

    Parameters
    ----------
    rows : DataFrame
        Raw training rows.
    inputs : sequence of InputColumn
        The columns that the model uses.
    """
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), COMPARED_ROWS)).astype(int))
    stored = rows.iloc[places].reset_index(drop=True)
    changed = stored.iloc[::3].reset_index(drop=True)
    rng = np.random.default_rng(_SEED)
    parts = [stored]
    for change in (_without, _unseen):
        part = changed.copy()
        for column in inputs:
            is_changed = rng.random(len(part)) < _CHANGED_SHARE
            part[column.name] = change(part[column.name], column, is_changed)
        parts.append(part)
    return pd.concat(parts, ignore_index=True).infer_objects()


def _without(cells: pd.Series, column: InputColumn, is_changed: npt.NDArray[np.bool_]) -> pd.Series:
    del column
    return cells.mask(is_changed)


def _unseen(cells: pd.Series, column: InputColumn, is_changed: npt.NDArray[np.bool_]) -> pd.Series:
    if column.kind not in ("category", "text"):
        return cells
    value: Any = _UNSEEN_TEXT if column.tensor == "string" else _UNSEEN_NUMBER
    if pd.api.types.is_numeric_dtype(cells.dtype) and column.tensor == "string":
        return cells
    return cells.astype(object).mask(is_changed, value)


def open_model(content: bytes) -> Any:
    """Return a session of onnxruntime that runs on one thread.

    Raises
    ------
    MissingExtraError
        When onnxruntime is not installed.
    """
    runtime: Any = need("onnxruntime", extra="onnx", purpose="run ONNX models")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors; each is raised, too
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def runtime_errors() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises; its errors have no class in common but `Exception`."""
    state: Any = need(
        "onnxruntime.capi.onnxruntime_pybind11_state", extra="onnx", purpose="run ONNX models"
    )
    found = (value for value in vars(state).values() if isinstance(value, type))
    return tuple(error for error in found if issubclass(error, Exception))


def ask(session: Any, inputs: Sequence[InputColumn], rows: pd.DataFrame) -> list[Any]:
    """Return the outputs for raw rows."""
    feed = {column.input: to_tensor(rows[column.name], column) for column in inputs}
    answers: list[Any] = session.run(None, feed)
    return answers


def check_parity(
    model: Any, content: bytes, inputs: Sequence[InputColumn], rows: pd.DataFrame
) -> None:
    """Compare a graph with its model.

    Parameters
    ----------
    model : ModelPipeline
        The model.
    content : bytes
        The graph.
    inputs : sequence of InputColumn
        Its inputs.
    rows : DataFrame
        Raw rows.

    Raises
    ------
    ModelError
        When onnxruntime refuses the graph or the rows, when a probability or a number differs
        by more than `LARGEST_DIFFERENCE`, or when labels differ.
    """
    try:
        session = open_model(content)
        differs = _differences(model, session, inputs, rows)
    except runtime_errors() as error:
        reason = " ".join(str(error).split())
        raise refuse("the graph", f"does not run: {reason}.") from error
    if differs.any():
        raise refuse(*_blame(model, session, inputs, rows[differs]))


def _differences(
    model: Any, session: Any, inputs: Sequence[InputColumn], rows: pd.DataFrame
) -> npt.NDArray[np.bool_]:
    """Return which rows get other answers."""
    answers = ask(session, inputs, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about cells that were taken away on purpose
        if model.classes is None:
            return _far_numbers(np.asarray(model.predict(rows), float), np.asarray(answers[0]))
        shares = model.predict_proba(rows)
    is_far = np.abs(shares - answers[1]) > LARGEST_DIFFERENCE
    # Where two classes are as likely, rounding may decide between them.
    best = np.sort(shares, axis=1)
    is_close = best[:, -1] - best[:, -2] <= 2 * LARGEST_DIFFERENCE
    labels = np.asarray(model.classes)[np.argmax(shares, axis=1)]
    is_other = np.array([str(a) != str(b) for a, b in zip(labels, answers[0], strict=True)])
    found: npt.NDArray[np.bool_] = is_far.any(axis=1) | (is_other & ~is_close)
    return found


def _far_numbers(
    expected: npt.NDArray[np.float64], found: npt.NDArray[Any]
) -> npt.NDArray[np.bool_]:
    spread = float(expected.std()) if len(expected) else 0.0
    allowed = LARGEST_DIFFERENCE * spread + _ROUNDING * np.abs(expected)
    far: npt.NDArray[np.bool_] = ~(np.abs(expected - found) <= allowed)
    return far


def _blame(
    model: Any, session: Any, inputs: Sequence[InputColumn], rows: pd.DataFrame
) -> tuple[str, str]:
    """Return what differs: the columns without which rows get the same answers, or the steps."""
    tried = rows.iloc[:_TRIED_ROWS].reset_index(drop=True)
    names = []
    for column in inputs:
        without = tried.copy()
        without[column.name] = without[column.name].mask(np.ones(len(tried), dtype=bool))
        if not _differences(model, session, inputs, without).any():
            names.append(column.name)
    n_rows = f"{len(rows)} compared rows get other answers from the graph than from the model."
    if names:
        shown = ", ".join(map(repr, names[:_SHOWN_COLUMNS]))
        return f"column{'s' * (len(names) > 1)} {shown}", f"decide: {n_rows}"
    steps = ", ".join(type(step).__name__ for _, step in model.steps[1:])
    return f"the steps {steps}", f"differ: {n_rows}"
