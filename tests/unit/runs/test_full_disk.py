"""A run on a disk that is full ends with a reason, and writes that down."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import DiskFullError, StoreError
from nbautoml.runs import controller as subject
from nbautoml.runs.ballast import BALLAST_BYTES, Ballast
from nbautoml.runs.controller import control, run_folder
from nbautoml.runs.work import Ending, WorkContext
from nbautoml.store.artifacts import Blob
from nbautoml.store.records.groups import Writer
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for


class FillingWork:
    """Fills the disk of the session that runs it."""

    error: ClassVar[Exception] = DiskFullError("full")

    def __init__(self, context: WorkContext) -> None:
        self._context = context

    def run(self) -> Ending:
        session = self._context.session
        assert isinstance(session, Small)
        assert session.ballast.stat().st_size == BALLAST_BYTES
        session.is_full = True
        raise self.error


class Small(Session):
    """Cannot be written once its disk is full, unless the ballast has been dropped."""

    is_full = False
    n_refused = 0

    @property
    def ballast(self) -> Path:
        return run_folder(self, "run") / "ballast"

    @contextmanager
    def write(self, *, is_durable: bool = False) -> Iterator[Writer]:
        if self.is_full and self.ballast.exists():
            self.n_refused += 1
            raise DiskFullError("The store could not be used: database or disk is full.")
        with super().write(is_durable=is_durable) as tx:
            yield tx


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Small]:
    real = create_session(address_for("w", tmp_path))
    with real.write() as tx:
        tx.experiments.get_or_create("e")
        record = RunRecord(
            id="run",
            experiment="e",
            type="t",
            status=RunStatus.NOT_STARTED,
            created_at=time.time(),
        )
        tx.runs.create(record)
    run_folder(real, "run").mkdir(parents=True)
    session = Small(real.address, real.engine, real._blobs)
    yield session
    session.close()


@pytest.mark.parametrize(
    "error", [DiskFullError("full"), OSError(errno.ENOSPC, "No space left on device")]
)
def test_the_end_is_written_with_the_space_that_was_held_back(
    session: Small, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FillingWork, "error", error)
    monkeypatch.setattr(subject, "_PAUSE_SECONDS", 0.01)
    works = SimpleNamespace(get=lambda kind: FillingWork)
    monkeypatch.setattr(subject, "WORKS", works)

    assert control(session, "run") == 0

    with session.read() as tx:
        run = tx.runs.get("run")
        last = tx.events.read("run")[-1].event
    assert session.n_refused > 0
    assert run.status is RunStatus.FAILED
    assert "no space left on the disk" in run.reason
    assert "Finished models are kept" in getattr(last, "reason", "")


def test_files_that_do_not_fit_are_told_by_their_own_error(
    session: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: Path | bytes) -> Blob:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(session._blobs, "put", fail)
    with pytest.raises(DiskFullError, match="Check the free space"):
        session.save_artifact("run", "a.txt", b"x")

    def refuse(source: Path | bytes) -> Blob:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(session._blobs, "put", refuse)
    with pytest.raises(StoreError) as caught:
        session.save_artifact("run", "a.txt", b"x")
    assert not isinstance(caught.value, DiskFullError)


def test_ballast_without_a_place_does_nothing(tmp_path: Path) -> None:
    with Ballast(tmp_path / "missing") as ballast:
        ballast.drop()
        ballast.drop()

    assert not ballast.path.exists()
