"""What comes out of good files."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbautoml.data import Dataset, Datastore, DataType, PromoteHeadersBehavior
from nbautoml.errors import ConfigError, DatasetError, NotAvailableError

Write = Callable[[str, str | bytes], str]
read = Dataset.Tabular.from_delimited_files


def values(frame: pd.DataFrame) -> dict[str, list[object]]:
    return {str(k): list(v) for k, v in frame.astype(object).to_dict("list").items()}


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("a,b\n1,é\n", {}),
        (b"\xef\xbb\xbf" + "a,b\r\n1,é\r\n".encode(), {}),
        ("a,b\r1,é\r", {}),
        ("\n\na,b\n\n1,é\n\n", {}),
        ("a;b\n1;é\n", {"separator": ";"}),
        ("a  b\n1   é\n", {"separator": r"\s+"}),
        ("a,b\n1,é\n".encode("utf-16"), {"encoding": "utf16"}),
        ("a,b\n1,é\n".encode("cp1252"), {"encoding": "windows1252"}),
        (gzip.compress("a,b\n1,é\n".encode(), mtime=0), {}),
        ('a,b\n1,"é"', {}),
    ],
)
def test_the_same_table_in_many_spellings(
    write: Write, content: str | bytes, options: dict[str, str]
) -> None:
    frame = read(write("a.csv", content), **options).to_pandas_dataframe()

    assert values(frame) == {"a": [1], "b": ["é"]}


def test_very_long_texts_are_read(write: Write) -> None:
    text = "word " * 50_000

    frame = read(write("a.csv", f'a,b\n1,"{text}"\n2,x\n')).to_pandas_dataframe()

    assert frame["b"].tolist() == [text, "x"]


def test_blank_lines_are_left_out(write: Write) -> None:
    frame = read(write("a.csv", "a,b\n1,2\n\n   \n3,4\n \n")).to_pandas_dataframe()

    assert values(frame) == {"a": [1, 3], "b": [2, 4]}


def test_types_are_found_and_codes_with_leading_zeros_stay_text(write: Write) -> None:
    path = write("a.csv", "n,x,yes,zip,code,word\n1,1.5,True,01234,,a\n2,,False,99999,007,b\n")

    frame = read(path).to_pandas_dataframe()

    assert values(frame[["zip"]]) == {"zip": ["01234", "99999"]}
    assert frame["code"].tolist()[1] == "007"
    assert frame["code"].isna().tolist() == [True, False]
    assert [frame[c].dtype.kind for c in ("n", "x", "yes")] == ["i", "f", "b"]


def test_a_leading_zero_at_a_block_s_border_is_seen(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.csv", "zip\n12345\n01234\n")
    for size in range(1, 20):
        monkeypatch.setattr("nbautoml.data.readers.delimited.BLOCK_BYTES", size)

        assert read(path).to_pandas_dataframe()["zip"].tolist() == ["12345", "01234"]


def test_numbers_that_begin_with_zero_stay_numbers(write: Write) -> None:
    frame = read(write("a.csv", "x,n\n0.5,0\n0.25,10\n")).to_pandas_dataframe()

    assert values(frame) == {"x": [0.5, 0.25], "n": [0, 10]}


def test_without_inference_all_is_text(write: Write) -> None:
    path = write("a.csv", "a,b\n1,\n02,x\n")

    frame = read(path, infer_column_types=False).to_pandas_dataframe()

    assert frame["a"].tolist() == ["1", "02"]
    assert frame["b"].isna().tolist() == [True, False]


def test_empty_values_are_missing_or_text_as_asked(write: Write) -> None:
    path = write("a.csv", "a,b\n,x\nv,NA\n")

    assert read(path).to_pandas_dataframe().isna().sum().sum() == 2
    assert values(read(path, empty_as_string=True).to_pandas_dataframe()[["a"]]) == {"a": ["", "v"]}


@pytest.mark.parametrize("header", [False, PromoteHeadersBehavior.NO_HEADERS])
def test_without_header_columns_are_numbered_from_one(write: Write, header: bool) -> None:
    frame = read(write("a.csv", "1,2\n3,4\n"), header=header).to_pandas_dataframe()

    assert values(frame) == {"Column1": [1, 3], "Column2": [2, 4]}


def test_a_header_without_a_name_is_numbered(write: Write) -> None:
    assert list(read(write("a.csv", ",x\n0,2\n")).to_pandas_dataframe()) == ["Column1", "x"]


def test_only_the_first_file_may_have_the_header(write: Write) -> None:
    paths = [write("a.csv", "x,y\n1,2\n"), write("b.csv", "3,4\n")]

    dataset = read(paths, header=PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS)

    assert values(dataset.to_pandas_dataframe()) == {"x": [1, 3], "y": [2, 4]}


def test_headers_of_all_files_may_be_combined(write: Write) -> None:
    paths = [write("a.csv", "x,y\n1,2\n"), write("b.csv", "y,z\n3,4\n")]

    dataset = read(paths, header=PromoteHeadersBehavior.COMBINE_ALL_FILES_HEADERS)

    frame = dataset.to_pandas_dataframe()
    assert list(frame) == ["x", "y", "z"]
    assert frame["y"].tolist() == [2, 3]
    assert frame.isna().sum().tolist() == [1, 0, 1]


def test_columns_in_another_order_are_put_in_the_first_file_s(write: Write) -> None:
    paths = [write("a.csv", "x,y\n1,2\n"), write("b.csv", "y,x\n4,3\n")]

    assert values(read(paths).to_pandas_dataframe()) == {"x": [1, 3], "y": [2, 4]}


def test_a_column_that_is_text_in_one_file_is_text_in_all(write: Write) -> None:
    paths = [
        write("a.csv", "code\n10\n"),
        write("b.csv", "code\n0x1\n"),
        write("c.csv", "code\n\n"),
    ]

    assert read(paths[:2]).to_pandas_dataframe()["code"].tolist() == ["10", "0x1"]


@pytest.mark.parametrize("kind", ["glob", "deep glob", "folder", "list", "path", "url"])
def test_several_files_are_read_in_order_however_they_are_named(write: Write, kind: str) -> None:
    for i in (1, 0, 2):
        write(f"d/part-{i}.csv", f"n\n{i}\n")
    folder = Path(write("d/_SUCCESS", "")).parent
    named: dict[str, object] = {
        "glob": f"{folder}/part-*.csv",
        "deep glob": f"{folder.parent}/**/*.csv",
        "folder": str(folder),
        "list": [f"{folder}/part-{i}.csv" for i in range(3)],
        "path": folder / "*.csv",
        "url": (folder / "*.csv").as_uri().replace("%2A", "*"),
    }

    frame = read(named[kind]).to_pandas_dataframe()  # type: ignore[arg-type]

    assert frame["n"].tolist() == [0, 1, 2]


def test_a_relative_path_stays_the_same_file_when_the_folder_changes(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(Path(write("a.csv", "n\n1\n")).parent)
    dataset = read("a.csv")
    monkeypatch.chdir(tmp_path)

    assert dataset.to_pandas_dataframe()["n"].tolist() == [1]


def test_the_path_of_each_row_can_be_had(write: Write) -> None:
    paths = [write("a.csv", "n\n1\n"), write("b.csv", "n\n2\n")]

    frame = read(paths, include_path=True).to_pandas_dataframe()

    assert values(frame) == {"Path": paths, "n": [1, 2]}


def test_a_path_column_of_the_file_s_own_is_not_overwritten(write: Write) -> None:
    with pytest.raises(DatasetError, match="without include_path"):
        read(write("a.csv", "Path\n1\n"), include_path=True)


def test_a_frame_comes_back_from_parquet_with_its_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["a", "b", "a"], ordered=True),
            "t": pd.date_range("2024-01-01", periods=3, tz="Europe/Paris"),
            "i": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")

    found = Dataset.Tabular.from_parquet_files(tmp_path / "a.parquet").to_pandas_dataframe()

    pd.testing.assert_frame_equal(found, frame)


def test_json_lines_may_lack_values_and_bad_ones_may_be_dropped(write: Write) -> None:
    path = write("a.json", '{"a": 1}\n\n[2]\n{"b": "x"}\n')

    dataset = Dataset.Tabular.from_json_lines_files(path, invalid_lines="drop")

    assert dataset.to_pandas_dataframe().notna().to_numpy().tolist() == [
        [True, False],
        [False, True],
    ]


def test_partition_format_says_what_to_do_instead(write: Write) -> None:
    with pytest.raises(NotAvailableError, match="include_path=True"):
        read(write("a.csv", "a\n1\n"), partition_format="/{year}/x.csv")


@pytest.mark.parametrize(
    ("data_type", "text", "expected"),
    [
        (DataType.to_string(), ["007", "x"], ["007", "x"]),
        (DataType.to_long(), ["7", "8"], [7, 8]),
        (DataType.to_float(), ["1.5", "2"], [1.5, 2.0]),
        (DataType.to_float(decimal_mark=","), ["1.234,5", "0,25"], [1234.5, 0.25]),
        (DataType.to_bool(), ["yes", "F"], [True, False]),
        (
            DataType.to_datetime(["%d.%m.%Y", "%Y/%m/%d"]),
            ["31.12.2024", "2025/01/02"],
            [pd.Timestamp("2024-12-31"), pd.Timestamp("2025-01-02")],
        ),
        (DataType.to_datetime(), ["2024-12-31"] * 2, [pd.Timestamp("2024-12-31")] * 2),
    ],
)
def test_types_that_are_set_win(
    write: Write, data_type: DataType, text: list[str], expected: list[object]
) -> None:
    path = write("a.csv", "v;w\n" + "".join(f"{t};0\n" for t in text))

    frame = read(path, separator=";", set_column_types={"v": data_type}).to_pandas_dataframe()

    assert frame["v"].tolist() == expected


def test_values_that_do_not_fit_become_missing_with_one_warning(write: Write) -> None:
    path = write("a.csv", "v\n1\nx\n2.5\n")
    dataset = read(path, set_column_types={"v": DataType.to_long()}, validate=False)

    with pytest.warns(UserWarning, match=r"'v': 2 of 3 values are no long; the first is 'x' .*2"):
        frame = dataset.to_pandas_dataframe()

    assert frame["v"].isna().tolist() == [False, True, True]


def test_values_that_do_not_fit_can_be_an_error(write: Write) -> None:
    dataset = read(
        write("a.csv", "v\n1\nx\n"), set_column_types={"v": DataType.to_long()}, validate=False
    )

    with pytest.raises(DatasetError, match="data row 2.*on_error='null'"):
        dataset.to_pandas_dataframe(on_error="fail")


def test_a_set_type_needs_a_column_and_a_data_type(write: Write) -> None:
    path = write("a.csv", "price\n1\n")
    with pytest.raises(DatasetError, match="Did you mean 'price'"):
        read(path, set_column_types={"prise": DataType.to_long()})
    with pytest.raises(ConfigError, match="DataType.to_string"):
        read(path, set_column_types={"price": "long"})  # type: ignore[dict-item]


def test_types_can_be_set_for_parquet(tmp_path: Path) -> None:
    pd.DataFrame({"n": [1, 2]}).to_parquet(tmp_path / "a.parquet")

    dataset = Dataset.Tabular.from_parquet_files(
        tmp_path / "a.parquet", set_column_types={"n": DataType.to_string()}
    )

    assert dataset.to_pandas_dataframe()["n"].tolist() == ["1", "2"]


def test_a_path_in_a_datastore_is_read(workspace: object, write: Write) -> None:
    store = Datastore.get_default(workspace)  # type: ignore[arg-type]
    store.upload_files([write("a.csv", "n\n1\n"), write("b.csv", "n\n2\n")], target_path="in")

    by_pair = read((store, "in/*.csv"))
    by_path = read(store.path("in/b.csv"))
    by_list = read([(store, "in/b.csv"), (store, "in/a.csv")])

    assert by_pair.to_pandas_dataframe()["n"].tolist() == [1, 2]
    assert by_path.to_pandas_dataframe()["n"].tolist() == [2]
    assert by_list.to_pandas_dataframe()["n"].tolist() == [2, 1]


def test_dask_reads_a_partition_a_file(write: Write) -> None:
    for i in range(3):
        write(f"d/{i}.csv", f"n,w\n{i},a\n{i + 10},b\n")
    dataset = read(str(Path(write("d/0.csv", "n,w\n0,a\n10,b\n")).parent)).drop_columns("w")

    lazy = dataset.to_dask_dataframe()

    assert lazy.npartitions == 3
    assert lazy.compute()["n"].tolist() == [0, 10, 1, 11, 2, 12]


def test_dask_cuts_one_file_by_rows(write: Write) -> None:
    path = write("a.csv", "n\n" + "\n".join(map(str, range(25))))

    lazy = read(path).skip(5).to_dask_dataframe(sample_size=10)

    assert lazy.npartitions == 2
    assert lazy.compute()["n"].tolist() == list(range(5, 25))


def test_dask_names_the_file_whose_types_do_not_fit(write: Write) -> None:
    paths = [write("a.csv", "n\n1\n"), write("b.csv", "n\nx\n")]

    with pytest.raises(DatasetError, match=r"b.csv has values that do not fit.*dtypes="):
        read(paths).to_dask_dataframe().compute()


def test_dask_takes_the_types_it_is_told(write: Write) -> None:
    paths = [write("a.csv", "n\n1\n"), write("b.csv", "n\n2.5\n")]

    lazy = read(paths).to_dask_dataframe(dtypes={"n": np.float64})

    assert lazy.compute()["n"].tolist() == [1.0, 2.5]
