"""Read rows: a frame, or columns by name where cutting a frame would cost too much.

pandas takes longer to make a frame of a row, and to cut it for each step, than most models take to
answer for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeAlias  # Any: a column is an array, a categorical or a series

import numpy as np
import numpy.typing as npt
import pandas as pd

Columns: TypeAlias = pd.DataFrame | Sequence[Any]
"""What a step transforms: a frame, or a list of columns that is never empty."""


class Labels:
    """A column of categories.

    `pandas.Categorical` says the same, but takes longer to make than a model takes for a row.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows,)
        Place of each cell's label; -1 where it is missing.
    labels : list of str
        Each of them once.
    """

    def __init__(self, codes: npt.NDArray[np.int64], labels: list[str]) -> None:
        self.codes = codes
        self.labels = labels

    def __len__(self) -> int:
        return len(self.codes)

    def as_categorical(self) -> pd.Categorical:
        """Return the same as pandas has it."""
        dtype = pd.CategoricalDtype(pd.Index(self.labels, dtype=object))
        return pd.Categorical.from_codes(self.codes, dtype=dtype)


class ReadRows:
    """Rows as an `InputAdapter` read them.

    Parameters
    ----------
    columns : mapping of str to array
        Cells by the name of their column.
    n_rows : int
        How many rows these are.
    """

    def __init__(self, columns: Mapping[str, Any], n_rows: int) -> None:
        self.columns = columns
        self.n_rows = n_rows

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Return the columns of a frame."""
        return cls({str(name): frame[name] for name in frame.columns}, len(frame))

    def __len__(self) -> int:
        return self.n_rows

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns there are."""
        return self.n_rows, len(self.columns)

    def take(self, names: Sequence[str]) -> Columns:
        """Return some columns."""
        if not names:
            return pd.DataFrame(index=range(self.n_rows))
        return [self.columns[name] for name in names]


def columns_of(X: Columns) -> Sequence[Any]:
    """Return the columns one by one."""
    if isinstance(X, pd.DataFrame):
        return [X.iloc[:, position] for position in range(X.shape[1])]
    return X


def n_rows_of(X: Columns) -> int:
    """Return the number of rows."""
    return len(X) if isinstance(X, pd.DataFrame) else len(X[0])


def matrix_of(X: Any) -> npt.NDArray[np.float64]:
    """Return columns of numbers, or an array of them, as one array.

    Raises
    ------
    ValueError
        When it is no table.
    """
    if isinstance(X, pd.DataFrame):
        return X.to_numpy(dtype=np.float64)
    if isinstance(X, list):
        return np.stack([np.asarray(column, dtype=np.float64) for column in X]).T
    values: npt.NDArray[np.float64] = np.asarray(X, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"Number columns must be a table; got shape {values.shape}.")
    return values
