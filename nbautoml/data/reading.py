"""Reads a definition: files, then types, then steps."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nbautoml.data.definition import Definition
from nbautoml.data.locate import ReadContext, locate
from nbautoml.data.readers import READERS, LocalFile, ReadRequest
from nbautoml.data.steps import apply_steps, count_needed_rows
from nbautoml.data.types import convert_columns, shorten
from nbautoml.errors import DatasetError, did_you_mean

MEMORY = "memory"
PATH_COLUMN = "Path"


def locate_files(definition: Definition, context: ReadContext) -> list[LocalFile]:
    """Return all files of a definition in the order in which they are read."""
    return [file for source in definition.sources for file in locate(source, context)]


def read_frame(
    definition: Definition,
    context: ReadContext,
    *,
    frame: pd.DataFrame | None = None,
    on_error: str = "null",
) -> pd.DataFrame:
    """Return what a dataset holds.

    Parameters
    ----------
    definition : Definition
        What to read.
    context : ReadContext
        Where to look and to cache.
    frame : pandas.DataFrame, optional
        The content, for a dataset that is held in memory.
    on_error : {"null", "fail"}, default "null"
        For values that do not fit a type which was set.

    Raises
    ------
    DatasetError
        When a file is missing or bad; the message names file, line and remedy.
    """
    limit = count_needed_rows(definition.steps)
    if frame is None:
        frame = read_files(definition, locate_files(definition, context), limit)
    frame = convert_columns(frame, definition.column_types, on_error=on_error)
    return apply_steps(frame, definition.steps)


def read_files(
    definition: Definition, files: Sequence[LocalFile], limit: int | None = None
) -> pd.DataFrame:
    """Return the rows of files below each other, before types are set and steps are done.

    Raises
    ------
    DatasetError
        When a file is bad, files do not belong together, or there are no rows at all.
    """
    text = frozenset(
        name for name, t in definition.column_types.items() if definition.reader != "parquet"
    )
    frames = _read_each(definition, files, limit, text)
    mixed = _find_mixed(frames)
    if mixed and definition.reader != "parquet":
        frames = _read_each(definition, files, limit, text | mixed)
    n_rows = sum(map(len, frames))
    if n_rows == 0 and limit != 0:
        raise DatasetError(
            f"{files[0].label} has a header with {frames[0].shape[1]} columns but no rows. "
            f"Name a file with data, or pass header=False if its first line is data."
        )
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    if len(filled) == 1:
        return filled[0].reset_index(drop=True)
    return pd.concat(filled, ignore_index=True)


def _read_each(
    definition: Definition, files: Sequence[LocalFile], limit: int | None, text: frozenset[str]
) -> list[pd.DataFrame]:
    reader = READERS.get(definition.reader)
    frames: list[pd.DataFrame] = []
    first: tuple[str, ...] | None = None
    n_left = limit
    for file in files:
        request = ReadRequest(limit=n_left, text_columns=text, first_columns=first)
        frame = reader.read(file, definition.options, request)
        if first is None:
            first = tuple(frame.columns)
        elif not definition.is_union:
            frame = _align(frame, first, file, files[0])
        if definition.include_path:
            frame = _add_path(frame, file)
        frames.append(frame)
        if n_left is not None:
            n_left -= len(frame)
            if n_left <= 0:
                break
    return frames


def _align(
    frame: pd.DataFrame, first: tuple[str, ...], file: LocalFile, first_file: LocalFile
) -> pd.DataFrame:
    """Return the frame in the first file's column order."""
    if tuple(frame.columns) == first:
        return frame
    missing = [name for name in first if name not in frame.columns]
    extra = [name for name in frame.columns if name not in first]
    if not missing and not extra:
        return frame[list(first)]
    hint = did_you_mean(missing[0], extra) if missing else ""
    raise DatasetError(
        f"{file.label} has other columns than {first_file.label}: "
        f"lacks {shorten(missing, 5) or 'none'}, adds {shorten(extra, 5) or 'none'}.{hint} Name "
        f"files that belong together, or pass "
        f"header=PromoteHeadersBehavior.COMBINE_ALL_FILES_HEADERS to fill gaps with missing values."
    )


def _add_path(frame: pd.DataFrame, file: LocalFile) -> pd.DataFrame:
    if PATH_COLUMN in frame.columns:
        raise DatasetError(
            f"{file.label} has a column {PATH_COLUMN!r} already; read it without include_path."
        )
    path = pd.Series(file.label, index=frame.index, dtype="str", name=PATH_COLUMN)
    return pd.concat([path, frame], axis="columns")


def _find_mixed(frames: Sequence[pd.DataFrame]) -> frozenset[str]:
    """Return columns that are text in some files and something else in others."""
    kinds: dict[str, set[bool]] = {}
    for frame in frames:
        for name in frame.columns:
            if frame[name].notna().any():
                is_text = pd.api.types.is_string_dtype(frame[name])
                kinds.setdefault(name, set()).add(bool(is_text))
    return frozenset(name for name, found in kinds.items() if len(found) > 1)
