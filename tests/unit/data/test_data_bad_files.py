"""Each bad file gives one error that names the file, the place and the remedy."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from nbautoml.data import Dataset, PromoteHeadersBehavior
from nbautoml.errors import ConfigError, DatasetError

Write = Callable[[str, str | bytes], str]
read = Dataset.Tabular.from_delimited_files

LONG = b"a,b\n" + b"1,2\n" * 400_000  # more than one block of 1 MB

BAD: dict[str, tuple[str | bytes, str]] = {
    "semicolons": ("a;b\n1,5;2\n", r"line 1: one column 'a;b'.*Pass separator=';'"),
    "tabs": ("a\tb\n1\t2\n", r"Pass separator='\\t'"),
    "short row": ("a,b,c\n1,2,3\n4,5\n", r"line 3: 2 values found, 3 expected.*Add the missing"),
    "long row": ("a,b\n1,2\n3,4,5\n", r"line 3: 3 values found, 2 expected.*Put quotes around"),
    "short row far down": (LONG + b"7\n", r"line 400002: 1 values found, 2 expected"),
    "row after a long text": ('a,b\n1,"x\ny\nz"\n2\n', r"line 5: 1 values found"),
    "ragged by separator": ("a;b,c;d\n1;2;3\n4,1;5;2\n", r"line 2: .*Pass separator=';'"),
    "open quote": ('a,b\n1,"x\n2,y\n3,z\n', r"line 2: a quote that is opened there"),
    "empty": ("", r"is empty"),
    "blank lines": ("\n  \n\n", r"is empty"),
    "an empty quote": ('""\n', r"is empty"),
    "a name without end": ('"' + "x" * 200_000 + "\n", r"line 1: field larger than"),
    "uneven for a pattern": ("a  b\n1 2 3\n4 5\n6 7 8 9\n", r"cannot be cut into columns"),
    "only a mark": (b"\xef\xbb\xbf\n", r"is empty"),
    "header only": ("a,b,c\n", r"a header with 3 columns but no rows"),
    "repeated columns": ("a,b,a\n1,2,3\n", r"repeated: 'a' \(columns 1, 3\)"),
    "windows text": ("a,b\n1,café\n".encode("cp1252"), r"line 2: byte 0xe9 at position 6 .*1252'"),
    "late windows text": (LONG + b"1,caf\xe9\n", r"line 400002: byte 0xe9 at position 6"),
    "latin text": (b"a\nx\x81\xe9\n", r"line 2: byte 0x81 .*encoding='latin1'"),
    "utf16": ("a,b\n1,2\n".encode("utf-16"), r"mark of UTF16. Pass encoding='utf16'"),
    "utf32": ("a,b\n1,2\n".encode("utf-32"), r"mark of UTF32. Pass encoding='utf32'"),
    "NUL": (b"a,b\n1,2\n3,\x004\n", r"line 3: there is a NUL byte"),
    "late NUL": (LONG + b"3,\x004\n", r"line 400002: there is a NUL byte"),
    "cut gzip": (gzip.compress(LONG)[:-400], r"is cut off: its gzip data ends early"),
    "bad gzip": (gzip.compress(b"a,b\n1,2\n")[:-8] + b"12345678", r"is damaged: its gzip data"),
    "parquet": (b"PAR1....", r"is a Parquet file; use .*from_parquet_files"),
    "excel": (b"PK\x03\x04....", r"an Excel workbook.*pandas.read_excel"),
    "web page": ("<!DOCTYPE html>\n<html></html>", r"is a web page.*'Raw'"),
    "too wide": (",".join(f"c{i}" for i in range(100_001)) + "\n", r"line 1: 100,001 columns"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_named_with_its_place_and_remedy(write: Write, case: str) -> None:
    content, expected = BAD[case]
    path = write("bad.csv", content)
    separator = r"\s+" if "pattern" in case else ","

    with pytest.raises(DatasetError) as caught:
        read(path, separator=separator).to_pandas_dataframe()

    assert str(caught.value).startswith(path)
    assert re.search(expected, str(caught.value))


def test_text_that_is_not_utf_16_is_named(write: Write) -> None:
    with pytest.raises(DatasetError, match=r"a.csv is not utf-16.*Pass encoding='utf8'"):
        read(write("a.csv", "a,b\n1,2\n3,4\n"), encoding="utf16")


def test_a_file_that_ends_within_a_character_is_named(write: Write) -> None:
    with pytest.raises(DatasetError, match="cut off in the middle of a character"):
        read(write("a.csv", "a\né".encode()[:-1]))


def test_a_message_has_no_traceback_in_a_notebook(write: Write) -> None:
    with pytest.raises(DatasetError) as caught:
        read(write("bad.csv", ""))

    assert caught.value._render_traceback_() == [f"DatasetError: {caught.value}"]


def test_mistakes_show_when_the_dataset_is_made(write: Write) -> None:
    with pytest.raises(DatasetError, match="separator"):
        read(write("a.csv", "a;b\n1;2\n"))


def test_without_validation_mistakes_show_at_the_first_reading(write: Write) -> None:
    dataset = read(write("a.csv", "a;b\n1;2\n"), validate=False)

    with pytest.raises(DatasetError, match="separator"):
        dataset.to_pandas_dataframe()


def test_a_missing_file_brings_the_closest_name_and_the_folder(write: Write) -> None:
    there = write("sales.csv", "a\n1\n")

    with pytest.raises(DatasetError) as caught:
        read(there.replace("sales", "slaes"))

    assert "Did you mean 'sales.csv'?" in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=f"There is no folder {tmp_path}/nowhere"):
        read(f"{tmp_path}/nowhere/a.csv")


def test_a_pattern_without_a_match_shows_what_is_there(write: Write) -> None:
    folder = Path(write("sales.csv", "a\n1\n")).parent

    with pytest.raises(DatasetError, match=r"No file matches .*\*\.tsv.*holds: sales.csv"):
        read(f"{folder}/*.tsv")


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()

    with pytest.raises(DatasetError, match="void holds no files"):
        read(str(tmp_path / "void"))


def test_files_with_other_columns_are_named(write: Write) -> None:
    write("d/a.csv", "price,n\n1,2\n")
    folder = Path(write("d/b.csv", "prise,n\n1,2\n")).parent

    with pytest.raises(DatasetError, match=r"b.csv has other columns.*lacks 'price', adds 'prise'"):
        read(f"{folder}/*.csv")


def test_a_second_file_without_header_must_be_as_wide_as_the_first(write: Write) -> None:
    paths = [write("a.csv", "x,y\n1,2\n"), write("b.csv", "3,4,5\n")]

    with pytest.raises(DatasetError, match=r"b.csv, line 1: 3 values found, 2 expected"):
        read(paths, header=PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS)


@pytest.mark.parametrize("path", ["", [], None, 7, [None]])
def test_a_path_that_is_none_is_refused(path: object) -> None:
    with pytest.raises(ConfigError, match="path"):
        read(path)  # type: ignore[arg-type]


def test_a_bad_line_of_json_is_named(write: Write) -> None:
    path = write("a.json", '{"a": 1}\nnot json\n')

    with pytest.raises(DatasetError, match=r"a.json, line 2: no JSON object: 'not json'"):
        Dataset.Tabular.from_json_lines_files(path)


def test_text_is_no_parquet(write: Write) -> None:
    with pytest.raises(DatasetError, match=r"a.parquet is no Parquet file.*from_delimited_files"):
        Dataset.Tabular.from_parquet_files(write("a.parquet", "a,b\n1,2\n"))
