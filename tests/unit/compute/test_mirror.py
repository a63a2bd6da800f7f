"""Copies of data on another machine: fetched once, checked, shared, and thrown away by size."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nbautoml.compute import mirror as subject
from nbautoml.compute.mirror import Mirror
from nbautoml.errors import ComputeError, StoppedError

PIECE = 4


class Owner:
    """The machine that has the files; counts what it is asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[tuple[str, int]] = []
        self.wrong: dict[str, int] = {}

    def fetch(self, name: str, offset: int) -> bytes:
        self.asked.append((name, offset))
        if not name:
            entries = [
                {"name": n, "size": len(c), "sha256": hashlib.sha256(c).hexdigest()}
                for n, c in self.files.items()
            ]
            return json.dumps(entries).encode()
        if self.wrong.get(name, 0) > 0:
            self.wrong[name] -= 1
            return b"?" * len(self.files[name][offset : offset + PIECE])
        return self.files[name][offset : offset + PIECE]


@pytest.fixture
def owner() -> Owner:
    return Owner({"y.npy": b"0123456789", "spec.json": b"{}", "empty": b""})


def test_files_come_in_pieces_and_are_whole(owner: Owner, tmp_path: Path) -> None:
    with Mirror(tmp_path).folder("k", owner.fetch) as folder:
        found = {path.name: path.read_bytes() for path in folder.iterdir()}

    assert found == owner.files
    assert [offset for name, offset in owner.asked if name == "y.npy"] == [0, 4, 8]


def test_a_folder_is_fetched_once_for_all_who_want_it(owner: Owner, tmp_path: Path) -> None:
    both_inside = threading.Barrier(2, timeout=30)

    def use() -> None:
        with Mirror(tmp_path).folder("k", owner.fetch) as folder:
            assert (folder / "y.npy").read_bytes() == b"0123456789"
            both_inside.wait()  # one does not wait for the other to be done

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert owner.asked.count(("", 0)) == 1


def test_what_a_lost_worker_fetched_is_not_fetched_again(owner: Owner, tmp_path: Path) -> None:
    draft = tmp_path / "k.part"
    draft.mkdir()
    (draft / "y.npy").write_bytes(b"01234567")
    with Mirror(tmp_path).folder("k", owner.fetch) as folder:
        assert (folder / "y.npy").read_bytes() == b"0123456789"

    assert [offset for name, offset in owner.asked if name == "y.npy"] == [8]


def test_a_piece_that_came_wrong_is_fetched_again(owner: Owner, tmp_path: Path) -> None:
    owner.wrong["y.npy"] = 1
    with Mirror(tmp_path).folder("k", owner.fetch) as folder:
        assert (folder / "y.npy").read_bytes() == b"0123456789"


def test_a_file_that_stays_wrong_is_named_and_not_used(owner: Owner, tmp_path: Path) -> None:
    owner.wrong["y.npy"] = 100
    with (
        pytest.raises(ComputeError, match=r"y\.npy came with another content"),
        Mirror(tmp_path).folder("k", owner.fetch),
    ):
        raise AssertionError("it was used")

    assert not (tmp_path / "k").exists()


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", ""])
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    owner = Owner({name: b"x"})
    with (
        pytest.raises(ComputeError, match="cannot be kept"),
        Mirror(tmp_path).folder("k", owner.fetch),
    ):
        raise AssertionError("it was used")


def keep(mirror: Mirror, *keys: str, size: int) -> None:
    for key in keys:
        with mirror.folder(key, Owner({"f": bytes(size)}).fetch):
            pass
        time.sleep(0.01)  # they are told apart by when they were used


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path, limit_bytes=250)
    keep(mirror, "a", "b", size=100)
    keep(mirror, "a", size=100)
    keep(mirror, "c", size=100)

    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"a", "c"}
    assert mirror.used_bytes() == 200


def test_what_is_in_use_is_kept_whatever_the_limit(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path, limit_bytes=150)
    with mirror.folder("a", Owner({"f": bytes(100)}).fetch) as folder:
        keep(mirror, "b", size=100)
        assert (folder / "f").is_file()

    assert (tmp_path / "b").is_dir()


def test_a_disk_that_is_too_small_is_named(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage: Callable[[Path], object] = lambda _path: type("Usage", (), {"free": 5})  # noqa: E731
    monkeypatch.setattr(subject.shutil, "disk_usage", usage)
    with (
        pytest.raises(ComputeError, match="NBAUTOML_DATA_FOLDER"),
        Mirror(tmp_path).folder("k", owner.fetch),
    ):
        raise AssertionError("it was used")


def test_whoever_waits_for_another_can_be_stopped(owner: Owner, tmp_path: Path) -> None:
    is_fetching, may_end = threading.Event(), threading.Event()

    def slow(name: str, offset: int) -> bytes:
        is_fetching.set()
        assert may_end.wait(30)
        return owner.fetch(name, offset)

    def stop() -> None:
        raise StoppedError("nobody wants it")

    def use() -> None:
        with Mirror(tmp_path).folder("k", slow):
            pass

    first = threading.Thread(target=use)
    first.start()
    assert is_fetching.wait(30)
    with pytest.raises(StoppedError), Mirror(tmp_path).folder("k", owner.fetch, stop):
        raise AssertionError("it was used")
    may_end.set()
    first.join(30)
