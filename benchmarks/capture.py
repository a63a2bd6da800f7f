"""What keeping the rows of a run costs at submission, beside writing them as Parquet.

A notebook waits for it: `submit` keeps its frame, so that the run can read it whatever the
notebook does next. Prints the median of several turns of both, taken by turns, and their ratio.

    python -m benchmarks.capture [--rows 50000] [--turns 7]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from nbautoml import Workspace
from nbautoml.data import capture


def frame_of(n_rows: int) -> pd.DataFrame:
    """Return ten columns of numbers and five of words."""
    rng = np.random.default_rng(0)
    numbers = {f"x{i}": rng.normal(size=n_rows) for i in range(10)}
    words = {f"w{i}": rng.choice(["alpha", "beta", "gamma"], n_rows) for i in range(5)}
    return pd.DataFrame({**numbers, **words})


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--turns", type=int, default=7)
    given = parser.parse_args()
    frame = frame_of(given.rows)
    kept, written = [], []
    with tempfile.TemporaryDirectory() as folder:
        session = Workspace.create("capture", path=Path(folder) / "w").session
        capture(session, frame.head(10), label="x0")  # imports and folders
        for turn in range(given.turns):
            changed = frame.assign(x0=frame["x0"] + turn)  # equal rows are kept once only
            path = Path(folder) / "rows.parquet"
            kept.append(seconds_of(lambda: capture(session, changed, label="x0")))  # noqa: B023
            written.append(seconds_of(lambda: changed.to_parquet(path)))  # noqa: B023
        session.close()
    own, plain = statistics.median(kept), statistics.median(written)
    print(f"capture {own:.3f} s, to_parquet {plain:.3f} s, ratio {own / plain:.2f}")


if __name__ == "__main__":
    main()
