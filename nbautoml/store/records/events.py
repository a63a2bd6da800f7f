"""The event log: what happened in a run, numbered from 1 without gaps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any  # Any: JSON values

import sqlalchemy as sa

from nbautoml.domain.events import Event, EventRecord, UnknownEvent, from_payload, to_payload
from nbautoml.store.records.counters import Counters
from nbautoml.store.records.scope import Records
from nbautoml.store.tables import events, run_counters

_READ = (
    sa.select(events.c.seq, events.c.time, events.c.kind, events.c.payload)
    .where(events.c.run_id == sa.bindparam("run"), events.c.seq > sa.bindparam("after"))
    .order_by(events.c.seq)
)


class EventReads(Records):
    """What can be asked about events."""

    def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[EventRecord]:
        """Return events of a run behind number `after`, oldest first.

        Parameters
        ----------
        run_id : str
            The run.
        after : int, default 0
            Number of the last event that is known already.
        limit : int, optional
            At most so many; all by default.

        Returns
        -------
        list of EventRecord
            Events that this version cannot rebuild are `UnknownEvent`.
        """
        query = _READ if limit is None else _READ.limit(limit)
        rows = self._connection.execute(query, {"run": run_id, "after": after})
        return [
            EventRecord(run_id=run_id, seq=seq, time=time, event=_event(kind, payload))
            for seq, time, kind, payload in rows
        ]

    def read_kinds(self, run_id: str, kinds: Sequence[str]) -> list[EventRecord]:
        """Return the events of a run that are of some kinds, oldest first.

        Parameters
        ----------
        run_id : str
            The run.
        kinds : sequence of str
            Names of events, as in `Event.kind`.
        """
        query = (
            sa.select(events.c.seq, events.c.time, events.c.kind, events.c.payload)
            .where(events.c.run_id == run_id, events.c.kind.in_(kinds))
            .order_by(events.c.seq)
        )
        return [
            EventRecord(run_id=run_id, seq=seq, time=time, event=_event(kind, payload))
            for seq, time, kind, payload in self._connection.execute(query)
        ]

    def last_seq(self, run_id: str) -> int:
        """Return the number of the last event of a run, 0 when there is none."""
        query = sa.select(run_counters.c.n_events).where(run_counters.c.run_id == run_id)
        return self._connection.execute(query).scalar_one_or_none() or 0


class EventWrites(EventReads, Counters):
    """What can be done with events."""

    def append(self, run_id: str, new: Sequence[Event], time: float) -> list[EventRecord]:
        """Add events, all with the same time, in order.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        return self.append_timed(run_id, [(time, event) for event in new])

    def append_timed(self, run_id: str, new: Sequence[tuple[float, Event]]) -> list[EventRecord]:
        """Add events, each with its own time, in order.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        if not new:
            return []
        first = self._take(run_counters.c.n_events, run_id, len(new)) - len(new) + 1
        records = [
            EventRecord(run_id=run_id, seq=first + i, time=time, event=event)
            for i, (time, event) in enumerate(new)
        ]
        self._connection.execute(sa.insert(events), [_row(record) for record in records])
        return records


def _row(record: EventRecord) -> dict[str, Any]:
    return {
        "run_id": record.run_id,
        "seq": record.seq,
        "time": record.time,
        "kind": record.event.kind,
        "payload": json.dumps(to_payload(record.event), allow_nan=False, separators=(",", ":")),
    }


def _event(kind: str, payload: str) -> Event:
    try:
        return from_payload(kind, json.loads(payload))
    except (TypeError, ValueError):  # other fields, or a value that newer code added to an enum
        return UnknownEvent(name=kind)
