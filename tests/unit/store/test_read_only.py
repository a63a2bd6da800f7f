"""A workspace on a full or read-only disk can be looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.errors import DiskFullError, ReadOnlyStoreError, StoreError
from nbautoml.runs.recovery import recover_runs
from nbautoml.store import read_only as subject
from nbautoml.store.read_only import ReadOnlyEngine, cannot_be_written
from nbautoml.store.session import create_session, open_session
from nbautoml.workspace.config_file import address_for

needs_mount = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting a disk needs root"
)


def mount(place: Path, options: str) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount(place, "size=8m")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def make(folder: Path) -> None:
    with create_session(address_for("w", folder)) as session:
        with session.write() as tx:
            tx.experiments.get_or_create("mine")
        session.save_artifact("run", "a.txt", b"content")


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def check_it_can_be_read(folder: Path) -> None:
    with open_session(address_for("w", folder)) as session:
        with session.read() as tx:
            assert [e.name for e in tx.experiments.list()] == ["mine"]
        assert session.load_artifact("run", "a.txt").read_bytes() == b"content"
        assert recover_runs(session) == []
        with pytest.raises((ReadOnlyStoreError, DiskFullError)), session.write() as tx:
            for number in range(1000):
                tx.experiments.get_or_create(f"another-{number}")
        with pytest.raises(StoreError):
            session.save_artifact("run", "b.txt", b"more" * 10_000)


@needs_mount
def test_a_workspace_on_a_full_disk(disk: Path) -> None:
    make(disk)
    fill(disk / "hog")

    check_it_can_be_read(disk)


@needs_mount
def test_a_workspace_on_a_read_only_disk(disk: Path) -> None:
    make(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

    assert cannot_be_written(disk)
    check_it_can_be_read(disk)


def test_a_copy_has_what_was_committed_last_and_is_removed(tmp_path: Path) -> None:
    with create_session(address_for("w", tmp_path)) as session:
        with session.write() as tx:
            tx.experiments.get_or_create("in the log of the database")
        file = session.engine.database_file
        assert file is not None
        engine = ReadOnlyEngine(file)
        with engine.read() as connection:
            names = connection.exec_driver_sql("SELECT name FROM experiments").scalars().all()
        copy = engine._path
        engine.close()

    assert list(names) == ["in the log of the database"]
    assert engine.is_read_only
    assert str(file) in engine.display_url
    assert not copy.exists()


def test_no_room_for_a_copy_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(subject.shutil, "copyfile", fail)
    with pytest.raises(StoreError, match="no room elsewhere"):
        ReadOnlyEngine(tmp_path / ".nbautoml" / "workspace.db")


def test_a_folder_that_can_be_written_is_known(tmp_path: Path) -> None:
    assert not cannot_be_written(tmp_path)
    assert not cannot_be_written(tmp_path / "missing")
