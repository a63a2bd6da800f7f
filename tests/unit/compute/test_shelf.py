"""What an owner gives away of its files, how a worker asks, and how files come back."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nbautoml.compute import courier as courier_module
from nbautoml.compute.courier import MAILBOX, Courier, Mailbox, deliver
from nbautoml.compute.shelf import PIECE_BYTES, Shelf
from nbautoml.compute.staging import lend_out_folder, read_files, write_files
from nbautoml.compute.task_folders import NOT_SHARED_VARIABLE, TaskFolders
from nbautoml.errors import ComputeError, NotFoundError, StoppedError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "matrices").mkdir(parents=True)
    (folder / "y.npy").write_bytes(b"numbers")
    (folder / ".draft").write_bytes(b"half")
    (folder / "matrices" / "x.npy").write_bytes(b"made by a trial")
    return folder


def test_the_list_has_the_files_of_the_folder_alone(folder: Path) -> None:
    shelf = Shelf()
    folders = shelf.place(folder, None)

    listed = json.loads(shelf.read(folders.key, "", 0))

    digest = hashlib.sha256(b"numbers").hexdigest()
    assert listed == [{"name": "y.npy", "size": 7, "sha256": digest}]
    assert (folders.reads, folders.writes) == (str(folder), "")


def test_pieces_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(PIECE_BYTES + 10))
    shelf = Shelf()
    key = shelf.place(tmp_path, None).key

    assert len(shelf.read(key, "large", 0)) == PIECE_BYTES
    assert len(shelf.read(key, "large", PIECE_BYTES)) == 10
    assert shelf.read(key, "large", PIECE_BYTES + 10) == b""


@pytest.mark.parametrize("name", ["../secret", "matrices/x.npy", ".draft", "/etc/passwd"])
def test_nothing_else_is_given_away(folder: Path, name: str) -> None:
    shelf = Shelf()
    key = shelf.place(folder, None).key
    with pytest.raises(NotFoundError):
        shelf.read(key, name, 0)
    with pytest.raises(NotFoundError):
        shelf.read("another key", "y.npy", 0)


def test_a_folder_keeps_its_key_and_is_known_by_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf()
    folders = shelf.place(folder, folder / "out")

    assert shelf.place(folder, None).key == folders.key
    assert folders.is_seen()
    assert not TaskFolders(key="other", reads=str(folder), writes="").is_seen()
    monkeypatch.setenv(NOT_SHARED_VARIABLE, "1")
    assert not folders.is_seen()


def courier(send: Any, *, is_wanted: bool = True) -> tuple[Courier, SimpleNamespace]:
    worker = SimpleNamespace(**{MAILBOX: Mailbox()})
    made = Courier(
        getattr(worker, MAILBOX),
        lambda ask: send(worker, ask),
        address="tcp://w",
        shelf="key",
        is_wanted=lambda: is_wanted,
    )
    return made, worker


def test_an_answer_reaches_whoever_asked() -> None:
    def send(worker: Any, ask: dict[str, Any]) -> None:
        assert (ask["worker"], ask["shelf"], ask["name"], ask["offset"]) == (
            "tcp://w",
            "key",
            "y.npy",
            8,
        )
        given = (ask["ticket"], b"data", "")
        threading.Thread(target=deliver, args=given, kwargs={"dask_worker": worker}).start()

    assert courier(send)[0].fetch("y.npy", 8) == b"data"


def test_a_question_that_was_lost_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "ASK_SECONDS", 0.05)
    monkeypatch.setattr(courier_module, "_LOOK_SECONDS", 0.01)
    asked: list[str] = []

    def send(worker: Any, ask: dict[str, Any]) -> None:
        asked.append(ask["ticket"])
        if len(asked) == 2:
            deliver(asked[0], b"late", "", dask_worker=worker)
            deliver(ask["ticket"], b"data", "", dask_worker=worker)

    assert courier(send)[0].fetch("y.npy", 0) == b"data"


def test_no_answer_and_bad_answers_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(courier_module, "_LOOK_SECONDS", 0.005)
    with pytest.raises(ComputeError, match=r"did not send y\.npy"):
        courier(lambda worker, ask: None)[0].fetch("y.npy", 0)

    def refuse(worker: Any, ask: dict[str, Any]) -> None:
        deliver(ask["ticket"], b"", "no such file", dask_worker=worker)

    with pytest.raises(ComputeError, match="could not be fetched: no such file"):
        courier(refuse)[0].fetch("y.npy", 0)
    with pytest.raises(StoppedError):
        courier(lambda worker, ask: None, is_wanted=False)[0].fetch("y.npy", 0)


def test_files_of_a_task_come_back(tmp_path: Path) -> None:
    with lend_out_folder(tmp_path) as out:
        (out / "fold0.npy").write_bytes(b"predictions")
        (out / ".fold1.npy").write_bytes(b"half")
        files = read_files(out)
    write_files(tmp_path / "trials" / "3", files)

    assert not out.exists()
    found = {p.name: p.read_bytes() for p in (tmp_path / "trials" / "3").iterdir()}
    assert found == {"fold0.npy": b"predictions"}


@pytest.mark.parametrize("name", ["../x", "/etc/x", ".x"])
def test_a_worker_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(ComputeError, match="not kept"):
        write_files(tmp_path, {name: b"x"})
