"""Cutting rows into pieces that fit into memory, and reading one of them.

A piece says where rows are, not what they are, so that it can be sent to a worker. Pieces are
numbered in the order of the rows. Nothing is read here but what cutting needs: the footer of a
Parquet file, the record ends of a text file.
"""

from __future__ import annotations

import csv
import io
import pickle
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any  # Any: reader options are JSON values; dask is not typed

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbautoml.data.definition import Definition
from nbautoml.data.readers import LocalFile
from nbautoml.data.readers.delimited import DelimitedOptions
from nbautoml.data.readers.text import GZIP_MAGIC
from nbautoml.data.reading import read_files
from nbautoml.data.steps import apply_steps
from nbautoml.data.types import convert_columns
from nbautoml.errors import DatasetError

BATCH_ROWS = 65_536
"""Rows that are decoded at a time while a range of a Parquet file is looked for."""
_WIDE = ("utf-16", "utf-32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Where the rows of one partition are.

    Parameters
    ----------
    number : int
        Counts from 0 in the order of the rows.
    kind : str
        ``"text"`` (a range of bytes), ``"parquet"`` (a range of rows), ``"file"`` (all of it)
        or ``"dask"`` (a pickled partition in `body`).
    label : str
        What messages call the source.
    path : str
        The file; empty for a dask partition.
    start, stop : int
        The range.
    head : int
        Bytes of the header of a text file.
    first_row : int or None
        Data rows of the source before it; None where that is not known.
    body : bytes
        A dask partition.
    """

    number: int
    kind: str
    label: str
    path: str = ""
    start: int = 0
    stop: int = 0
    head: int = 0
    first_row: int | None = None
    body: bytes = b""

    def place_of(self, row: int | None) -> str:
        """Return where a row of the piece (from 0; None is all) is, for people, who count from 1.

        Examples
        --------
        >>> Piece(number=2, kind="parquet", label="a.parquet", first_row=200).place_of(4)
        'partition 2, data row 205 of a.parquet'
        """
        if row is None:
            return f"partition {self.number} of {self.label}"
        if self.first_row is None:
            return f"partition {self.number} of {self.label}, its row {row + 1:,}"
        return f"partition {self.number}, data row {self.first_row + row + 1:,} of {self.label}"

    def identity(self) -> list[Any]:
        """Return what makes the piece this one, as JSON values."""
        return [self.kind, self.path, self.start, self.stop, self.head]


def cut_file(file: LocalFile, definition: Definition, partition_rows: int) -> Iterator[Piece]:
    """Yield the pieces of one file, all with the number 0.

    Parameters
    ----------
    file : LocalFile
        The file.
    definition : Definition
        How it is read.
    partition_rows : int
        About how many rows a piece has; a text that cannot be cut is one piece.
    """
    cut = _CUTTERS.get(definition.reader)
    whole = Piece(number=0, kind="file", label=file.label, path=str(file.path), first_row=0)
    if cut is None:
        yield whole
        return
    pieces = cut(file, definition.options, partition_rows)
    yield from ([whole] if pieces is None else pieces)


def _cut_parquet(
    file: LocalFile, options: Mapping[str, Any], partition_rows: int
) -> list[Piece] | None:
    try:
        n_rows = pq.read_metadata(file.path).num_rows
    except (pa.ArrowException, OSError):
        return None  # reading it as a whole says what is wrong with it
    return [
        Piece(
            number=0,
            kind="parquet",
            label=file.label,
            path=str(file.path),
            start=start,
            stop=min(start + partition_rows, n_rows),
            first_row=start,
        )
        for start in range(0, n_rows, partition_rows)
    ]


def _cut_text(
    file: LocalFile, options: Mapping[str, Any], partition_rows: int
) -> list[Piece] | None:
    """Return pieces that begin and end with a record, or None where none can be found.

    Records are told apart by the csv module, which the reader checks files with, too: quotes and
    line ends in values cannot mislead it. Latin-1 gives each byte a letter, so that places in
    the text are places in the file.
    """
    accepted = DelimitedOptions(**options)
    is_plain = len(accepted.separator) == 1 and not accepted.encoding.startswith(_WIDE)
    with file.path.open("rb") as raw:
        if not is_plain or raw.read(2) == GZIP_MAGIC:
            return None
        raw.seek(0)
        lines = _Lines(raw)
        try:
            return list(_text_pieces(file, lines, accepted, partition_rows))
        except csv.Error:
            return None


def _text_pieces(
    file: LocalFile, lines: _Lines, options: DelimitedOptions, partition_rows: int
) -> Iterator[Piece]:
    records = csv.reader(lines, delimiter=options.separator)
    head = 0
    if options.has_header(is_first_file=True):
        next((record for record in records if record), None)
        head = lines.offset
    start, n_before, n_rows = head, 0, 0
    for record in records:
        n_rows += bool(record)
        if n_rows == partition_rows:
            yield _text_piece(file, start, lines.offset, head=head, first_row=n_before)
            start, n_before, n_rows = lines.offset, n_before + n_rows, 0
    if n_rows:
        yield _text_piece(file, start, lines.offset, head=head, first_row=n_before)


def _text_piece(file: LocalFile, start: int, stop: int, *, head: int, first_row: int) -> Piece:
    return Piece(
        number=0,
        kind="text",
        label=file.label,
        path=str(file.path),
        start=start,
        stop=stop,
        head=head,
        first_row=first_row,
    )


class _Lines:
    """Gives the lines of a file, and says how far it has been read."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._raw = raw
        self.offset = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._raw:
            self.offset += len(line)
            yield line.decode("latin-1")


_CUTTERS: Mapping[str, Callable[[LocalFile, Mapping[str, Any], int], list[Piece] | None]] = {
    "delimited": _cut_text,
    "parquet": _cut_parquet,
}


def read_piece(
    piece: Piece, definition: Definition | None, *, as_text: bool = False
) -> pd.DataFrame:
    """Return the rows of a piece, counted from 0.

    Parameters
    ----------
    piece : Piece
        Where they are.
    definition : Definition or None
        How files are read.
    as_text : bool, default False
        Whether values of delimited files stay texts: types that are guessed from the values of
        one piece may be others in the next.

    Raises
    ------
    DatasetError
        When the source is damaged; the message names it.
    """
    if as_text and definition is not None and definition.reader == "delimited":
        definition = replace(definition, options={**definition.options, "infer_types": False})
    frame = _READERS[piece.kind](piece, definition)
    if definition is not None:
        frame = convert_columns(frame, definition.column_types)
        frame = apply_steps(frame, definition.steps)
    return frame.reset_index(drop=True)


def _read_text(piece: Piece, definition: Definition | None) -> pd.DataFrame:
    assert definition is not None
    with Path(piece.path).open("rb") as raw:
        head = raw.read(piece.head)
        raw.seek(piece.start)
        rows = raw.read(piece.stop - piece.start)
    if head and not head.endswith(b"\n"):
        head += b"\n"
    at = "" if definition.include_path else f" (from data row {(piece.first_row or 0) + 1:,})"
    with tempfile.NamedTemporaryFile(prefix="nbautoml-piece-", suffix=".csv") as part:
        part.write(head + rows)
        part.flush()
        file = LocalFile(path=Path(part.name), label=f"{piece.label}{at}")
        return read_files(definition, [file])


def _read_parquet(piece: Piece, definition: Definition | None) -> pd.DataFrame:
    batches, seen = [], 0
    try:
        with pq.ParquetFile(piece.path) as parquet:
            groups, seen = _groups(parquet, piece)
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, row_groups=groups):
                low, high = max(piece.start - seen, 0), min(piece.stop - seen, batch.num_rows)
                if low < high:
                    batches.append(batch.slice(low, high - low))
                seen += batch.num_rows
                if seen >= piece.stop:
                    break
            table = pa.Table.from_batches(batches, schema=parquet.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DatasetError(f"{piece.label} cannot be read: {reason} Write it again.") from error
    frame: pd.DataFrame = table.to_pandas()
    if definition is not None and definition.include_path:
        frame.insert(0, "Path", piece.label)
    return frame


def _groups(parquet: pq.ParquetFile, piece: Piece) -> tuple[list[int], int]:
    """Return the row groups that hold the rows of a piece, and the row that they begin with."""
    chosen: list[int] = []
    first = begin = 0
    for number in range(parquet.metadata.num_row_groups):
        n_rows = parquet.metadata.row_group(number).num_rows
        if first < piece.stop and first + n_rows > piece.start:
            begin = first if not chosen else begin
            chosen.append(number)
        first += n_rows
    return chosen, begin


def _read_file(piece: Piece, definition: Definition | None) -> pd.DataFrame:
    assert definition is not None
    file = LocalFile(path=Path(piece.path), label=piece.label)
    return read_files(definition, [file])


def _read_dask(piece: Piece, definition: Definition | None) -> pd.DataFrame:
    import dask  # only where somebody scores a dask frame

    (frame,) = dask.compute(pickle.loads(piece.body), scheduler="synchronous")  # type: ignore[attr-defined, no-untyped-call]
    if not isinstance(frame, pd.DataFrame):
        raise DatasetError(f"{piece.label} gives {type(frame).__name__}, not a DataFrame.")
    return frame


_READERS: Mapping[str, Callable[[Piece, Definition | None], pd.DataFrame]] = {
    "text": _read_text,
    "parquet": _read_parquet,
    "file": _read_file,
    "dask": _read_dask,
}
