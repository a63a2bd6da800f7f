"""Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: JSON options

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbautoml.data.readers.base import LocalFile, ReadRequest
from nbautoml.errors import ConfigError, DatasetError


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
                table = _read_rows(parquet, request.limit)
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
        names = table.column_names
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise DatasetError(
                f"{file.label}: column names must differ; repeated: {', '.join(repeated)}. "
                f"Rename them in the file."
            )
        frame: pd.DataFrame = table.to_pandas()
        return frame.reset_index(drop=True)


PARQUET = ParquetReader()


def _read_rows(parquet: pq.ParquetFile, limit: int | None) -> pa.Table:
    if limit is None:
        return parquet.read()
    batches, n_rows = [], 0
    for batch in parquet.iter_batches(batch_size=max(1, min(limit, 65_536))):
        batches.append(batch)
        n_rows += batch.num_rows
        if n_rows >= limit:
            break
    return pa.Table.from_batches(batches, schema=parquet.schema_arrow).slice(0, limit)
