"""Which data a cell means: a variable, a registered dataset, or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any  # Any: variables of the notebook, datasets or frames

import pandas as pd

from nbautoml.data.named import NamedData, named_dataset, named_file
from nbautoml.errors import NbAutoMLError, NotFoundError, did_you_mean


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
    found = named_file(word) or named_dataset(workspace(), word)
    if found is not None:
        return found
    datasets = workspace().datasets
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
