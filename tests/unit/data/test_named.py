"""Data by its name: files with whatever separator, registered datasets and their versions."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nbautoml.data.factory import TabularDatasetFactory
from nbautoml.data.named import named_dataset, named_file
from nbautoml.errors import DatasetError, NotFoundError
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import open_memory_session

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_and_written_into_the_code(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "table.csv"
    FRAME.to_csv(file, index=False, sep=separator)
    found = named_file(str(file))
    assert found is not None
    assert list(found.head(5).columns) == ["a", "b"]
    written = "" if separator == "," else f", separator={separator!r}"
    assert found.code == f"Dataset.Tabular.from_delimited_files({str(file)!r}{written})"


def test_code_can_name_the_file_from_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "Heart.CSV"
    FRAME.to_csv(file, index=False)
    found = named_file(str(file), written="../Heart.CSV")
    assert found is not None
    assert (found.name, found.code) == (
        "heart",
        "Dataset.Tabular.from_delimited_files('../Heart.CSV')",
    )


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl", "t.ndjson", "t.csv.gz", "what?.csv"])
def test_files_are_read_by_what_their_names_end_in(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name.endswith("parquet"):
        FRAME.to_parquet(file)
    elif "json" in name:
        FRAME.to_json(file, orient="records", lines=True)
    else:
        FRAME.to_csv(file, index=False)
    found = named_file(str(file))
    assert found is not None
    pd.testing.assert_frame_equal(found.head(9), FRAME, check_dtype=False)


def test_other_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    file.write_bytes(b"PK")
    with pytest.raises(NotFoundError, match=r"none of the files that can be read \(\.csv"):
        named_file(str(file))
    assert named_file(str(tmp_path)) is None
    assert named_file(str(tmp_path / "missing.csv")) is None


def test_an_empty_file_is_an_error_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DatasetError, match="is empty"):
        named_file(str(tmp_path / "empty.csv"))


def test_datasets_are_found_by_name_and_version() -> None:
    with open_memory_session() as session:
        workspace = WorkspaceHandle(session)
        for n_rows in (2, 3):
            data = TabularDatasetFactory.from_pandas_dataframe(FRAME.head(n_rows))
            data.register(workspace, "a:b", create_new_version=True)
        latest, first = named_dataset(workspace, "a:b"), named_dataset(workspace, "a:b:1")
        assert latest is not None
        assert first is not None
        assert (latest.n_rows, latest.code) == (3, "Dataset.get_by_name(ws, 'a:b')")
        assert (first.n_rows, first.code) == (2, "Dataset.get_by_name(ws, 'a:b', version=1)")
        assert len(first.head(9)) == 2
        assert named_dataset(workspace, "a:b:latest") is not None
        assert named_dataset(workspace, "other") is None
        with pytest.raises(NotFoundError, match="needs a number"):
            named_dataset(workspace, "a:b:c")
        with pytest.raises(NotFoundError, match="no version 7"):
            named_dataset(workspace, "a:b:7")
