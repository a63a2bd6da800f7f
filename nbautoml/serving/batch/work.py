"""What a worker does for a batch job: read one piece, predict it, write one file.

A file gets its name only once it is whole and on disk; then a mark with its number of rows is
written beside it. So a worker that is killed leaves nothing that could be taken for a part.
"""

from __future__ import annotations

import functools
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: a model is any object with predict

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbautoml.data.definition import Definition
from nbautoml.data.frames import to_arrow
from nbautoml.domain.ports import Emit
from nbautoml.errors import ConfigError, DatasetError
from nbautoml.registry.schema import ModelSchema
from nbautoml.registry.trust import check_hash, load_pickle
from nbautoml.serving.batch.checks import RowError, check_frame
from nbautoml.serving.batch.pieces import Piece, read_piece
from nbautoml.serving.scorer import unused_columns
from nbautoml.serving.trees import hasten

PREDICTION = "prediction"
PROBABILITY = "probability of {}"
CSV, PARQUET = ".csv", ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlace:
    """Where a job's model lies: a pickle, its hash, and what it was made with."""

    pickle: str
    sha256: str
    name: str
    manifest: str = ""
    schema: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One partition to predict.

    Parameters
    ----------
    piece : Piece
        The rows.
    definition : Definition or None
        How files are read.
    model : ModelPlace
        The model.
    target : str
        Path of the file to write, without its suffix.
    suffix : str
        ``".csv"`` or ``".parquet"``.
    columns : tuple of str or None
        Columns of the rows to write, too; None is all.
    wants_proba : bool
        Whether to write the probability of each class.
    has_header : bool
        Whether a CSV file begins with the names.
    """

    piece: Piece
    definition: Definition | None
    model: ModelPlace
    target: str
    suffix: str
    columns: tuple[str, ...] | None
    wants_proba: bool
    has_header: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A partition that is written, or why it cannot be (``problem``)."""

    number: int
    n_rows: int = 0
    problem: str = ""


def score_piece(order: Order, emit: Emit) -> Done:
    """Predict one piece and write it; called in a process of its own.

    Parameters
    ----------
    order : Order
        What to do.
    emit : callable
        Not used.

    Returns
    -------
    Done
        Rows that cannot be predicted are told in ``problem``; other errors are raised.
    """
    del emit
    number = order.piece.number
    try:
        # A model that says what it takes gets texts, which are read the same in each piece.
        frame = read_piece(order.piece, order.definition, as_text=bool(order.model.schema))
        result = predict(frame, order)
    except RowError as error:
        return Done(number=number, problem=f"{order.piece.place_of(error.row)}: {error.message}.")
    except (DatasetError, ConfigError) as error:
        return Done(number=number, problem=f"partition {number}: {error}")
    write_part(result, Path(order.target), order.suffix, has_header=order.has_header)
    return Done(number=number, n_rows=len(result))


def predict(frame: pd.DataFrame, order: Order) -> pd.DataFrame:
    """Return the rows of a partition with what the model says to them."""
    loaded = _load(order.model)
    kept = _kept(frame, order.columns)
    rows = loaded.inputs(frame)
    if order.suffix == PARQUET and loaded.schema is not None:
        kept = _with_types(kept, rows, loaded.schema)
    found: dict[str, Any] = {}
    try:
        found[PREDICTION] = _column(loaded.model.predict, rows)
        if order.wants_proba:
            found |= _probabilities(loaded, rows)
    except ValueError as error:
        # The model's own words for rows that it cannot read.
        raise RowError(None, f"the model cannot read its rows: {error}") from error
    return pd.concat([kept, pd.DataFrame(found, index=frame.index)], axis="columns")


def write_part(frame: pd.DataFrame, target: Path, suffix: str, *, has_header: bool) -> None:
    """Write a part so that it is there whole or not at all, and mark it.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    target : Path
        Path without its suffix.
    suffix : str
        ``".csv"`` or ``".parquet"``.
    has_header : bool
        Whether a CSV file begins with the names.
    """
    data = _encode(frame, suffix, has_header=has_header)
    put(target.with_name(target.name + suffix), data)
    mark = {"rows": len(frame), "size_bytes": len(data)}
    put(mark_of(target), json.dumps(mark).encode())


def mark_of(target: Path) -> Path:
    """Return where the mark of a part lies."""
    return target.parent.parent / "marks" / f"{target.name}.json"


def put(path: Path, data: bytes) -> None:
    """Replace a file in one step, durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _encode(frame: pd.DataFrame, suffix: str, *, has_header: bool) -> bytes:
    if suffix == CSV:
        return frame.to_csv(index=False, header=has_header).encode()
    table: pa.Table = to_arrow(frame, "The result")
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """A model in this process, and which rows it takes."""

    model: Any
    schema: ModelSchema | None
    unused: frozenset[str]

    def inputs(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self.schema is None:
            return frame
        return check_frame(frame, self.schema, unused=self.unused)


@functools.lru_cache(maxsize=1)
def _load(place: ModelPlace) -> _Loaded:
    """Load a job's model once in a process; its bytes are checked before."""
    check_hash(Path(place.pickle), place.sha256, of=place.name)
    versions = {}
    if place.manifest:
        manifest = json.loads(Path(place.manifest).read_text(encoding="utf-8"))
        versions = {"python": manifest["python"], **manifest["packages"]}
    model = load_pickle(Path(place.pickle), versions=versions, of=place.name)
    hasten(model)
    schema = None
    if place.schema:
        content = json.loads(Path(place.schema).read_text(encoding="utf-8"))
        schema = ModelSchema.from_dict(content)
    return _Loaded(model=model, schema=schema, unused=unused_columns(model))


def _kept(frame: pd.DataFrame, columns: tuple[str, ...] | None) -> pd.DataFrame:
    if columns is None:
        kept = frame
    else:
        lacking = [name for name in columns if name not in frame.columns]
        if lacking:
            raise ConfigError(f"columns of Model.score: the rows have no column {lacking[0]!r}.")
        kept = frame[list(columns)]
    if PREDICTION in kept.columns:
        raise ConfigError(
            f"the rows have a column {PREDICTION!r} already; leave it out: columns=[...]."
        )
    return kept


def _with_types(kept: pd.DataFrame, rows: pd.DataFrame, schema: ModelSchema) -> pd.DataFrame:
    """Give texts of a delimited file the types that the model read in them."""
    whole = {c.name for c in schema.columns if c.dtype.startswith(("int", "uint"))}
    typed = {}
    for name in kept.columns.intersection(rows.columns):
        cells = rows[name]
        if pd.api.types.is_string_dtype(kept[name]):
            is_whole = name in whole and bool((cells.notna() & (cells % 1 == 0)).all())
            typed[name] = cells.astype("int64") if is_whole else cells
    return kept.assign(**typed)


def _column(method: Callable[[pd.DataFrame], Any], rows: pd.DataFrame) -> Any:
    return np.asarray(method(rows)) if len(rows) else np.empty(0, dtype=object)


def _probabilities(loaded: _Loaded, rows: pd.DataFrame) -> dict[str, Any]:
    classes = getattr(loaded.model, "classes_", None)
    if classes is None or not hasattr(loaded.model, "predict_proba"):
        raise ConfigError("probabilities of Model.score: this model predicts numbers; it has none.")
    shape = (0, len(classes))
    proba = np.asarray(loaded.model.predict_proba(rows)) if len(rows) else np.empty(shape)
    return {PROBABILITY.format(label): proba[:, place] for place, label in enumerate(classes)}
