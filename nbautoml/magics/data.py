"""Which data a cell means: a variable, a registered dataset, or a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: variables of the notebook, datasets or frames

import pandas as pd

import nbautoml
from nbautoml.errors import NbAutoMLError, NotFoundError, did_you_mean

HEAD_ROWS = 5_000
"""Rows that are looked at in order to guess the task."""

_TEXT_FILES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
_PARQUET_FILES = (".parquet", ".pq")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedData:
    """Data of a cell.

    Parameters
    ----------
    value : DataFrame or TabularDataset
        The data.
    name : str
        What people would call it.
    code : str
        A Python expression for it.
    """

    value: Any
    name: str
    code: str

    def head(self) -> pd.DataFrame:
        """Return its first rows."""
        if isinstance(self.value, pd.DataFrame):
            return self.value.head(HEAD_ROWS)
        few = self.value.take(HEAD_ROWS) if hasattr(self.value, "take") else self.value
        frame: pd.DataFrame = few.to_pandas_dataframe()
        return frame


def find_data(word: str, variables: Mapping[str, Any], workspace: Callable[[], Any]) -> NamedData:
    """Return the data that a word names.

    Parameters
    ----------
    word : str
        A variable, ``name`` or ``name:version`` of a registered dataset, or a file or URL.
    variables : mapping
        The notebook's variables.
    workspace : callable
        Returns the workspace; called only when the word is no variable.

    Raises
    ------
    NotFoundError
        When it is none of them.
    """
    value = variables.get(word)
    if is_data(value):
        return NamedData(value=value, name=word, code=word)
    file = _file(word)
    if file is not None:
        return file
    datasets = workspace().datasets
    name, _, version = word.partition(":")
    if name in datasets:
        return _registered(workspace(), name, version)
    there = [*(n for n, v in variables.items() if is_data(v) and n[0] != "_"), *datasets]
    other = "" if value is None else f" The variable {word} is a {type(value).__name__}."
    listing = f" There are: {', '.join(there)}." if there else ""
    raise NotFoundError(
        f"data {word!r} is no DataFrame of this notebook, no registered dataset and no file."
        f"{other}{did_you_mean(word, there)}{listing}"
    )


def is_data(value: object) -> bool:
    """Whether it is a DataFrame or a dataset."""
    return isinstance(value, pd.DataFrame) or (
        hasattr(type(value), "to_pandas_dataframe") and not isinstance(value, type)
    )


def _registered(workspace: Any, name: str, version: str) -> NamedData:
    if version and version != "latest":
        if not version.isdigit():
            raise NotFoundError(f"data '{name}:{version}' needs a number as its version.")
        value = nbautoml.Dataset.get_by_name(workspace, name, version=int(version))
        code = f"Dataset.get_by_name(ws, {name!r}, version={version})"
    else:
        value = nbautoml.Dataset.get_by_name(workspace, name)
        code = f"Dataset.get_by_name(ws, {name!r})"
    return NamedData(value=value, name=name, code=code)


def _file(word: str) -> NamedData | None:
    """Return the dataset of a file or URL, or None when the word names none."""
    is_url = re.match(r"[a-z][a-z0-9+.-]*://", word) is not None
    if not is_url and not Path(word).expanduser().exists():
        return None
    plain = word.split("?")[0].lower()
    if plain.endswith(_PARQUET_FILES):
        call = "from_parquet_files"
    elif plain.endswith(_TEXT_FILES):
        call = "from_delimited_files"
    elif is_url or Path(word).is_file():
        raise NotFoundError(
            f"data {word!r} is neither delimited text ({', '.join(_TEXT_FILES)}) nor Parquet. "
            f"Read it with pandas and name the DataFrame."
        )
    else:
        return None
    path = word if is_url else str(Path(word).expanduser())
    settings = {"separator": "\t"} if ".tsv" in plain else {}
    value = getattr(nbautoml.Dataset.Tabular, call)(path, **settings)
    arguments = "".join(f", {k}={v!r}" for k, v in settings.items())
    stem = Path(plain).name.split(".")[0]
    return NamedData(value=value, name=stem, code=f"Dataset.Tabular.{call}({path!r}{arguments})")


def columns_for_completion(
    word: str, variables: Mapping[str, Any], workspace: Any | None
) -> list[str]:
    """Return the columns of named data as far as they are known cheaply; never fails."""
    value = variables.get(word)
    if isinstance(value, pd.DataFrame):
        return [str(column) for column in value.columns]
    try:
        dataset = value if is_data(value) else _dataset(word.partition(":")[0], workspace)
        if dataset is None:
            return []
        frame = dataset.take(1).to_pandas_dataframe()
    except NbAutoMLError:
        return []
    return [str(column) for column in frame.columns]


def _dataset(name: str, workspace: Any | None) -> Any | None:
    if workspace is None or name not in workspace.datasets:
        return None
    return workspace.datasets[name]
