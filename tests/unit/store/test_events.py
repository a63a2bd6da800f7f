"""What the event writer does when the store does not, and how often it writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nbautoml.domain.events import Event, EventRecord
from nbautoml.domain.records import SessionAddress
from nbautoml.errors import StoreError
from nbautoml.store import events
from nbautoml.store.events import EventTail, EventWriter
from nbautoml.store.records.events import EventReads
from nbautoml.store.session import Session, Writer, create_session
from nbautoml.testing.store_cases import add_run, log_line, trial_finished, wait_until


class Unreliable(Session):
    """A session whose disk can be full, and that counts its transactions."""

    is_full = False

    def __init__(self, session: Session) -> None:
        super().__init__(session.address, session.engine, session._blobs)
        self.writes: list[bool] = []
        self.n_refused = 0

    @contextmanager
    def write(self, *, is_durable: bool = False) -> Iterator[Writer]:
        if self.is_full:
            self.n_refused += 1
            raise StoreError("the disk is full")
        with super().write(is_durable=is_durable) as tx:
            yield tx
        self.writes.append(is_durable)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Unreliable]:
    address = SessionAddress(
        name="w", root=str(tmp_path), store_url="sqlite:///w.db", artifact_root="files"
    )
    with create_session(address) as opened:
        add_run(opened)
        yield Unreliable(opened)


def read(session: Session) -> list[str]:
    with session.read() as reader:
        return [getattr(r.event, "message", r.event.kind) for r in reader.events.read("run")]


def test_events_are_written_together(session: Unreliable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FLUSH_SECONDS", 600.0)
    with EventWriter(session, "run") as writer:
        for i in range(events.FLUSH_ITEMS):
            writer.emit(log_line(str(i)))
        wait_until(lambda: bool(session.writes))

        assert len(read(session)) == events.FLUSH_ITEMS
    assert session.writes == [False]


@pytest.mark.parametrize(
    ("event", "is_durable"), [(trial_finished(), True), (log_line("x"), False)]
)
def test_only_what_ends_something_is_flushed_to_the_disk(
    session: Unreliable, event: Event, is_durable: bool
) -> None:
    with EventWriter(session, "run") as writer:
        writer.emit(event, lambda tx: tx.runs.set_tags("run", {"seen": "yes"}))

        assert session.writes == [is_durable]


def test_ends_that_come_together_cost_one_flush(session: Unreliable) -> None:
    with EventWriter(session, "run") as writer:
        writer.emit_all([(trial_finished(n), None) for n in range(5)])
        writer.emit_all([(trial_finished(5), None), (log_line("x"), None)])

        assert session.writes == [True, True]


def test_events_wait_for_a_full_disk_and_keep_their_order(
    session: Unreliable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RETRY_SECONDS", 0.01)
    with EventWriter(session, "run") as writer:
        session.is_full = True
        writer.emit(log_line("0"))
        wait_until(lambda: session.n_refused > 0)
        writer.emit(log_line("1"))
        with pytest.raises(StoreError, match="full"):
            writer.emit(trial_finished())
        session.is_full = False
        writer.emit(log_line("2"))

    assert read(session) == ["0", "1", "2"]


def test_too_many_waiting_events_raise_what_is_wrong(
    session: Unreliable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_WAITING_ITEMS", 3)
    session.is_full = True
    writer = EventWriter(session, "run")
    writer.emit(log_line("0"))
    with pytest.raises(StoreError, match="full"):
        for i in range(1, 4):
            writer.emit(log_line(str(i)))
    session.is_full = False
    writer.close()

    assert read(session)[0] == "0"


def test_closing_on_a_full_disk_raises(session: Unreliable) -> None:
    writer = EventWriter(session, "run")
    session.is_full = True
    writer.emit(log_line("0"))

    with pytest.raises(StoreError, match="full"):
        writer.close()


def test_an_idle_writer_writes_nothing_and_ends_with_close(session: Unreliable) -> None:
    writer = EventWriter(session, "run")
    writer.close()

    assert session.writes == []
    assert not any(thread.name == "events-run" for thread in threading.enumerate())


def test_a_tail_reads_only_when_something_was_written(
    session: Unreliable, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    original = EventReads.read

    def count(self: EventReads, run_id: str, after: int = 0) -> list[EventRecord]:
        reads.append(after)
        return original(self, run_id, after)

    monkeypatch.setattr(EventReads, "read", count)
    with EventTail(session, "run") as tail:
        for _ in range(5):
            tail.poll()
        assert reads == [0]
        add_run(session, "other")
        for _ in range(5):
            tail.poll()
        assert reads == [0, 0]


def test_a_tail_that_could_not_read_reads_again(
    session: Unreliable, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session.write() as tx:
        tx.events.append("run", [log_line("0")], 1.0)

    def fail(*_args: object) -> None:
        raise StoreError("locked")

    with EventTail(session, "run") as tail:
        with monkeypatch.context() as patch:
            patch.setattr(EventReads, "read", fail)
            with pytest.raises(StoreError):
                tail.poll()

        assert [r.seq for r in tail.poll()] == [1]
