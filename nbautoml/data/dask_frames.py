"""Datasets as dask frames; imports dask, so it is imported only when one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any  # Any: dask is not typed; dtypes are whatever pandas takes

import dask.dataframe as dd
import pandas as pd

from nbautoml.data.definition import Definition
from nbautoml.data.locate import ReadContext
from nbautoml.data.readers import LocalFile
from nbautoml.data.reading import locate_files, read_files, read_frame
from nbautoml.data.steps import apply_steps, changes_rows
from nbautoml.data.types import PromoteHeadersBehavior, convert_columns
from nbautoml.errors import DatasetError


def make_dask_frame(
    definition: Definition,
    context: ReadContext,
    *,
    frame: pd.DataFrame | None,
    sample_size: int,
    dtypes: Mapping[str, Any] | None,
    on_error: str,
) -> Any:
    """Return a lazy dask frame: a partition a file where rows can be read file by file.

    Steps that select rows count over the whole table, so that such a dataset, like one file
    or a frame, is read here and cut into parts of `sample_size` rows.
    """
    files = locate_files(definition, context)
    if frame is not None or len(files) < 2 or not _can_read_alone(definition):
        whole = read_frame(definition, context, frame=frame, on_error=on_error)
        whole = whole.astype(dict(dtypes or {}))
        return dd.from_pandas(whole, chunksize=max(1, sample_size))  # type: ignore[no-untyped-call]
    head = read_files(definition, files[:1], max(1, sample_size))
    meta = _finish(head, definition, on_error).astype(dict(dtypes or {})).iloc[:0]
    part = _PartReader(definition, meta, files[0], on_error)
    return dd.from_map(part, files, meta=meta)  # type: ignore[no-untyped-call]


def _can_read_alone(definition: Definition) -> bool:
    """Whether a file can be read without the others."""
    first_names = PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS.value
    needs_first = definition.options.get("header") == first_names
    return not (needs_first or definition.is_union or changes_rows(definition.steps))


class _PartReader:
    """Reads one file as a partition; picklable, so that workers on this machine can run it."""

    def __init__(
        self, definition: Definition, meta: pd.DataFrame, first: LocalFile, on_error: str
    ) -> None:
        self._definition = replace(definition, sources=())
        self._meta = meta
        self._first = first
        self._on_error = on_error

    def __call__(self, file: LocalFile) -> pd.DataFrame:
        frame = _finish(read_files(self._definition, [file]), self._definition, self._on_error)
        lacking = [name for name in self._meta.columns if name not in frame.columns]
        if lacking:
            raise DatasetError(
                f"{file.label} lacks the column {lacking[0]!r} that {self._first.label} has. "
                f"Name files that belong together."
            )
        try:
            return frame[list(self._meta.columns)].astype(self._meta.dtypes)
        except (ValueError, TypeError) as error:
            raise DatasetError(
                f"{file.label} has values that do not fit the types found in "
                f"{self._first.label}: {error}. Name the types with dtypes={{column: type}}."
            ) from error


def _finish(frame: pd.DataFrame, definition: Definition, on_error: str) -> pd.DataFrame:
    typed = convert_columns(frame, definition.column_types, on_error=on_error)
    return apply_steps(typed, definition.steps)
