"""Parquet files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any  # Any: JSON options

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbautoml.data.readers.base import LocalFile, ReadRequest
from nbautoml.errors import ConfigError, DatasetError

# Files of more cells are read by so many parts of their columns.
_LARGE_CELLS, _PARTS = 1_000_000, 16


class ParquetReader:
    """Reads Parquet with pyarrow; has no options."""

    def accept_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return no options; there are none."""
        if options:
            raise ConfigError(f"Parquet files have no option {next(iter(options))!r}.")
        return {}

    def read(
        self, file: LocalFile, options: Mapping[str, Any], request: ReadRequest
    ) -> pd.DataFrame:
        """Return the rows of one file."""
        try:
            with pq.ParquetFile(file.path) as parquet:
                _check_names(parquet, file)
                return _read_frame(parquet, request.limit)
        except (pa.ArrowException, OSError) as error:
            if file.path.stat().st_size == 0:
                raise DatasetError(
                    f"{file.label} is empty. Name a Parquet file with rows."
                ) from error
            reason = str(error).splitlines()[0]
            raise DatasetError(
                f"{file.label} is no Parquet file, or is damaged: {reason} Use "
                f"from_delimited_files for text, or fetch the file again."
            ) from error


PARQUET = ParquetReader()


def _check_names(parquet: pq.ParquetFile, file: LocalFile) -> None:
    names = parquet.schema_arrow.names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DatasetError(
            f"{file.label}: column names must differ; repeated: {', '.join(repeated)}. "
            f"Rename them in the file."
        )


def _read_frame(parquet: pq.ParquetFile, limit: int | None) -> pd.DataFrame:
    """Return rows as a frame; a large file is read by parts of its columns.

    Arrow's form of a table and that of pandas are in memory together while one becomes the other,
    with what the file was unpacked from: 3.5 times the frame (600,000 x 50 numbers). By parts it is
    1.4 times, and no slower.
    """
    if limit is not None:
        return _plain(_read_rows(parquet, limit))
    names = parquet.schema_arrow.names
    n_cells = parquet.metadata.num_rows * len(names)
    # pyarrow takes a name for the start of a nested one too: "a" selects "a.b".
    has_prefix = any(_prefixes(name) & set(names) for name in names if "." in name)
    if n_cells < _LARGE_CELLS or has_prefix:
        return _plain(parquet.read())
    n_columns = math.ceil(len(names) / _PARTS)
    parts = [
        _plain(parquet.read(columns=names[first : first + n_columns]))
        for first in range(0, len(names), n_columns)
    ]
    return pd.concat(parts, axis="columns")


def _prefixes(name: str) -> set[str]:
    """Return what stands before each dot of a name.

    Examples
    --------
    >>> sorted(_prefixes("a.b.c"))
    ['a', 'a.b']
    """
    return {name[:place] for place, letter in enumerate(name) if letter == "."}


def _plain(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame whose rows count from 0, whatever index it was written with."""
    frame: pd.DataFrame = table.to_pandas()
    return frame.reset_index(drop=True)


def _read_rows(parquet: pq.ParquetFile, limit: int) -> pa.Table:
    batches, n_rows = [], 0
    for batch in parquet.iter_batches(batch_size=max(1, min(limit, 65_536))):
        batches.append(batch)
        n_rows += batch.num_rows
        if n_rows >= limit:
            break
    return pa.Table.from_batches(batches, schema=parquet.schema_arrow).slice(0, limit)
