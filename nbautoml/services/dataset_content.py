"""Looks into a dataset for a front, in a process of its own: servers load no pandas.

What it writes is an artifact of the content, JSON with

- ``profile``: ``n_rows`` that were looked at, and ``columns`` as `ColumnStatistics.to_dict` has
  them;
- ``head``: ``columns``, names, and ``rows``, lists of cells: numbers, truth values, texts, None
  where a value is missing;
- ``is_partial``: whether there are more rows than were looked at.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any  # Any: cells of any type, JSON values

import numpy as np
import pandas as pd

from nbautoml.data.profile import profile_columns
from nbautoml.data.tabular import from_record
from nbautoml.domain.ids import content_owner
from nbautoml.runs.child_process import work_for
from nbautoml.services.datasets import CONTENT
from nbautoml.store.session import Session

PROFILED_ROWS = 1_000_000
"""Rows that statistics are made of: about a second for ten columns."""
PROFILED_COLUMNS = 1_000
HEAD_ROWS = 50
HEAD_COLUMNS = 200
MAX_CELL_CHARS = 200
_MAX_EXACT = 2**53
"""Whole numbers above are texts: a browser's numbers would round them."""


def describe_content(frame: pd.DataFrame, *, is_partial: bool) -> dict[str, Any]:
    """Return statistics and first rows of a frame.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows to look at.
    is_partial : bool
        Whether the dataset has more.

    Examples
    --------
    >>> found = describe_content(pd.DataFrame({"a": [1.5, None]}), is_partial=False)
    >>> found["head"]
    {'columns': ['a'], 'rows': [[1.5], [None]]}
    """
    head = frame.iloc[:HEAD_ROWS, :HEAD_COLUMNS]
    rows = [[_cell(value) for value in row] for row in head.itertuples(index=False, name=None)]
    return {
        "profile": profile_columns(frame.iloc[:, :PROFILED_COLUMNS]).to_dict(),
        "head": {"columns": [str(name) for name in head.columns], "rows": rows},
        "is_partial": is_partial,
    }


def write_content(session: Session, dataset_id: str) -> None:
    """Look into a dataset, and keep what was found with its content."""
    with session.read() as tx:
        record = tx.datasets.get_by_id(dataset_id)
    frame = from_record(session, record).take(PROFILED_ROWS + 1).to_pandas_dataframe()
    is_partial = len(frame) > PROFILED_ROWS
    content = describe_content(frame.iloc[:PROFILED_ROWS], is_partial=is_partial)
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    session.save_artifact(content_owner(record.fingerprint), CONTENT, text.encode())


def _cell(value: Any) -> str | int | float | bool | None:
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        number = int(value)
        return number if abs(number) <= _MAX_EXACT else str(number)
    if isinstance(value, float | np.floating):
        if math.isnan(value):
            return None
        return float(value) if math.isfinite(value) else str(value)
    text = str(value)
    return text if len(text) <= MAX_CELL_CHARS else f"{text[: MAX_CELL_CHARS - 1]}…"


def main() -> int:
    """Look into the dataset that the command line names; return the exit code."""
    return work_for(write_content)


if __name__ == "__main__":
    sys.exit(main())
