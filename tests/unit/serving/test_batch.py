"""Cutting, checking, writing and joining of batch jobs, without workers."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lightgbm import LGBMRegressor

from nbautoml.data.dataset import Dataset
from nbautoml.domain.records import Owner
from nbautoml.errors import ConfigError, ConflictError, DatasetError
from nbautoml.registry.schema import describe_frame
from nbautoml.serving.batch import work
from nbautoml.serving.batch.checks import RowError, check_frame
from nbautoml.serving.batch.inputs import rows_of
from nbautoml.serving.batch.job import Job
from nbautoml.serving.batch.joining import common_schema, finish
from nbautoml.serving.batch.pieces import read_piece
from nbautoml.serving.batch.work import write_part
from nbautoml.serving.trees import FasterBooster
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session, open_memory_session

AWKWARD = (
    'id,text,n\r\n1,"two\nlines, and a comma",1\n\n2,"a ""quote""",2\n3,plain 5" pipe,\n'
    "4,,4\n5,last,5"
)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return open_memory_session(root=str(tmp_path / "ws"))


def frames(data: object, session: Session, folder: Path, n: int) -> list[pd.DataFrame]:
    rows = rows_of(data, session, n)
    pieces = rows.cut(folder)
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    return [read_piece(piece, rows.definition, as_text=True) for piece in pieces]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 100])
def test_text_is_cut_between_records_wherever_line_ends_stand(
    n: int, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(AWKWARD, newline="")

    parts = frames(path, session, tmp_path, n)

    assert [len(part) for part in parts][:-1] == [n] * (len(parts) - 1)
    whole = pd.concat(parts, ignore_index=True)
    assert whole["id"].tolist() == ["1", "2", "3", "4", "5"]
    assert whole["text"].tolist()[:3] == ["two\nlines, and a comma", 'a "quote"', 'plain 5" pipe']
    assert whole["n"].isna().tolist() == [False, False, True, False, False]


def test_rows_are_named_as_they_count_in_the_file(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(AWKWARD, newline="")

    pieces = rows_of(path, session, 2).cut(tmp_path)

    assert pieces[1].place_of(0) == f"partition 1, data row 3 of {path}"


def test_what_cannot_be_cut_is_one_piece(session: Session, tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    wide = tmp_path / "wide.csv"
    wide.write_bytes("a,b\n1,2\n3,4\n".encode("utf-16"))

    assert len(frames(path, session, tmp_path, 1)) == 1
    dataset = Dataset.Tabular.from_delimited_files(str(wide), encoding="utf16")
    (frame,) = frames(dataset, session, tmp_path, 1)
    assert frame.to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}


def test_files_follow_each_other_and_keep_the_columns_that_were_kept(
    session: Session, tmp_path: Path
) -> None:
    for name, start in (("a.csv", 0), ("b.csv", 3)):
        frame = pd.DataFrame({"x": range(start, start + 3), "y": 1, "z": 2})
        frame.to_csv(tmp_path / name, index=False)
    dataset = Dataset.Tabular.from_delimited_files(str(tmp_path / "*.csv")).drop_columns("y")

    parts = frames(dataset, session, tmp_path, 2)

    assert [part["x"].tolist() for part in parts] == [["0", "1"], ["2"], ["3", "4"], ["5"]]
    assert list(parts[0].columns) == ["x", "z"]


@pytest.mark.parametrize("group", [3, 4, 1000])
def test_parquet_is_cut_by_rows_whatever_its_groups(
    group: int, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    table = pa.table({"x": list(range(11)), "t": [f"t{i}" for i in range(11)]})
    pq.write_table(table, path, row_group_size=group)

    parts = frames(path, session, tmp_path, 4)

    assert [part["x"].tolist() for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]


def test_steps_that_pick_rows_are_done_before_the_cut(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    pd.DataFrame({"x": range(10)}).to_csv(path, index=False)
    dataset = Dataset.Tabular.from_delimited_files(str(path)).skip(3).take(4)

    parts = frames(dataset, session, tmp_path, 3)

    assert [part["x"].tolist() for part in parts] == [[3, 4, 5], [6]]


def test_a_dask_frame_gives_its_partitions(session: Session, tmp_path: Path) -> None:
    import dask.dataframe as dd

    frame = dd.from_pandas(pd.DataFrame({"x": range(6)}), npartitions=3)
    again = dd.from_pandas(pd.DataFrame({"x": range(6)}), npartitions=3)

    parts = frames(frame[frame["x"] > 0], session, tmp_path, 100)

    assert [part["x"].tolist() for part in parts] == [[1], [2, 3], [4, 5]]
    assert rows_of(frame, session, 9).identity == rows_of(again, session, 9).identity


def test_other_rows_are_another_job(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\n1\n")
    first = rows_of(path, session, 10).identity
    path.write_text("a\n1\n2\n")

    assert rows_of(path, session, 10).identity != first
    one, two = (pd.DataFrame({"a": [value]}) for value in (1, 2))
    assert rows_of(one, session, 10).identity != rows_of(two, session, 10).identity
    assert rows_of(one, session, 10).identity == rows_of(one.copy(), session, 10).identity


def test_what_is_no_data_is_refused(session: Session, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be a dataset, a DataFrame"):
        rows_of(5, session, 10)
    with pytest.raises(ConfigError, match=r"must end in \.csv, \.tsv or \.parquet"):
        rows_of(tmp_path / "rows.xlsx", session, 10)
    (tmp_path / "empty.parquet").write_bytes(_parquet(pd.DataFrame({"a": pd.Series(dtype=float)})))
    with pytest.raises(DatasetError, match="no rows"):
        rows_of(tmp_path / "empty.parquet", session, 10).cut(tmp_path)


def _parquet(frame: pd.DataFrame) -> bytes:
    return frame.to_parquet()


TRAINING = pd.DataFrame(
    {
        "age": [40, 50, 60],
        "dose": [1.5, None, 2.5],
        "flag": [0, 1, 1],
        "sick": [True, False, True],
        "seen": pd.to_datetime(["2025-01-01", "2025-02-01", "2025-03-01"]),
        "ward": ["north", "south", "north"],
        "note": ["x", "y", "z"],
    }
)
SCHEMA = describe_frame(TRAINING, task="regression", label="y")
TEXTS = {
    "age": ["41", " 4.2e1 "],
    "dose": [None, "2"],
    "flag": ["true", "0"],
    "sick": ["yes", "False"],
    "seen": ["2025-03-01T10:00:00", "01 Feb 2025"],
    "ward": ["west", None],
    "note": ["a", "b"],
}


def test_texts_become_what_the_columns_were_in_training() -> None:
    rows = check_frame(pd.DataFrame(TEXTS), SCHEMA)

    assert rows["age"].tolist() == [41.0, 42.0]
    assert np.isnan(rows["dose"][0])
    assert rows["flag"].tolist() == [1.0, 0.0]
    assert rows["sick"].tolist() == [True, False]
    assert rows["seen"].tolist() == [pd.Timestamp("2025-03-01 10:00"), pd.Timestamp("2025-02-01")]
    assert rows["ward"].tolist()[0] == "west"


def test_columns_of_training_pass_as_they_are() -> None:
    rows = check_frame(TRAINING, SCHEMA)

    for name in TRAINING.columns:
        assert rows[name].isna().tolist() == TRAINING[name].isna().tolist()
    assert rows["sick"].tolist() == TRAINING["sick"].tolist()
    assert rows["seen"].tolist() == TRAINING["seen"].tolist()


BAD = {
    "words for a number": ("age", "abc", 'must be a number; got "abc"'),
    "a truth for a number": ("age", True, "must be a number; got true"),
    "infinity": ("age", float("inf"), "got inf, which is not finite"),
    "infinity as text": ("age", "inf", "must be a number"),
    "a list": ("age", [1], "must be a number; got a list"),
    "null where none was": ("age", None, "must not be empty"),
    "empty where none was": ("age", "", "must not be empty"),
    "another truth": ("sick", "maybe", "must be true or false"),
    "two for a truth": ("sick", 2, "must be true or false"),
    "no date": ("seen", "yesterdayish", "must be a date"),
    "a number for a date": ("seen", 20250301, "must be a date"),
    "a number for a word": ("ward", 5, "must be a text; got 5"),
}


@pytest.mark.parametrize(("column", "value", "said"), BAD.values(), ids=BAD)
def test_the_first_cell_that_does_not_fit_is_named(column: str, value: object, said: str) -> None:
    frame = pd.DataFrame(TEXTS).astype(object)
    frame[column] = pd.Series([frame[column][0], value], dtype=object)

    with pytest.raises(RowError) as error:
        check_frame(frame, SCHEMA)

    assert error.value.row == 1
    assert f"column {column!r}" in error.value.message
    assert said in error.value.message


def test_columns_of_another_kind_are_refused_as_a_whole() -> None:
    for column, cells in (("age", [True, False]), ("seen", [1, 2]), ("ward", [1.5, 2.5])):
        with pytest.raises(RowError, match=f"column '{column}' must be"):
            check_frame(pd.DataFrame(TEXTS).assign(**{column: cells}), SCHEMA)


def test_a_column_that_is_not_there_is_named_unless_it_is_not_used() -> None:
    frame = pd.DataFrame(TEXTS).drop(columns="note")

    with pytest.raises(RowError, match="lack 'note'") as error:
        check_frame(frame, SCHEMA)
    assert error.value.row is None
    assert "note" not in check_frame(frame, SCHEMA, unused=frozenset({"note"}))


def prepared(tmp_path: Path, name: str, parts: list[pd.DataFrame]) -> Job:
    job = Job(tmp_path / name)
    job.take("me", overwrite=False)
    for number, part in enumerate(parts):
        write_part(part, job.target(number), job.suffix, has_header=number == 0)
    return job


PARTS = [
    pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
    pd.DataFrame({"a": [None, 3.5], "b": [1, 2]}),
]


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out"])
def test_parts_become_one_result_in_their_order(name: str, tmp_path: Path) -> None:
    job = prepared(tmp_path, name, PARTS)
    assert not job.output.exists()

    finish(job, 2, {"model": "m:1", "rows": 4})

    read = pd.read_csv if name.endswith(".csv") else pd.read_parquet
    found = read(job.output)
    assert found["a"].tolist()[:2] == [1, 2]
    assert found["a"].isna().tolist() == [False, False, True, False]
    assert found["b"].astype(str).tolist() == ["x", "y", "1", "2"]
    assert not job.folder.exists()
    if name == "out":
        assert json.loads((job.output / "_scoring.json").read_text())["rows"] == 4


def test_types_that_nothing_holds_become_texts() -> None:
    schemas = [pa.schema({"a": kind}) for kind in (pa.int64(), pa.string(), pa.null())]

    assert common_schema(schemas).field("a").type == pa.string()
    assert common_schema([schemas[2], schemas[0]]).field("a").type == pa.int64()


def test_only_whole_parts_count(tmp_path: Path) -> None:
    job = prepared(tmp_path, "out", PARTS)
    write_part(PARTS[0], job.target(2), job.suffix, has_header=False)
    (job.parts_folder / ".part-00003.parquet.1.tmp").write_bytes(b"half")
    job.part(1).write_bytes(b"PAR1")  # cut off behind our back
    (job.folder / "marks" / "part-00002.json").write_bytes(b"{")

    assert job.finished() == {0: 2}
    job.sweep()
    assert list(job.parts_folder.glob(".*")) == []


def test_a_result_and_another_jobs_parts_are_kept_unless_told(tmp_path: Path) -> None:
    job = prepared(tmp_path, "out.csv", PARTS)
    job.leave()

    with pytest.raises(ConflictError, match="parts of another job"):
        Job(tmp_path / "out.csv").take("other", overwrite=False)
    job.take("me", overwrite=False)
    assert set(job.finished()) == {0, 1}
    job.leave()
    job.take("other", overwrite=True)
    assert job.finished() == {}
    job.leave()
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(ConflictError, match="is there already"):
        job.take("other", overwrite=False)


def test_a_living_process_keeps_its_job_and_a_dead_one_does_not(tmp_path: Path) -> None:
    job = prepared(tmp_path, "out", PARTS)
    with pytest.raises(ConflictError, match=f"by process {os.getpid()} now"):
        Job(tmp_path / "out").take("me", overwrite=False)

    me = this_process()
    owners = {"pid": me.pid, "host": "elsewhere", "started_at": me.started_at}
    (job.folder / "owner.json").write_text(json.dumps(owners))
    with pytest.raises(ConflictError, match="a process on elsewhere"):
        Job(tmp_path / "out").take("me", overwrite=False)

    gone = Owner(host=me.host, pid=me.pid, started_at=1.0)
    dead = {"pid": gone.pid, "host": gone.host, "started_at": gone.started_at}
    (job.folder / "owner.json").write_text(json.dumps(dead))
    Job(tmp_path / "out").take("me", overwrite=False)
    assert set(job.finished()) == {0, 1}


def test_a_folder_is_replaced_in_one_step(tmp_path: Path) -> None:
    finish(prepared(tmp_path, "out", PARTS), 2, {})
    job = Job(tmp_path / "out")
    job.take("again", overwrite=True)
    write_part(PARTS[0], job.target(0), job.suffix, has_header=True)

    finish(job, 1, {})

    assert pd.read_parquet(tmp_path / "out")["b"].tolist() == ["x", "y"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_loaded_model_has_its_trees_asked_in_a_faster_way(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(200, 3))
    fitted = LGBMRegressor(n_estimators=5, num_leaves=4, verbose=-1).fit(X, X[:, 0])
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fitted))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    place = work.ModelPlace(pickle=str(path), sha256=sha256, name="m:1")
    loaded = work._load(place).model
    assert isinstance(loaded.booster_, FasterBooster)
    assert np.array_equal(fitted.predict(X), loaded.predict(X))
