from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.automl.data import (
    Table,
    UnknownSetError,
    all_tables,
    indexed,
    load_split,
    prepare,
)


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": rng.normal(size=100),
            "kind": pd.Categorical(rng.choice(["a", "b"], size=100)),
            "label": [0, 1, 1, 1] * 25,
        }
    )


def test_a_split_keeps_thirty_in_a_hundred_rows_in_equal_shares(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    split = prepare(Table(name="t", task="binary", label="label", train=frame), 0, tmp_path)

    assert (split.n_train, split.n_test, split.n_columns, split.n_classes) == (70, 30, 2, 2)
    assert split.truth().mean() == pytest.approx(0.75, abs=0.02)
    assert split.constant["auc"] == pytest.approx(0.5)


def test_systems_are_not_told_the_labels_of_the_test_rows(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    split = prepare(Table(name="t", task="binary", label="label", train=frame), 0, tmp_path)

    assert "label" not in pd.read_parquet(split.test)
    assert "label" in pd.read_parquet(split.train)


def test_seeds_decide_the_rows_and_nothing_else_does(frame: pd.DataFrame, tmp_path: Path) -> None:
    table = Table(name="t", task="regression", label="x", train=frame)
    first, again, other = (
        prepare(table, seed, tmp_path / name).truth()
        for seed, name in ((0, "first"), (0, "again"), (1, "other"))
    )

    assert first.equals(again)
    assert not first.equals(other)


def test_a_written_split_is_found_again(frame: pd.DataFrame, tmp_path: Path) -> None:
    table = Table(name="t", task="binary", label="label", train=frame)

    assert load_split(tmp_path) is None
    assert prepare(table, 0, tmp_path) == load_split(tmp_path)


def test_rows_of_rare_classes_and_without_label_are_left_out(tmp_path: Path) -> None:
    labels = ["a"] * 50 + ["b"] * 40 + ["c"] * 9 + [None]
    frame = pd.DataFrame({"x": range(100), "label": labels})

    split = prepare(Table(name="t", task="multiclass", label="label", train=frame), 0, tmp_path)

    assert split.n_classes == 2
    assert split.n_train + split.n_test == 90


def test_types_are_those_that_all_readers_agree_on(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "kind": pd.Categorical(["a", None] * 20),
            "flag": [True, False] * 20,
            "day": pd.date_range("2020-01-01", periods=40),
            "label": [1.0, 2.0] * 20,
        }
    )

    split = prepare(Table(name="t", task="binary", label="label", train=frame), 0, tmp_path)
    train = pd.read_parquet(split.train)

    assert set(train["kind"].dropna()) == {"a"}
    assert train["kind"].isna().any()
    assert not isinstance(train["kind"].dtype, pd.CategoricalDtype)
    assert pd.api.types.is_datetime64_any_dtype(train["day"])
    assert train["label"].dtype == np.int64


def _write_index(folder: Path, *entries: dict[str, object]) -> None:
    for entry in entries:
        rows = pd.DataFrame({"id": [1, 2], "x": [3, 4], "y": [0, 1]})
        rows.to_csv(folder / str(entry["file"]), index=False)
    (folder / "index.json").write_text(json.dumps({"datasets": entries}))


def test_a_folder_tells_what_is_in_it(tmp_path: Path) -> None:
    common = {"label": "y", "drop_columns": ["id"]}
    _write_index(
        tmp_path,
        {"name": "one", "file": "one.csv.gz", "task": "regression", **common},
        {"name": "over-time", "file": "t.csv", "task": "forecasting", **common},
        {"name": "ship-train", "file": "a.csv", "task": "binary", "pair": "ship-test", **common},
        {"name": "ship-test", "file": "b.csv", "task": "binary", "pair": "ship-train", **common},
    )

    found = indexed(tmp_path)

    assert list(found) == ["one", "ship"]
    assert list(found["one"]().train) == ["x", "y"]
    assert found["one"]().test is None
    assert found["ship"]().test is not None


def test_a_name_means_the_same_with_and_without_a_folder(tmp_path: Path) -> None:
    entry = {"file": "w.csv", "task": "regression", "label": "y"}
    _write_index(tmp_path, {"name": "wine", **entry}, {"name": "other", **entry})

    found = all_tables(Path(), tmp_path)

    assert "other" in found
    assert found["wine"]().task == "multiclass"


def test_tables_of_missing_packages_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(UnknownSetError, match="setup data"):
        all_tables(tmp_path)["adult"]()


def test_bundled_tables_have_their_label() -> None:
    table = all_tables(Path())["wine"]()

    assert table.task == "multiclass"
    assert table.label in table.train
