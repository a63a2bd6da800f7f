"""DataFrames as content: checked names, Arrow form, fingerprint, Parquet bytes."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from typing import Any  # Any: values of object columns

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbautoml.errors import DatasetError


def accept_frame(frame: pd.DataFrame, label: str = "The DataFrame") -> pd.DataFrame:
    """Return the frame with text column names and rows counted from 0.

    Values are shared with the frame that was given, not copied.

    Parameters
    ----------
    frame : pandas.DataFrame
        Names that are not text become text.
    label : str
        What messages call the frame.

    Raises
    ------
    DatasetError
        When it is no DataFrame, has no columns, or two names are the same as text.

    Examples
    --------
    >>> list(accept_frame(pd.DataFrame([[1, 2]])).columns)
    ['0', '1']
    """
    if not isinstance(frame, pd.DataFrame):
        raise DatasetError(
            f"{label} must be a pandas DataFrame; got {type(frame).__name__}. Turn it into one "
            f"with pandas.DataFrame(...)."
        )
    if isinstance(frame.columns, pd.MultiIndex):
        raise DatasetError(
            f"{label} has column names of {frame.columns.nlevels} levels. Join them first: "
            f"df.columns = ['_'.join(map(str, c)) for c in df.columns]."
        )
    names = [str(name) for name in frame.columns]
    if not names:
        raise DatasetError(f"{label} has no columns.")
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        same = [name for name in frame.columns if str(name) == repeated[0]]
        raise DatasetError(
            f"{label}: column names must differ as text; {repeated[0]!r} is there "
            f"{len(same)} times (as {', '.join(map(repr, same))}). Rename them with df.columns."
        )
    named = frame if names == list(frame.columns) else frame.set_axis(names, axis="columns")
    is_counted = isinstance(named.index, pd.RangeIndex) and named.index.equals(
        pd.RangeIndex(len(named))
    )
    return named if is_counted else named.reset_index(drop=True)


def to_arrow(frame: pd.DataFrame, label: str = "The DataFrame") -> pa.Table:
    """Return the frame as an Arrow table that pandas turns back into the same frame.

    Columns of mixed objects that Arrow cannot hold become text, missing values stay missing.

    Raises
    ------
    DatasetError
        When a column holds complex numbers.
    """
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError):
        columns = {name: _storable(frame[name], label) for name in frame.columns}
        return pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)


def fingerprint_table(table: pa.Table) -> str:
    """Return the SHA-256 of a table's names, types and values, however it lies in memory.

    Examples
    --------
    >>> one = pa.table({"a": pa.chunked_array([[1, 2], [3]])})
    >>> fingerprint_table(one) == fingerprint_table(pa.table({"a": [1, 2, 3]}))
    True
    """
    digest = hashlib.sha256(b"frame\0")
    for field, column in zip(table.schema, table.columns, strict=True):
        digest.update(repr((field.name, str(field.type), len(column))).encode())
        if column.null_count:
            _hash_column(digest, column.is_valid())
        _hash_column(digest, column.drop_null())
    return digest.hexdigest()


def _hash_column(digest: hashlib._Hash, column: pa.ChunkedArray) -> None:
    """Hash values in Arrow's stream format, which leaves out what lies around them.

    What memory holds where a value is missing is not content, so missing ones are cut out first.
    """
    whole = pa.table({"": column}).combine_chunks()
    with pa.ipc.new_stream(pa.PythonFile(_HashSink(digest), mode="w"), whole.schema) as stream:
        stream.write_table(whole)


def to_parquet(table: pa.Table) -> bytes:
    """Return the table as Parquet, with what pandas needs to restore its types."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="snappy")
    return buffer.getvalue()


class _HashSink(io.RawIOBase):
    """A file that only hashes what is written to it."""

    def __init__(self, digest: hashlib._Hash) -> None:
        super().__init__()
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # Any: any buffer, as in io.RawIOBase
        self._digest.update(data)
        return memoryview(data).nbytes


def _storable(column: pd.Series[Any], label: str) -> pd.Series[Any]:
    """Return the column in a form that Arrow holds without changing a value, else as text."""
    if pd.api.types.is_complex_dtype(column):
        raise DatasetError(
            f"{label}: column {column.name!r} holds complex numbers, which no model takes. "
            f"Give real and imaginary parts as two columns."
        )
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(column.to_numpy(), name=column.name)
    try:
        pa.Array.from_pandas(column)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError):
        return column.astype(object).where(column.notna(), None).map(str, na_action="ignore")
    return column
