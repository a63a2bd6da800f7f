"""What has come or changed at a path of a datastore."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.errors import DatasetError
from nbautoml.pipelines import watched_path
from nbautoml.pipelines.watched_path import as_json, from_json, look, newest_change
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import open_memory_session


@pytest.fixture
def datastore(tmp_path: Path) -> Iterator[Datastore]:
    with open_memory_session(root=str(tmp_path)) as session:
        yield Datastore.register(WorkspaceHandle(session), "blobs", str(tmp_path / "blobs"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "blobs" / "in"
    folder.mkdir(parents=True)
    return folder


def write(path: Path, text: str, time: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time, time))


def test_files_are_found_at_any_depth(datastore: Datastore, folder: Path) -> None:
    write(folder / "a.csv", "1", 10.0)
    write(folder / "b" / "c.csv", "2", 20.0)
    write(folder.parent / "other.csv", "3", 30.0)

    assert set(look(datastore, "in")) == {"in/a.csv", "in/b/c.csv"}
    assert set(look(datastore, "")) == {"in/a.csv", "in/b/c.csv", "other.csv"}
    assert set(look(datastore, "in/a.csv")) == {"in/a.csv"}


def test_a_place_that_is_not_there_has_no_files(datastore: Datastore) -> None:
    assert look(datastore, "nothing/here") == {}


def test_the_newest_of_several_changes_counts(datastore: Datastore, folder: Path) -> None:
    write(folder / "a.csv", "1", 10.0)
    write(folder / "b.csv", "1", 11.0)
    before = look(datastore, "in")
    write(folder / "a.csv", "2", 30.0)
    write(folder / "c.csv", "1", 20.0)

    assert newest_change(before, look(datastore, "in")) == "in/a.csv"
    assert newest_change(before, before) is None


def test_a_file_that_was_touched_or_grew_has_changed(datastore: Datastore, folder: Path) -> None:
    write(folder / "a.csv", "1", 10.0)
    before = look(datastore, "in")
    write(folder / "a.csv", "12", 10.0)
    grown = look(datastore, "in")
    write(folder / "a.csv", "12", 11.0)

    assert newest_change(before, grown) == "in/a.csv"
    assert newest_change(grown, look(datastore, "in")) == "in/a.csv"


def test_a_file_that_is_gone_is_no_change(datastore: Datastore, folder: Path) -> None:
    write(folder / "a.csv", "1", 10.0)
    before = look(datastore, "in")
    (folder / "a.csv").unlink()

    assert newest_change(before, look(datastore, "in")) is None


def test_a_listing_comes_back_from_json(datastore: Datastore, folder: Path) -> None:
    write(folder / "a.csv", "1", 10.25)
    found = look(datastore, "in")

    assert from_json(as_json(found)) == found


def test_too_many_files_are_refused(
    datastore: Datastore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_path, "MAX_FILES", 1)
    write(folder / "a.csv", "1", 10.0)
    write(folder / "b.csv", "1", 10.0)

    with pytest.raises(DatasetError, match="blobs/in has 2 files.*folder below"):
        look(datastore, "in")


def test_a_place_that_cannot_be_reached_is_told(
    datastore: Datastore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_place: str) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(watched_path, "_find", fail)

    with pytest.raises(DatasetError, match="blobs/in cannot be looked at: not yours"):
        look(datastore, "in")


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"size": 3, "mtime": 5.5}, ("3-5.5", 5.5)),
        ({"size": 3, "ETag": "abc"}, ("3-abc", 0.0)),
        ({"size": 3}, ("3-", 0.0)),
        (
            {"size": 3, "LastModified": datetime(1970, 1, 2, tzinfo=UTC)},
            ("3-1970-01-02 00:00:00+00:00", 86_400.0),
        ),
    ],
)
def test_each_kind_of_storage_has_a_mark(
    info: dict[str, object], expected: tuple[str, float]
) -> None:
    assert watched_path._mark(info) == expected
