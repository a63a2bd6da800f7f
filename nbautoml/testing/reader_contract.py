"""What every reader must do: the suite that the built-in readers pass; needs pytest.

Subclass the suite in a test module, name the reader, and say how a file of its format is made::

    class TestMyReader(ReaderContract):
        reader = MyReader()

        def write(self, frame: pd.DataFrame, path: Path) -> None:
            frame.to_my_format(path)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar  # Any: reader options

import pandas as pd
import pytest

from nbautoml.data.readers.base import LocalFile, Reader, ReadRequest
from nbautoml.errors import ConfigError, DatasetError

LABEL = "the file's own name"


def sample_frame() -> pd.DataFrame:
    """Return rows that every format can hold: whole numbers, numbers, text, missing values."""
    return pd.DataFrame(
        {
            "n": [1, 2, 3, 4],
            "x": [0.5, None, -2.25, 1e9],
            "word": ["a", "b, c", None, "é 漢"],
        }
    )


class ReaderContract:
    """Behaviour of a reader; one reason to fail a test."""

    reader: ClassVar[Reader]
    options: ClassVar[Mapping[str, Any]] = {}

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        """Write a frame in the reader's format."""
        raise NotImplementedError

    def read(self, path: Path, request: ReadRequest | None = None) -> pd.DataFrame:
        """Read a file with the suite's options."""
        options = self.reader.accept_options(self.options)
        file = LocalFile(path=path, label=LABEL)
        return self.reader.read(file, options, request or ReadRequest())

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Return the path of a file with the sample rows."""
        path = tmp_path / "sample"
        self.write(sample_frame(), path)
        return path

    def test_rows_and_columns_come_back_in_order(self, path: Path) -> None:
        pd.testing.assert_frame_equal(self.read(path), sample_frame(), check_dtype=False)

    def test_rows_are_counted_from_zero(self, path: Path) -> None:
        assert list(self.read(path).index) == [0, 1, 2, 3]

    def test_column_names_are_text(self, path: Path) -> None:
        assert [type(name) for name in self.read(path).columns] == [str, str, str]

    @pytest.mark.parametrize("limit", [1, 3, 100])
    def test_a_limit_gives_the_leading_rows(self, path: Path, limit: int) -> None:
        found = self.read(path, ReadRequest(limit=limit))

        assert found["n"].tolist() == [1, 2, 3, 4][:limit]

    def test_reading_twice_gives_the_same(self, path: Path) -> None:
        pd.testing.assert_frame_equal(self.read(path), self.read(path))

    def test_reading_leaves_the_file_as_it_was(self, path: Path) -> None:
        before = path.read_bytes()
        self.read(path)

        assert path.read_bytes() == before

    def test_options_are_complete_and_survive_json(self) -> None:
        accepted = self.reader.accept_options(self.options)

        assert self.reader.accept_options(json.loads(json.dumps(accepted))) == accepted

    def test_an_unknown_option_is_refused_by_name(self) -> None:
        with pytest.raises(ConfigError, match="no_such_option"):
            self.reader.accept_options({**self.options, "no_such_option": 1})

    def test_an_empty_file_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        path = tmp_path / "empty"
        path.write_bytes(b"")
        with pytest.raises(DatasetError, match=LABEL):
            self.read(path)

    def test_a_file_of_noise_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        path = tmp_path / "noise"
        path.write_bytes(bytes(range(256)) * 64)
        with pytest.raises(DatasetError, match=LABEL):
            self.read(path)
