"""Waiting for a store that does not answer, and events that are kept once all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nbautoml.domain.events import LogWritten, StatusChanged
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import StoreError, StoreUnavailableError
from nbautoml.store import patience
from nbautoml.store.events import EventWriter
from nbautoml.store.patience import patiently
from nbautoml.store.records.groups import Writer
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for

END = StatusChanged(status=RunStatus.COMPLETED)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_PAUSE_SECONDS", 0.01)


class Shaky(Session):
    """A session whose next writes fail, before the commit or after it."""

    before = 0
    after = 0

    @contextmanager
    def write(self, *, is_durable: bool = False) -> Iterator[Writer]:
        if self.before:
            self.before -= 1
            raise StoreUnavailableError("away")
        with super().write(is_durable=is_durable) as tx:
            yield tx
        if self.after:  # what was written is kept, but nobody is told
            self.after -= 1
            raise StoreUnavailableError("the answer was lost")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Shaky]:
    real = create_session(address_for("w", tmp_path))
    with real.write() as tx:
        tx.experiments.get_or_create("e")
        record = RunRecord(
            id="run", experiment="e", type="t", status=RunStatus.RUNNING, created_at=1.0
        )
        tx.runs.create(record)
    session = Shaky(real.address, real.engine, real._blobs)
    yield session
    session.close()


def line(text: str) -> LogWritten:
    return LogWritten(level="INFO", message=text)


def logged(session: Session) -> list[str]:
    with session.read() as tx:
        events = [record.event for record in tx.events.read("run")]
    return [getattr(event, "message", "end") for event in events]


def test_a_call_is_tried_again_until_it_works() -> None:
    answers = iter([StoreUnavailableError("away"), StoreUnavailableError("away"), 3])

    def call() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patiently(call, seconds=30.0) == 3


def test_patience_ends_and_other_errors_are_not_waited_for() -> None:
    def away() -> None:
        raise StoreUnavailableError("away")

    def broken() -> None:
        raise StoreError("damaged")

    with pytest.raises(StoreUnavailableError):
        patiently(away, seconds=0.05)
    with pytest.raises(StoreError, match="damaged"):
        patiently(broken, seconds=30.0)


@pytest.mark.parametrize("is_kept", [False, True])
def test_events_are_kept_once_whatever_was_lost(session: Shaky, is_kept: bool) -> None:
    with EventWriter(session, "run", patience_seconds=30.0) as writer:
        writer.emit(line("0"))
        writer.flush()
        writer.emit(line("1"))
        session.before, session.after = (0, 2) if is_kept else (2, 0)
        writer.emit(END)
        writer.emit(line("2"))

    assert logged(session) == ["0", "1", "end", "2"]


def test_the_rows_of_an_event_are_written_once_too(session: Shaky) -> None:
    projected: list[str] = []
    with EventWriter(session, "run", patience_seconds=30.0) as writer:
        session.after = 1
        writer.emit(line("0"), lambda tx: projected.append("row"))

    assert (logged(session), projected) == (["0"], ["row"])


def test_an_event_that_was_given_up_but_kept_does_not_swallow_the_next(session: Shaky) -> None:
    writer = EventWriter(session, "run")
    session.after = 1
    with pytest.raises(StoreUnavailableError):
        writer.emit(END)
    writer.emit(line("after"))
    writer.close()

    assert logged(session) == ["end", "after"]
