"""Steps of a dataset: each takes a frame and gives a frame, the same in every process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from nbautoml.data.definition import Step
from nbautoml.data.types import shorten
from nbautoml.errors import DatasetError, did_you_mean


def apply_steps(frame: pd.DataFrame, steps: Sequence[Step]) -> pd.DataFrame:
    """Return the frame after all steps, with rows counted from 0.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": range(5)})
    >>> apply_steps(frame, [Step(kind="skip", params={"count": 3})])["a"].tolist()
    [3, 4]
    """
    for step in steps:
        frame = STEPS[step.kind](frame, **step.params)
    return frame.reset_index(drop=True) if steps else frame


def count_needed_rows(steps: Sequence[Step]) -> int | None:
    """Return how many leading rows the steps can use, or None for all of them.

    Examples
    --------
    >>> count_needed_rows([Step(kind="skip", params={"count": 3}),
    ...                    Step(kind="take", params={"count": 2})])
    5
    """
    offset = 0
    needed: int | None = None
    for step in steps:
        if step.kind == "skip":
            offset += step.params["count"]
        elif step.kind == "take":
            wanted = offset + step.params["count"]
            needed = wanted if needed is None else min(needed, wanted)
        elif step.kind not in ("keep", "drop"):
            break
    return needed


def changes_rows(steps: Sequence[Step]) -> bool:
    """Whether any step selects rows (others only select columns)."""
    return any(step.kind not in ("keep", "drop") for step in steps)


def check_columns(columns: Sequence[str], frame_columns: Sequence[str], call: str) -> None:
    """Raise an error that names columns which do not exist.

    Raises
    ------
    DatasetError
        With the closest name and the names there are.
    """
    for name in columns:
        if name not in frame_columns:
            raise DatasetError(
                f"{call}: there is no column {name!r}.{did_you_mean(name, frame_columns)} "
                f"Columns: {shorten(frame_columns)}."
            )


def _take(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    return frame.iloc[:count]


def _skip(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    return frame.iloc[count:]


def _sample(frame: pd.DataFrame, probability: float, seed: int) -> pd.DataFrame:
    chosen = np.random.default_rng(seed).random(len(frame)) < probability
    return frame[chosen]


def _split(frame: pd.DataFrame, percentage: float, seed: int, part: int) -> pd.DataFrame:
    """Keep part 0 (`percentage` of the rows, rounded) or part 1 (all others), in order."""
    n_first = round(len(frame) * percentage)
    is_first = np.random.default_rng(seed).permutation(len(frame)) < n_first
    return frame[is_first if part == 0 else ~is_first]


def _keep(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    check_columns(columns, list(frame.columns), "keep_columns")
    return frame[columns]


def _drop(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    check_columns(columns, list(frame.columns), "drop_columns")
    return frame.drop(columns=columns)


# The parameters are those of the step, as JSON values.
STEPS: dict[str, Callable[..., pd.DataFrame]] = {
    "take": _take,
    "skip": _skip,
    "sample": _sample,
    "split": _split,
    "keep": _keep,
    "drop": _drop,
}
