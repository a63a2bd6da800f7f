from __future__ import annotations

import gzip
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest

from nbautoml.data.readers import BUILTINS, READERS
from nbautoml.data.readers.base import LocalFile, Reader
from nbautoml.data.readers.delimited import DELIMITED
from nbautoml.data.readers.json_lines import JSON_LINES
from nbautoml.data.readers.layout import guess_separator
from nbautoml.data.readers.parquet import PARQUET
from nbautoml.data.readers.text import accept_encoding, read_head
from nbautoml.errors import ConfigError, DatasetError
from nbautoml.testing.reader_contract import ReaderContract, sample_frame


class TestDelimited(ReaderContract):
    reader: ClassVar[Reader] = DELIMITED

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        frame.to_csv(path, index=False)


class TestDelimitedCompressedTabs(ReaderContract):
    reader: ClassVar[Reader] = DELIMITED
    options: ClassVar = {"separator": "\t", "encoding": "utf16"}

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        text = frame.to_csv(index=False, sep="\t")
        path.write_bytes(gzip.compress(text.encode("utf-16")))


class TestParquet(ReaderContract):
    reader: ClassVar[Reader] = PARQUET

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        frame.to_parquet(path)


class TestJsonLines(ReaderContract):
    reader: ClassVar[Reader] = JSON_LINES

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        frame.to_json(path, orient="records", lines=True)


def test_a_suite_fails_for_a_reader_that_ignores_the_limit(tmp_path: Path) -> None:
    class Broken(TestDelimited):
        class reader:  # noqa: N801 - stands for an object
            accept_options = staticmethod(DELIMITED.accept_options)
            read = staticmethod(lambda *_: sample_frame())

    path = tmp_path / "a.csv"
    sample_frame().to_csv(path, index=False)
    with pytest.raises(AssertionError):
        Broken().test_a_limit_gives_the_leading_rows(path, 1)


def test_every_built_in_reader_can_be_loaded() -> None:
    for name in BUILTINS:
        assert callable(READERS.get(name).read)


@pytest.mark.parametrize(
    ("lines", "separator", "expected"),
    [
        (["a;b", "1,5;2"], ",", ";"),
        (["a\tb", "1\t2"], ",", "\t"),
        (["a|b|c", "1|2|3"], ",", "|"),
        (["a,b", "1,2"], ";", ","),
        (["text", "one; two", "three"], ",", None),
        (["a", "1"], ",", None),
    ],
)
def test_a_separator_is_guessed_when_all_lines_agree(
    lines: list[str], separator: str, expected: str | None
) -> None:
    assert guess_separator(lines, separator) == expected


@pytest.mark.parametrize(
    ("name", "codec"),
    [("utf8", "utf-8-sig"), ("UTF-8", "utf-8-sig"), ("iso88591", "iso8859-1"), ("cp500", "cp500")],
)
def test_encodings_have_the_sdk_s_and_python_s_names(name: str, codec: str) -> None:
    assert accept_encoding(name) == codec


def test_an_unknown_encoding_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigError, match="windows1252.*'klingon'"):
        accept_encoding("klingon")


def test_accepted_encodings_are_accepted_again() -> None:
    assert {accept_encoding(accept_encoding(n)) for n in ("utf8", "utf16", "latin1")} == {
        "utf-8-sig",
        "utf-16",
        "iso8859-1",
    }


def test_the_memory_stays_bounded_when_there_is_no_line_end(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as stream:
        for _ in range(20):
            stream.write(b"x," * (1 << 19))
    with pytest.raises(DatasetError, match="line 1: no line end in the first 16 MB"):
        read_head(LocalFile(path=path, label="long.csv"))
