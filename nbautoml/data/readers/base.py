"""What a reader is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol  # Any: options are JSON values of the reader's own

import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A file on this machine; `label` is what messages call it (its URL or path)."""

    path: Path
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """How much of a file to read, and what its place among the others asks for.

    Parameters
    ----------
    limit : int or None
        Read at most that many leading rows.
    text_columns : frozenset of str
        Columns to give as text, just as they stand in the file.
    first_columns : tuple of str or None
        Column names of the first file, when this is a later one.
    """

    limit: int | None = None
    text_columns: frozenset[str] = frozenset()
    first_columns: tuple[str, ...] | None = None


class Reader(Protocol):
    """Turns one local file into a frame; holds no state."""

    def accept_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options complete and JSON-safe.

        Raises
        ------
        ConfigError
            When a name or value is wrong.
        """

    def read(
        self, file: LocalFile, options: Mapping[str, Any], request: ReadRequest
    ) -> pd.DataFrame:
        """Return the file's rows in order, with unique text column names.

        Raises
        ------
        DatasetError
            When the file is not what the options say; the message names the file.
        """
