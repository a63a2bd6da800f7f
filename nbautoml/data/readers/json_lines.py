"""JSON lines: one object a line, plain or compressed with gzip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any  # Any: JSON values

import pandas as pd

from nbautoml.data.readers.base import LocalFile, ReadRequest
from nbautoml.data.readers.text import accept_encoding, open_text, read_head
from nbautoml.errors import ConfigError, DatasetError

INVALID_LINES = ("error", "drop")


class JsonLinesReader:
    """Reads one JSON object a line; what a line lacks is missing in its row."""

    def accept_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked options: ``encoding`` and ``invalid_lines`` (error or drop)."""
        accepted = {"encoding": "utf8", "invalid_lines": "error", **options}
        if unknown := set(accepted) - {"encoding", "invalid_lines"}:
            raise ConfigError(f"JSON lines files have no option {sorted(unknown)[0]!r}.")
        if accepted["invalid_lines"] not in INVALID_LINES:
            raise ConfigError(
                f"invalid_lines must be 'error' or 'drop'; got {accepted['invalid_lines']!r}."
            )
        return {**accepted, "encoding": accept_encoding(accepted["encoding"])}

    def read(
        self, file: LocalFile, options: Mapping[str, Any], request: ReadRequest
    ) -> pd.DataFrame:
        """Return the rows of one file."""
        read_head(file)
        rows: list[dict[str, Any]] = []
        with open_text(file, options["encoding"]) as text:
            filled = ((n, line) for n, line in enumerate(text, start=1) if line.strip())
            for number, line in islice(filled, request.limit):
                row = _parse_line(line)
                if row is not None:
                    rows.append(row)
                elif options["invalid_lines"] == "error":
                    raise DatasetError(
                        f"{file.label}, line {number}: no JSON object: {line.strip()[:60]!r}. "
                        f"Correct it, or leave such lines out with invalid_lines='drop'."
                    )
        frame = pd.DataFrame(rows)
        text_columns = [name for name in frame.columns if name in request.text_columns]
        return frame.astype(dict.fromkeys(text_columns, "str"))


JSON_LINES = JsonLinesReader()


def _parse_line(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None
