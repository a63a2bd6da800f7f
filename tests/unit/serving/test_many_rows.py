"""Many rows, predicted in parts."""

from __future__ import annotations

import numpy as np
import pytest

from nbautoml.serving.parts import FEWEST_ROWS, MOST_ROWS, Parts
from nbautoml.serving.schema import CheckedRows


def rows_of(n: int) -> CheckedRows:
    return CheckedRows(columns={"a": np.arange(float(n)), "b": [str(i) for i in range(n)]})


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("n", [1, FEWEST_ROWS * 2, MOST_ROWS * 5 + 7])
def test_parts_are_answered_in_their_order(n: int, n_threads: int) -> None:
    seen: list[int] = []

    def model(rows: CheckedRows) -> np.ndarray:
        seen.append(rows.n_rows)
        return np.array([f"{a:.0f}={b}" for a, b in zip(*rows.columns.values(), strict=True)])

    answer = Parts(n_threads).ask(model, rows_of(n))

    assert answer.tolist() == [f"{i}={i}" for i in range(n)]
    assert len(seen) == Parts(n_threads).count(n)
    assert n_threads == 1 or max(seen) <= MOST_ROWS


def test_rows_are_cut_into_as_many_parts_as_there_are_threads() -> None:
    assert [Parts(2).count(n) for n in (1, 399, 400, 2_000, 2_001)] == [1, 1, 2, 2, 3]
    assert [Parts(1).count(n) for n in (1, 10_000)] == [1, 1]
    assert Parts(None).count(2 * FEWEST_ROWS) <= 2


def test_what_a_part_fails_with_is_raised() -> None:
    def model(rows: CheckedRows) -> np.ndarray:
        raise ValueError(f"{rows.n_rows} rows")

    with pytest.raises(ValueError, match="200 rows"):
        Parts(2).ask(model, rows_of(400))
