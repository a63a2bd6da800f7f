"""Writing a run's events in batches, and following them from anywhere."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from types import TracebackType
from typing import Self

from nbautoml.domain.events import Event, EventRecord, ends_something
from nbautoml.errors import StoreError
from nbautoml.store.patience import patiently
from nbautoml.store.records.events import EventReads
from nbautoml.store.records.groups import Writer
from nbautoml.store.records.scope import Scope
from nbautoml.store.session import Session

FLUSH_SECONDS = 0.025
"""Longest time that an event waits in memory: well below what an eye notices."""

FLUSH_ITEMS = 100
RETRY_SECONDS = 1.0
MOST_WAITING_ITEMS = 10_000
"""From here on `EventWriter.emit` writes itself, so that a full disk is noticed."""

Project = Callable[[Writer], None]
"""Writes what follows from an event (a child's row, its metrics) in the event's transaction."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Item:
    """An event on its way to the store."""

    time: float
    event: Event
    project: Project | None


class EventWriter:
    """Appends the events of one run, in the order in which they were emitted.

    An event that ends something, or whose `project` may not wait, is committed before `emit`
    returns; the others are written together by a thread in the background. Any thread may call
    this.

    Parameters
    ----------
    session : Session
        The workspace.
    run_id : str
        The run, which must exist.
    clock : callable
        Returns the seconds since the epoch.
    patience_seconds : float, default 0
        How long `emit` tries again when the store does not answer. While one process writes the
        events of a run, none is written twice by that: the numbers tell what was kept.
    """

    def __init__(
        self,
        session: Session,
        run_id: str,
        *,
        clock: Callable[[], float] = time.time,
        patience_seconds: float = 0.0,
    ) -> None:
        self._session = session
        self._run_id = run_id
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._tried: list[_Item] = []  # these may have been kept after all
        self._seq = 0  # number of the event before the first of them
        self._waiting: list[_Item] = []
        self._has_work = threading.Condition()  # guards what waits
        self._writing = threading.Lock()  # held while a batch is on its way: keeps the order
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name=f"events-{run_id}", daemon=True)
        self._thread.start()

    def emit(self, event: Event, project: Project | None = None, *, may_wait: bool = False) -> None:
        """Append an event.

        Parameters
        ----------
        event : Event
            What happened. One that ends a trial or the run is on the disk when this returns.
        project : callable, optional
            Called with the `Writer` of the event's transaction. When it raises, neither the
            event nor what it wrote is kept.
        may_wait : bool, default False
            Whether the event may wait for others although it has a `project`, which is then
            called later, by another thread, and must not fail. One that ends something never
            waits.

        Raises
        ------
        StoreError
            When the store cannot be written, or the writer is closed.
        """
        item = _Item(time=self._clock(), event=event, project=project)
        if ends_something(event) or (project is not None and not may_wait):
            self._check_open()
            self._write([item])
            return
        with self._has_work:
            self._check_open()
            self._waiting.append(item)
            n_waiting = len(self._waiting)
            if n_waiting == 1 or n_waiting == FLUSH_ITEMS:
                self._has_work.notify()
        if n_waiting >= MOST_WAITING_ITEMS:
            self.flush()

    def emit_all(self, events: Sequence[tuple[Event, Project | None]]) -> None:
        """Append events, each with its `project`, in one transaction.

        All are committed when this returns; where one `project` raises, none of them is kept.

        Parameters
        ----------
        events : sequence of (Event, callable or None)
            What happened, in order, and what follows from each, as `emit` takes it.

        Raises
        ------
        StoreError
            When the store cannot be written, or the writer is closed.
        """
        self._check_open()
        now = self._clock()
        self._write([_Item(time=now, event=event, project=project) for event, project in events])

    def flush(self) -> None:
        """Write what waits.

        Raises
        ------
        StoreError
            When the store cannot be written; the events keep waiting.
        """
        self._write([])

    def close(self) -> None:
        """Write what waits, and end the background thread; later calls do nothing.

        Raises
        ------
        StoreError
            When the store cannot be written.
        """
        with self._has_work:
            if self._is_closed:
                return
            self._is_closed = True
            self._has_work.notify()
        self._thread.join()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError(f"The event writer of run {self._run_id} is closed.")

    def _write(self, last: list[_Item]) -> None:
        """Write all that waits, then `last`, in one transaction."""
        with self._writing:
            with self._has_work:
                batch, self._waiting = self._waiting, []
            items = [*batch, *last]
            if not items:
                return
            try:
                patience = self._patience_seconds if last else 0.0
                patiently(lambda: self._append(items), seconds=patience)
            except BaseException:
                with self._has_work:
                    self._waiting = batch + self._waiting
                raise

    def _append(self, items: list[_Item]) -> None:
        """Write events in one transaction, but for those that an earlier attempt has kept."""
        is_durable = any(ends_something(item.event) for item in items)
        with self._session.write(is_durable=is_durable) as tx:
            new = items[self._n_kept(items, tx) :]
            records = tx.events.append_timed(self._run_id, [(i.time, i.event) for i in new])
            for item in new:
                if item.project is not None:
                    item.project(tx)
            if not self._tried:  # else what was tried counts from where it was tried first
                self._seq = records[0].seq - 1
            self._tried = items  # till the end of the transaction tells that they are kept
        self._tried = []

    def _n_kept(self, items: list[_Item], tx: Writer) -> int:
        """Return how many of the events that are to be written are in the log already.

        That is so when an attempt was committed and only the answer was lost.
        """
        if not self._tried:
            return 0
        pairs = zip(items, self._tried, strict=False)
        n_tried = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))
        return min(tx.events.last_seq(self._run_id) - self._seq, n_tried)

    def _work(self) -> None:
        while self._await_work():
            try:
                self.flush()
            except StoreError as error:
                _LOG.warning("Events of run %s wait: %s", self._run_id, error)
                with self._has_work:
                    self._has_work.wait_for(lambda: self._is_closed, timeout=RETRY_SECONDS)

    def _await_work(self) -> bool:
        """Wait until a batch is due; returns False when close() writes the rest."""
        with self._has_work:
            self._has_work.wait_for(lambda: self._waiting or self._is_closed)
            self._has_work.wait_for(
                lambda: len(self._waiting) >= FLUSH_ITEMS or self._is_closed,
                timeout=FLUSH_SECONDS,
            )
            return not self._is_closed


class EventTail:
    """Follows the events of one run from any process; for one thread at a time.

    Parameters
    ----------
    session : Session
        The workspace.
    run_id : str
        The run.
    after : int, default 0
        Number of the last event that is known already.
    """

    def __init__(self, session: Session, run_id: str, after: int = 0) -> None:
        self._run_id = run_id
        self._after = after
        self._follower = session.engine.follow()
        self._has_unread = True

    @property
    def seq(self) -> int:
        """Number of the last event that was returned."""
        return self._after

    def poll(self) -> list[EventRecord]:
        """Return the events since the last call; never waits for one.

        Costs some microseconds on SQLite when nothing was written to the store, one SELECT
        otherwise.

        Raises
        ------
        StoreError
            When the store cannot be read; a later call starts from the same event.
        """
        if self._follower.has_changed():
            self._has_unread = True
        if not self._has_unread:
            return []
        with self._follower.read() as connection:
            reads = EventReads(Scope(connection=connection, clock=time.time))
            records = reads.read(self._run_id, self._after)
        self._has_unread = False
        if records:
            self._after = records[-1].seq
        return records

    def close(self) -> None:
        """Give back what is held."""
        self._follower.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
