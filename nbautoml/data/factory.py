"""The SDK's ways to make a dataset: ``Dataset.Tabular.from_…``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn  # Any: reader options
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pandas as pd

from nbautoml.data.datastore import DataPath, Datastore
from nbautoml.data.definition import Definition, Source
from nbautoml.data.frames import accept_frame, to_arrow, to_parquet
from nbautoml.data.locate import is_url
from nbautoml.data.readers import READERS
from nbautoml.data.tabular import TabularDataset, from_frame
from nbautoml.data.types import DataType, PromoteHeadersBehavior, accept_column_types
from nbautoml.errors import ConfigError, NotAvailableError

PathLike = str | Path | DataPath | tuple[Datastore, str]
ColumnTypes = Mapping[str, DataType] | None
VALIDATED_ROWS = 200  # what validate=True reads of the sources


class TabularDatasetFactory:
    """Makes tabular datasets; reached as ``Dataset.Tabular``."""

    @staticmethod
    def from_delimited_files(
        path: PathLike | Sequence[PathLike],
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: ColumnTypes = None,
        separator: str = ",",
        *,
        header: bool | PromoteHeadersBehavior = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Return a dataset of delimited text files, plain or compressed with gzip.

        Parameters
        ----------
        path : str, pathlib.Path, DataPath, (Datastore, str), or a list of these
            Files, folders, glob patterns, or URLs. Copies of ``http(s)`` files are kept and
            brought up to date by ETag; a URL map lets them be local files.
        validate : bool, default True
            Read the first rows now, so that mistakes show at once.
        include_path : bool, default False
            Add a column ``Path`` that names the file of each row.
        infer_column_types : bool, default True
            Let pandas find the types; columns of digits with leading zeros stay text.
            Without it all columns are text.
        set_column_types : mapping of str to DataType, optional
            Types that win over those found.
        separator : str, default ","
            Between values; more than one character is a regular expression.
        header : bool or PromoteHeadersBehavior, default True
            Which files begin with column names; without names they are ``Column1``, ….
        partition_format : str, optional
            Not built.
        support_multi_line : bool, default False
            Taken for the SDK's sake: line ends within quotes are always understood.
        empty_as_string : bool, default False
            Read empty values as ``""`` instead of missing.
        encoding : str, default "utf8"
            ``"utf8"``, ``"windows1252"``, ``"latin1"``, ``"utf16"`` … or a codec of Python.

        Raises
        ------
        DatasetError
            When a file is missing or bad; the message names file, line and remedy.

        Examples
        --------
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> frame = pd.DataFrame({"zip": ["01234"], "n": [5]})
        >>> frame.to_csv(f"{folder}/a.csv", index=False)
        >>> ds = TabularDatasetFactory.from_delimited_files(f"{folder}/*.csv")
        >>> ds.to_pandas_dataframe().to_dict("list")
        {'zip': ['01234'], 'n': [5]}
        """
        behaviour = _accept_header(header)
        options = {
            "separator": separator,
            "header": behaviour.value,
            "encoding": encoding,
            "infer_types": infer_column_types,
            "empty_as_string": empty_as_string,
        }
        definition = _define("delimited", path, options, set_column_types, partition_format)
        is_union = behaviour is PromoteHeadersBehavior.COMBINE_ALL_FILES_HEADERS
        return _finish(definition, validate, include_path=include_path, is_union=is_union)

    @staticmethod
    def from_parquet_files(
        path: PathLike | Sequence[PathLike],
        validate: bool = True,
        include_path: bool = False,
        set_column_types: ColumnTypes = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        """Return a dataset of Parquet files; parameters as in `from_delimited_files`."""
        definition = _define("parquet", path, {}, set_column_types, partition_format)
        return _finish(definition, validate, include_path=include_path)

    @staticmethod
    def from_json_lines_files(
        path: PathLike | Sequence[PathLike],
        validate: bool = True,
        include_path: bool = False,
        set_column_types: ColumnTypes = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        *,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Return a dataset of files with one JSON object a line.

        Parameters
        ----------
        path, validate, include_path, set_column_types, partition_format, encoding
            As in `from_delimited_files`.
        invalid_lines : {"error", "drop"}, default "error"
            What to do with a line that is no JSON object.
        """
        options = {"invalid_lines": invalid_lines, "encoding": encoding}
        definition = _define("json_lines", path, options, set_column_types, partition_format)
        return _finish(definition, validate, include_path=include_path, is_union=True)

    @staticmethod
    def from_pandas_dataframe(dataframe: pd.DataFrame) -> TabularDataset:
        """Return a dataset that holds a copy of a DataFrame in memory, without its index."""
        return from_frame(dataframe)

    @staticmethod
    def register_pandas_dataframe(
        dataframe: pd.DataFrame,
        target: Datastore | DataPath | tuple[Datastore, str],
        name: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        show_progress: bool = True,
        *,
        row_group_size: int | None = None,
        make_target_path_unique: bool = True,
    ) -> TabularDataset:
        """Write a DataFrame to a datastore as Parquet, and register it.

        Parameters
        ----------
        dataframe : pandas.DataFrame
            Its index is left out.
        target : Datastore, DataPath or (Datastore, str)
            Folder to write to.
        name : str
            Name to register under; a name that is taken gets its next version, unless the
            content is that of its latest.
        description, tags
            As in ``TabularDataset.register``.
        show_progress, row_group_size
            Taken for the SDK's sake.
        make_target_path_unique : bool, default True
            Write to a new folder below the target.
        """
        place = target if isinstance(target, DataPath) else _accept_target(target)
        frame = accept_frame(dataframe)
        data = to_parquet(to_arrow(frame))
        folder = place.path(str(uuid.uuid4())) if make_target_path_unique else place
        folder.datastore.write_bytes(folder.path("part-00000.parquet").path_on_datastore, data)
        return from_frame(frame).register(
            place.datastore, name, description, tags, create_new_version=True
        )

    @staticmethod
    def from_sql_query(*_args: object, **_settings: object) -> NoReturn:
        """Refuse: databases are read with pandas.

        Raises
        ------
        NotAvailableError
            Always; it says what does the work.
        """
        raise NotAvailableError(
            "Dataset.Tabular.from_sql_query is not built. Read the query with pandas.read_sql "
            "and pass the DataFrame to Dataset.Tabular.from_pandas_dataframe."
        )

    @staticmethod
    def register_dask_dataframe(*_args: object, **_settings: object) -> NoReturn:
        """Refuse: register files that dask wrote instead.

        Raises
        ------
        NotAvailableError
            Always; it says what does the work.
        """
        raise NotAvailableError(
            "Dataset.Tabular.register_dask_dataframe is not built. Write it with "
            "dataframe.to_parquet(folder) and register Dataset.Tabular.from_parquet_files(folder)."
        )


class FileDatasetFactory:
    """Stands in for datasets of files, which are not built; reached as ``Dataset.File``."""

    @staticmethod
    def from_files(*_args: object, **_settings: object) -> NoReturn:
        """Refuse: there are only tabular datasets.

        Raises
        ------
        NotAvailableError
            Always; it says what does the work.
        """
        raise NotAvailableError(
            "Dataset.File is not built. Copy files with datastore.upload_files and read them "
            "with datastore.download, or use Dataset.Tabular for tables."
        )

    upload_directory = from_files


def _define(
    reader: str,
    path: PathLike | Sequence[PathLike],
    options: Mapping[str, Any],
    set_column_types: ColumnTypes,
    partition_format: str | None,
) -> Definition:
    if partition_format is not None:
        raise NotAvailableError(
            "partition_format is not built. Pass include_path=True and take the parts of the "
            "column 'Path' with pandas."
        )
    return Definition(
        reader=reader,
        sources=_accept_sources(path),
        options=READERS.get(reader).accept_options(options),
        column_types=accept_column_types(set_column_types),
    )


def _finish(
    definition: Definition, validate: bool, *, include_path: bool, is_union: bool = False
) -> TabularDataset:
    dataset = TabularDataset(replace(definition, include_path=include_path, is_union=is_union))
    if validate:
        dataset.take(VALIDATED_ROWS).to_pandas_dataframe()
    return dataset


def _accept_sources(path: PathLike | Sequence[PathLike]) -> tuple[Source, ...]:
    is_pair = isinstance(path, tuple) and len(path) == 2 and isinstance(path[0], Datastore)
    several = isinstance(path, (list, tuple)) and not is_pair
    items: Sequence[Any] = path if several else [path]  # type: ignore[assignment]
    if not items:
        raise ConfigError("path names no file. Pass a path, a URL, a glob pattern, or a list.")
    return tuple(Source(uri=_accept_path(item)) for item in items)


def _accept_path(item: Any) -> str:
    if isinstance(item, DataPath):
        return item.uri
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Datastore):
        return item[0].resolve(item[1])
    if isinstance(item, pd.DataFrame):
        raise ConfigError(
            "path must name files; got a DataFrame. Use Dataset.Tabular.from_pandas_dataframe."
        )
    if not isinstance(item, (str, Path)) or not str(item).strip():
        raise ConfigError(
            f"path must be a path, a URL, a glob pattern, (datastore, path) or a list of these; "
            f"got {item!r}."
        )
    text = str(item).strip()
    if text.lower().startswith("file://"):
        text = _from_file_url(text)
    return text if is_url(text) else str(Path(text).expanduser().absolute())


def _from_file_url(url: str) -> str:
    return url2pathname(urlsplit(url).path)


def _accept_header(header: bool | PromoteHeadersBehavior) -> PromoteHeadersBehavior:
    if isinstance(header, PromoteHeadersBehavior):
        return header
    if isinstance(header, bool):
        return (
            PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS
            if header
            else PromoteHeadersBehavior.NO_HEADERS
        )
    raise ConfigError(f"header must be True, False or a PromoteHeadersBehavior; got {header!r}.")


def _accept_target(target: Datastore | tuple[Datastore, str]) -> DataPath:
    if isinstance(target, Datastore):
        return target.path("")
    if isinstance(target, tuple) and len(target) == 2 and isinstance(target[0], Datastore):
        return target[0].path(target[1])
    raise ConfigError(f"target must be a Datastore or (datastore, folder); got {target!r}.")
