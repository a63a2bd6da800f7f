"""Large Parquet files are read by parts of their columns, with the same result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbautoml.data.readers import LocalFile, ReadRequest, parquet

REQUEST = ReadRequest(limit=None, text_columns=frozenset(), first_columns=None)
N_ROWS = 60


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    columns: dict[str, object] = {f"number {i}": rng.normal(size=N_ROWS) for i in range(20)}
    columns["Sepal.Length"] = rng.integers(0, 9, N_ROWS)
    columns["word"] = rng.choice(["a", "b", None], N_ROWS)
    columns["category"] = pd.Categorical(rng.choice(["x", "y"], N_ROWS))
    columns["whole"] = pd.array(rng.choice([1, None], N_ROWS), dtype="Int64")
    columns["day"] = pd.date_range("2024-01-01", periods=N_ROWS, tz="Europe/Paris")
    columns["parts"] = [{"b": i} for i in range(N_ROWS)]
    return pd.DataFrame(columns)


def read(path: Path) -> pd.DataFrame:
    return parquet.PARQUET.read(LocalFile(path=path, label=path.name), {}, REQUEST)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_LARGE_CELLS", 1)


@pytest.mark.parametrize(
    "index", [None, pd.Index(range(N_ROWS, 0, -1), name="id"), pd.Index(range(5, N_ROWS + 5))]
)
@pytest.mark.usefixtures("small_parts")
def test_parts_make_the_frame_that_was_written(tmp_path: Path, index: pd.Index | None) -> None:
    made = frame()
    (made if index is None else made.set_axis(index)).to_parquet(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(read(tmp_path / "f.parquet"), made)


@pytest.mark.usefixtures("small_parts")
def test_names_that_begin_others_are_not_mixed_up(tmp_path: Path) -> None:
    made = pd.DataFrame({name: [float(i)] for i, name in enumerate(["a", "c", "a.b", "a.b.c"])})
    made.to_parquet(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(read(tmp_path / "f.parquet"), made)


@pytest.mark.usefixtures("small_parts")
def test_cells_can_be_changed(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "f.parquet")
    found = read(tmp_path / "f.parquet")
    found.loc[0, "number 3"] = 5.0
    assert found["number 3"].iloc[0] == 5.0
