"""Steps that make features of columns, as nodes of a graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any  # Any: fitted transformers

import numpy as np

from nbautoml.registry.onnx.columns import (
    Columns,
    ReadColumn,
    look_up,
    number_of_label,
    text_of_cells,
)
from nbautoml.registry.onnx.dates import DateReader
from nbautoml.registry.onnx.graph import RUNTIME, Graph, Matrix, refuse
from nbautoml.registry.onnx.texts import text_features
from nbautoml.runtime.categorical import NO_SLOT
from nbautoml.runtime.dates import PARTS

_JOINT = 2**32
_ROUNDED = {
    "TruncatedSVD",
    *(f"{kind}{weight}" for kind in ("", "CharGram") for weight in ("TfIdf", "CountVectorizer")),
}
_MISSING_PLACE = "\0missing"


def featurize(graph: Graph, featurizer: Any, columns: Columns) -> Matrix:
    """Return the features that a fitted `Featurizer` makes.

    Parameters
    ----------
    graph : Graph
        Takes the nodes.
    featurizer : Featurizer
        Fitted.
    columns : mapping of str to ReadColumn
        What the input adapter reads.

    Raises
    ------
    ModelError
        When a step cannot be written; the message names it and its columns.
    """
    blocks = []
    for _, step, names in featurizer.steps_:
        make = STEPS.get(type(step).__name__)
        if make is None:
            raise refuse(
                f"the step {type(step).__name__} of {', '.join(map(repr, names))}",
                "has no form as a graph.",
            )
        used = [columns[name] for name in names]
        if used:
            blocks.append(make(graph, step, used))
    if not blocks:
        raise refuse("the step Featurizer", "makes no feature.")
    joined = graph.round32(graph.join(blocks))
    rounded = {f.index: f.raw for f in featurizer.lineage_ if f.transformation in _ROUNDED}
    return Matrix(name=joined, is_sparse=bool(featurizer.is_sparse_), rounded=rounded)


def _numbers(graph: Graph, step: Any, columns: Sequence[ReadColumn]) -> str:
    """`NumericColumns`: missing cells filled, columns far from zero moved, markers."""
    values = graph.join([column.value for column in columns])
    is_missing = graph.is_nan(values)
    if step.strategy != "none":
        values = graph.where(is_missing, step.statistics_[np.newaxis], values)
    moved = graph.sub(values, step.offset_[np.newaxis])
    if not len(step.markers_):
        return moved
    flags = graph.cast(is_missing, "double")
    return graph.join([moved, graph.columns(flags, step.markers_)])


def _one_hot(graph: Graph, step: Any, columns: Sequence[ReadColumn]) -> str:
    """`OneHotColumns`: for each column a run of outputs, of which one is switched on."""
    widths = [0] * len(columns)
    places = {str(name): place for place, name in enumerate(step.feature_names_in_)}
    for feature in step.get_features():
        widths[places[feature.raw]] += 1
    blocks = []
    start = 0
    for place, (column, width) in enumerate(zip(columns, widths, strict=True)):
        if width:
            slots = _slots(graph, step, place, column)
            blocks.append(_switched(graph, step, place, column, slots, (start, start + width)))
        start += width
    if not blocks:
        return graph.repeat(np.empty((1, 0)))
    return graph.join(blocks)


def _slots(graph: Graph, step: Any, place: int, column: ReadColumn) -> str:
    return look_up(
        graph,
        column,
        {label: int(slot) for label, slot in step.slots_[place].items()},
        missing=int(step.missing_slot_[place]),
        other=int(step.other_slot_[place]),
    )


def _switched(
    graph: Graph,
    step: Any,
    place: int,
    column: ReadColumn,
    slots: str,
    bounds: tuple[int, int],
) -> str:
    """Return zeros and ones for the outputs from `bounds[0]` to before `bounds[1]`."""
    outputs = np.arange(*bounds)[np.newaxis]
    is_on = graph.compare("Equal", slots, outputs)
    marker = step.marker_slot_[place]
    if marker != NO_SLOT:
        is_marker = graph.node("And", column.is_missing, graph.constant(outputs == marker))
        is_on = graph.node("Or", is_on, is_marker)
    return graph.cast(is_on, "double")


def _hashed(graph: Graph, step: Any, columns: Sequence[ReadColumn]) -> str:
    """`HashedColumns`: a stable hash says which output is switched on; markers behind all."""
    width = 1 << step.number_of_bits
    blocks, flags = [], []
    for place, column in enumerate(columns):
        labels = text_of_cells(graph, column)
        hashed = graph.node("MurmurHash3", labels, domain=RUNTIME, positive=1, seed=0)
        slot = graph.node("Mod", graph.cast(hashed, "int64"), graph.constant([[width]]))
        missing = int(step.missing_slot_[place])
        slot = graph.where(column.is_missing, [[missing]], slot)
        is_on = graph.compare("Equal", slot, np.arange(width)[np.newaxis])
        blocks.append(graph.cast(is_on, "double"))
        if step.marker_slot_[place] != NO_SLOT:
            flags.append(graph.cast(column.is_missing, "double"))
    return graph.join([*blocks, *flags])


def _ordinal(graph: Graph, step: Any, columns: Sequence[ReadColumn]) -> str:
    """`OrdinalColumns`: a number for each category; labels that are numbers keep their value."""
    blocks = []
    for place, column in enumerate(columns):
        codes = {label: float(code) for label, code in step.codes_[place].items()}
        found = look_up(graph, column, codes, missing=math.nan, other=math.nan)
        if step.is_numeric_[place]:
            own = number_of_label(graph, column)
            found = graph.where(graph.is_nan(found), own, found)
        blocks.append(found)
    return graph.join(blocks)


def _dates(graph: Graph, step: Any, columns: Sequence[ReadColumn]) -> str:
    """`DateParts`: parts of the calendar and of the day."""
    blocks = []
    for place, column in enumerate(columns):
        reader = DateReader(graph, column.value)
        parts = [reader.part(PARTS[part], step.first_[place]) for part in step.parts_[place]]
        if parts:
            values = graph.join(parts)
            if step.impute:
                values = graph.where(column.is_missing, step.means_[place][np.newaxis], values)
                values = graph.sub(values, step.offsets_[place][np.newaxis])
            blocks.append(values)
        if step.has_marker_[place]:
            blocks.append(graph.cast(column.is_missing, "double"))
    return graph.join(blocks) if blocks else graph.repeat(np.empty((1, 0)))


def _target_means(graph: Graph, step: Any, columns: Sequence[ReadColumn]) -> str:
    """`TargetColumns`: the mean label of each category, and of pairs of columns."""
    # The readers are private to the transformer; this is its other half.
    codes = [
        _category_places(graph, reader, column)
        if reader.is_category
        else _parts_of_range(graph, reader, column)
        for reader, column in zip(step._readers, columns, strict=True)
    ]
    places = [codes[j] for j in step._encoded]
    for (i, j), table in zip(step.pairs_, step._tables, strict=True):
        high = graph.mul(graph.add(codes[i], [[1]]), [[_JOINT]])
        joint = graph.add(high, graph.add(codes[j], [[1]]))
        keys = np.asarray(table, dtype=np.int64)
        places.append(graph.lookup(joint, keys, np.arange(len(keys)), -1))
    blocks = [
        graph.squeeze(graph.node("Gather", graph.constant(means), place, axis=0))
        for means, place in zip(step.means_, places, strict=True)
    ]
    return graph.join(blocks) if blocks else graph.repeat(np.empty((1, 0)))


def _category_places(graph: Graph, reader: Any, column: ReadColumn) -> str:
    """Return the place of each category, -1 for unseen ones; missing cells have one, too."""
    places = {k: int(v) for k, v in reader._places.items() if k != _MISSING_PLACE}
    missing = int(reader._places[_MISSING_PLACE])
    return look_up(graph, column, places, missing=missing, other=-1)


def _parts_of_range(graph: Graph, reader: Any, column: ReadColumn) -> str:
    """Return how many edges lie at or below a number, plus 1; 0 for missing ones."""
    edges = np.asarray(reader._edges, dtype=np.float64)[np.newaxis]
    if not edges.size:
        return graph.cast(graph.where(column.is_missing, [[0.0]], [[1.0]]), "int64")
    is_above = graph.cast(graph.compare("GreaterOrEqual", column.value, edges), "double")
    part = graph.add(graph.sum_of(is_above, 1), [[1.0]])
    return graph.cast(graph.where(column.is_missing, [[0.0]], part), "int64")


def _pairs(graph: Graph, step: Any, columns: Sequence[ReadColumn]) -> str:
    """`PairArithmetic`: sum, difference, product and ratio of pairs of columns."""
    blocks = []
    for i, j in step.pairs_:
        a, b = columns[i].value, columns[j].value
        blocks += [graph.add(a, b), graph.sub(a, b), graph.mul(a, b), graph.div(a, b)]
    if not blocks:
        return graph.repeat(np.empty((1, 0)))
    values = graph.round32(graph.join(blocks))
    is_large = graph.node("IsInf", values)
    return graph.where(is_large, [[math.nan]], values)


STEPS: dict[str, Callable[[Graph, Any, Sequence[ReadColumn]], str]] = {
    "NumericColumns": _numbers,
    "OneHotColumns": _one_hot,
    "HashedColumns": _hashed,
    "OrdinalColumns": _ordinal,
    "DateParts": _dates,
    "TargetColumns": _target_means,
    "PairArithmetic": _pairs,
    "TextColumns": text_features,
}
"""Name of a fitted transformer to what writes it."""
