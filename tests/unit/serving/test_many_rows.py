"""Many rows, predicted in parts."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from nbautoml.serving.parts import FEWEST_ROWS, MOST_ROWS, Parts, count_parts
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
    assert len(seen) == count_parts(n, n_threads)
    assert n_threads == 1 or max(seen) <= MOST_ROWS


def test_one_thread_cuts_nothing() -> None:
    assert [count_parts(n, 1) for n in (1, 10_000)] == [1, 1]
    assert Parts(None).n_threads >= 1


def test_who_asks_at_the_same_time_shares_the_threads() -> None:
    parts, seen = Parts(2), []

    def inner(rows: CheckedRows) -> np.ndarray:
        seen.append(rows.n_rows)
        return np.zeros(rows.n_rows)

    def outer(rows: CheckedRows) -> np.ndarray:
        return parts.ask(inner, rows_of(1_000))

    parts.ask(outer, rows_of(1))
    parts.ask(inner, rows_of(1_000))

    assert seen == [1_000] + [500] * 2


@pytest.mark.parametrize("fails_in_main", [True, False])
def test_what_a_part_fails_with_is_raised(fails_in_main: bool) -> None:
    both = threading.Barrier(2, timeout=10)

    def model(rows: CheckedRows) -> np.ndarray:
        both.wait()
        is_main = threading.current_thread() is threading.main_thread()
        if is_main is fails_in_main:
            raise ValueError(f"{rows.n_rows} rows")
        return np.zeros(rows.n_rows)

    with pytest.raises(ValueError, match="200 rows"):
        Parts(2).ask(model, rows_of(400))


def test_nobody_waits_for_a_thread_that_does_not_begin() -> None:
    parts, go, has_begun = Parts(2), threading.Event(), threading.Event()

    def hold(rows: CheckedRows) -> np.ndarray:
        if threading.current_thread() is not threading.main_thread():
            has_begun.set()
            go.wait(10)
        elif not has_begun.wait(10):
            raise TimeoutError
        return np.zeros(rows.n_rows)

    holding = threading.Timer(0.05, go.set)
    holding.start()
    assert len(parts.ask(hold, rows_of(400))) == 400
    assert parts._pool is not None
    go.clear()
    blocked = parts._pool.submit(go.wait, 10)

    seen: list[int] = []

    def count(rows: CheckedRows) -> np.ndarray:
        seen.append(rows.n_rows)
        return np.zeros(rows.n_rows)

    assert len(parts.ask(count, rows_of(1_000))) == 1_000
    assert seen == [500] * 2
    go.set()
    assert blocked.result(10)
