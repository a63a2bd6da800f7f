"""Data as people name it: a file or URL, or a registered dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any  # Any: settings of readers; whatever becomes a frame

import pandas as pd

from nbautoml.data.factory import TabularDatasetFactory
from nbautoml.data.locate import is_url
from nbautoml.data.readers import LocalFile
from nbautoml.data.readers.layout import find_separator
from nbautoml.data.tabular import TabularDataset, from_record
from nbautoml.errors import NotFoundError

if TYPE_CHECKING:
    from nbautoml.store.session import HasSession

SUFFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "from_delimited_files": (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz"),
        "from_parquet_files": (".parquet", ".pq"),
        "from_json_lines_files": (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"),
    }
)
"""Call of ``Dataset.Tabular`` to the ends of the names of files that it reads."""

LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedData:
    """Data that was named by a word.

    Parameters
    ----------
    value : DataFrame or TabularDataset
        The data; or anything else that can become a DataFrame.
    name : str
        What people would call it.
    code : str
        A Python expression for it.
    n_rows : int or None
        How many rows it has, where that is known without reading it.
    """

    value: Any
    name: str
    code: str
    n_rows: int | None = None

    def head(self, n_rows: int) -> pd.DataFrame:
        """Return its first rows."""
        if isinstance(self.value, pd.DataFrame):
            return self.value.head(n_rows)
        few = self.value.take(n_rows) if hasattr(self.value, "take") else self.value
        frame: pd.DataFrame = few.to_pandas_dataframe()
        return frame


def named_file(word: str, *, written: str = "") -> NamedData | None:
    """Return the dataset of a file or URL, or None when the word names none.

    Parameters
    ----------
    word : str
        A path or a URL.
    written : str, optional
        How the code writes the path; as it is here when not given.

    Raises
    ------
    NotFoundError
        When it is a file that no reader takes.
    DatasetError
        When the file cannot be read.
    """
    is_remote = is_url(word)
    path = word if is_remote else str(Path(word).expanduser())
    if not is_remote and not Path(path).exists():
        return None
    plain = _plain(word)
    call = next((name for name, ends in SUFFIXES.items() if plain.endswith(ends)), None)
    if call is None:
        if not is_remote and not Path(path).is_file():
            return None
        known = ", ".join(end for ends in SUFFIXES.values() for end in ends)
        raise NotFoundError(
            f"data {word!r} is none of the files that can be read ({known}). "
            "Read it with pandas and name the DataFrame."
        )
    settings = _settings(call, path, plain)
    value: TabularDataset = getattr(TabularDatasetFactory, call)(path, **settings)
    arguments = "".join(f", {name}={setting!r}" for name, setting in settings.items())
    name = Path(_plain(written or word)).name.split(".")[0]
    code = f"Dataset.Tabular.{call}({(written or path)!r}{arguments})"
    return NamedData(value=value, name=name, code=code)


def named_dataset(workspace: HasSession, word: str) -> NamedData | None:
    """Return a registered dataset, or None when the word names none.

    Parameters
    ----------
    workspace : Workspace
        Where it is registered.
    word : str
        ``name`` or ``name:version``; the version is a number or ``latest``.

    Raises
    ------
    NotFoundError
        When there is no such version, or it is no number.
    """
    with workspace.session.read() as tx:
        names = {record.name for record in tx.datasets.list()}
        name, version = (word, "") if word in names else _split(word)
        if name not in names:
            return None
        number = _number(name, version)
        record = tx.datasets.get(name, number)
    pinned = "" if number is None else f", version={number}"
    return NamedData(
        value=from_record(workspace.session, record),
        name=name,
        code=f"Dataset.get_by_name(ws, {name!r}{pinned})",
        n_rows=record.n_rows,
    )


def _number(name: str, version: str) -> int | None:
    """Return which version is meant; None for the latest."""
    if version in {"", LATEST}:
        return None
    if not version.isdecimal():
        raise NotFoundError(f"data '{name}:{version}' needs a number as its version.")
    return int(version)


def _plain(word: str) -> str:
    """Return a path in lower case, a URL also without its query."""
    return (word.split("?")[0] if is_url(word) else word).lower()


def _split(word: str) -> tuple[str, str]:
    """Return name and version of ``name:version``; the name may hold colons too."""
    name, colon, version = word.rpartition(":")
    return (name, version) if colon else (word, "")


def _settings(call: str, path: str, plain: str) -> dict[str, Any]:
    """Return what the reader must be told, besides the path."""
    if call != "from_delimited_files":
        return {}
    if ".tsv" in plain:
        return {"separator": "\t"}
    if is_url(path) or not Path(path).is_file():
        return {}
    separator = find_separator(LocalFile(path=Path(path), label=path))
    return {} if separator == "," else {"separator": separator}
