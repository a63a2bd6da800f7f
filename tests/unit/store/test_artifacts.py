"""Where content is kept, and what happens when it is not what it was."""

from __future__ import annotations

import os
import stat
import time
import uuid
from pathlib import Path

import fsspec
import pytest

from nbautoml.errors import StoreError
from nbautoml.store.artifacts import Blob, BlobStore, check_name, open_blobs


@pytest.fixture(params=["folder", "file url", "remote"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return {
        "folder": "files",
        "file url": f"file://{tmp_path}/files",
        "remote": f"memory://{uuid.uuid4().hex}",
    }[request.param]


@pytest.fixture
def blobs(root: str, tmp_path: Path) -> BlobStore:
    return open_blobs(root, base=tmp_path, cache=tmp_path / "cache")


def test_content_comes_back(blobs: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"abc" * 1_000_000)
    blob = blobs.put(tmp_path / "source")

    assert blobs.fetch(blob).read_bytes() == b"abc" * 1_000_000
    assert blobs.put(b"abc" * 1_000_000) == blob
    assert blob.uri == f"blobs/{blob.sha256[:2]}/{blob.sha256}"
    assert (tmp_path / "source").exists()


def test_empty_content_is_content(blobs: BlobStore) -> None:
    assert blobs.fetch(blobs.put(b"")).read_bytes() == b""


def test_a_hash_leads_nowhere_else(blobs: BlobStore) -> None:
    blob = blobs.put(b"content")

    with pytest.raises(StoreError, match="not where"):
        blobs.fetch(Blob(uri="../../etc/passwd", size_bytes=7, sha256=blob.sha256))


def test_content_that_is_gone_is_told(blobs: BlobStore) -> None:
    blob = Blob(uri=f"blobs/aa/{'a' * 64}", size_bytes=1, sha256="a" * 64)

    with pytest.raises(StoreError, match="gone"):
        blobs.fetch(blob)


def test_damaged_content_is_refused_and_mended_by_storing_it_again(tmp_path: Path) -> None:
    blobs = open_blobs("files", base=tmp_path, cache=tmp_path / "cache")
    blob = blobs.put(b"content")
    stored = tmp_path / "files" / blob.uri
    stored.chmod(0o644)
    stored.write_bytes(b"c0ntent")

    with pytest.raises(StoreError, match="damaged"):
        blobs.fetch(blob)
    blobs.put(b"content")
    assert blobs.fetch(blob).read_bytes() == b"content"


def test_damaged_content_from_elsewhere_is_refused(tmp_path: Path) -> None:
    root = f"memory://{uuid.uuid4().hex}"
    blobs = open_blobs(root, base=tmp_path, cache=tmp_path / "cache")
    blob = blobs.put(b"content")
    with fsspec.open(f"{root}/{blob.uri}", "wb") as remote:
        remote.write(b"c0ntent")

    with pytest.raises(StoreError, match="damaged"):
        blobs.fetch(blob)
    assert not any(p.is_file() for p in (tmp_path / "cache").rglob("*"))


def test_a_damaged_cache_is_filled_again(tmp_path: Path) -> None:
    blobs = open_blobs(f"memory://{uuid.uuid4().hex}", base=tmp_path, cache=tmp_path / "cache")
    blob = blobs.put(b"content")
    cached = blobs.fetch(blob)
    cached.chmod(0o644)
    cached.write_bytes(b"c0ntent")

    assert blobs.fetch(blob).read_bytes() == b"content"


def test_a_cached_file_needs_no_other_place(tmp_path: Path) -> None:
    root = f"memory://{uuid.uuid4().hex}"
    blobs = open_blobs(root, base=tmp_path, cache=tmp_path / "cache")
    blob = blobs.put(b"content")
    blobs.fetch(blob)
    system, path = fsspec.core.url_to_fs(root)
    system.rm(path, recursive=True)

    assert blobs.fetch(blob).read_bytes() == b"content"


def test_stored_files_are_read_only_and_leave_nothing_behind(tmp_path: Path) -> None:
    blobs = open_blobs("files", base=tmp_path, cache=tmp_path / "cache")
    path = blobs.fetch(blobs.put(b"content"))

    assert path.stat().st_mode & 0o222 == 0
    assert list((tmp_path / "files" / "tmp").iterdir()) == []


def test_a_file_is_flushed_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    flush, rename = os.fsync, Path.replace

    def note_flush(descriptor: int) -> None:
        steps.append("flush folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "flush file")
        flush(descriptor)

    def note_rename(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    monkeypatch.setattr("nbautoml.store.artifacts.os.fsync", note_flush)
    monkeypatch.setattr(Path, "replace", note_rename)
    blobs = open_blobs("files", base=tmp_path, cache=tmp_path / "cache")
    blobs.put(b"content")
    made = ["flush folder", "flush folder"]  # the folders of all files, once
    assert steps == [*made, "flush file", "rename", "flush folder"]

    blobs.put(b"other content")
    assert steps[5:] == ["flush file", "rename", "flush folder"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    blobs = open_blobs("files", base=tmp_path, cache=tmp_path / "cache")
    monkeypatch.setattr("nbautoml.store.artifacts.os.fsync", fail)

    with pytest.raises(OSError, match="No space"):
        blobs.put(b"content")
    assert not any(p.is_file() for p in (tmp_path / "files").rglob("*"))


def test_left_overs_are_swept_and_work_in_progress_is_not(tmp_path: Path) -> None:
    temporary = tmp_path / "files" / "tmp"
    temporary.mkdir(parents=True)
    (temporary / "old").touch()
    (temporary / "new").touch()
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(temporary / "old", (long_ago, long_ago))

    open_blobs("files", base=tmp_path, cache=tmp_path / "cache")

    assert [p.name for p in temporary.iterdir()] == ["new"]


def test_an_unknown_protocol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing-known"):
        open_blobs("nothing-known://x", base=tmp_path, cache=tmp_path)


@pytest.mark.parametrize("name", ["a", "outputs/model.pkl", "..a", "a..b/c", "ünï/code x.txt"])
def test_ordinary_names_are_taken(name: str) -> None:
    assert check_name(name) == name
