"""What is to be predicted: files, a frame, a dask frame; each knows how it is cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol  # Any: whatever a caller gives as data; dask is not typed

import cloudpickle
import pandas as pd
import pyarrow.parquet as pq

from nbautoml.data.definition import Definition
from nbautoml.data.factory import TabularDatasetFactory
from nbautoml.data.frames import accept_frame, fingerprint_table, to_arrow
from nbautoml.data.locate import find_context
from nbautoml.data.readers import LocalFile
from nbautoml.data.reading import locate_files
from nbautoml.data.steps import changes_rows
from nbautoml.data.tabular import TabularDataset
from nbautoml.data.types import PromoteHeadersBehavior
from nbautoml.errors import ConfigError, DatasetError
from nbautoml.serving.batch.pieces import Piece, cut_file
from nbautoml.store.session import Session

SPOOL = "rows.parquet"
"""File in a job's folder that holds rows which were in memory."""


class Rows(Protocol):
    """The rows of a job."""

    @property
    def identity(self) -> str:
        """What is the same as long as the rows are."""

    @property
    def definition(self) -> Definition | None:
        """How files are read; None where pieces say it all."""

    def cut(self, folder: Path) -> list[Piece]:
        """Return the pieces in order; rows in memory are written to the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRows:
    """Rows of files that can be read piece by piece."""

    definition: Definition
    files: tuple[LocalFile, ...]
    partition_rows: int

    @property
    def identity(self) -> str:
        """Paths, sizes and times of the files, and how they are read.

        Their content is not hashed: that would take as long as predicting it.
        """
        stamps = []
        for file in self.files:
            status = file.path.stat()
            stamps.append([str(file.path), status.st_size, status.st_mtime_ns])
        definition = replace(self.definition, sources=()).to_dict()
        return json.dumps([stamps, definition], sort_keys=True)

    def cut(self, folder: Path) -> list[Piece]:
        """Return the pieces of all files."""
        del folder
        found = (
            piece
            for file in self.files
            for piece in cut_file(file, self.definition, self.partition_rows)
        )
        return _numbered(list(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRows:
    """Rows that are in memory already."""

    frame: pd.DataFrame
    partition_rows: int
    definition: None = None

    @property
    def identity(self) -> str:
        """Hash of the content."""
        return fingerprint_table(to_arrow(self.frame))

    def cut(self, folder: Path) -> list[Piece]:
        """Write the rows where workers can read them; return their ranges."""
        path = folder / SPOOL
        if not path.is_file():
            temporary = path.with_suffix(".tmp")
            pq.write_table(to_arrow(self.frame), temporary, row_group_size=self.partition_rows)
            temporary.rename(path)
        file = LocalFile(path=path, label="the DataFrame")
        definition = Definition(reader="parquet")
        return _numbered(list(cut_file(file, definition, self.partition_rows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskRows:
    """Partitions of a dask frame, which workers compute one by one."""

    frame: Any
    definition: None = None

    @property
    def identity(self) -> str:
        """Dask's own name of the frame, which follows from how it is made."""
        from dask.base import tokenize  # only where somebody scores a dask frame

        return str(tokenize(self.frame))

    def cut(self, folder: Path) -> list[Piece]:
        """Return a piece a partition, each with the part of the graph that makes it."""
        import dask

        del folder
        parts = dask.optimize(*self.frame.to_delayed())  # type: ignore[attr-defined, no-untyped-call]
        return [
            Piece(number=number, kind="dask", label="the dask frame", body=cloudpickle.dumps(part))
            for number, part in enumerate(parts)
        ]


def rows_of(data: Any, session: Session, partition_rows: int) -> Rows:
    """Return what a caller gave as rows.

    Parameters
    ----------
    data : TabularDataset, DataFrame, dask DataFrame, str or Path
        A path or a pattern names ``.csv`` or ``.parquet`` files.
    session : Session
        The open workspace, for files that it keeps.
    partition_rows : int
        About how many rows a piece has.

    Raises
    ------
    ConfigError
        When it is none of these.
    DatasetError
        When there is no such file.
    """
    if isinstance(data, pd.DataFrame):
        return FrameRows(frame=accept_frame(data), partition_rows=partition_rows)
    if hasattr(data, "npartitions") and hasattr(data, "to_delayed"):
        return DaskRows(frame=data)
    dataset = _dataset_of(data)
    definition = dataset.definition
    context = find_context(dataset.session or session)
    files = [] if dataset.frame is not None else locate_files(definition, context)
    if not files or not _is_cuttable(definition, files):
        return FrameRows(frame=dataset.to_pandas_dataframe(), partition_rows=partition_rows)
    return FileRows(definition=definition, files=tuple(files), partition_rows=partition_rows)


def _dataset_of(data: Any) -> TabularDataset:
    if isinstance(data, TabularDataset):
        return data
    if not isinstance(data, (str, Path)):
        raise ConfigError(
            "data of Model.score must be a dataset, a DataFrame, a dask DataFrame or a path; got "
            f"{type(data).__name__}."
        )
    name = str(data).lower()
    if name.endswith((".parquet", ".pq")):
        return TabularDatasetFactory.from_parquet_files(data)
    if name.endswith((".csv", ".csv.gz", ".txt")):
        return TabularDatasetFactory.from_delimited_files(data)
    if name.endswith((".tsv", ".tsv.gz")):
        return TabularDatasetFactory.from_delimited_files(data, separator="\t")
    raise ConfigError(
        f"data of Model.score must end in .csv, .tsv or .parquet where it is a path; got {data}. "
        "Make a dataset of other files: Dataset.Tabular.from_...(...)."
    )


def _is_cuttable(definition: Definition, files: Sequence[LocalFile]) -> bool:
    """Whether the files can be read apart: no step picks rows, no file needs another one."""
    only_first = PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS.value
    needs_first = len(files) > 1 and definition.options.get("header") == only_first
    return not (needs_first or definition.is_union or changes_rows(definition.steps))


def _numbered(pieces: list[Piece]) -> list[Piece]:
    if not pieces:
        raise DatasetError("The data has no rows. Pass rows to predict.")
    return [replace(piece, number=number) for number, piece in enumerate(pieces)]
