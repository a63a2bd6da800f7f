"""Requests: what people asked of a running run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: JSON values

import sqlalchemy as sa

from nbautoml.domain.records import RequestRecord
from nbautoml.domain.status import RequestKind
from nbautoml.store.records.counters import Counters
from nbautoml.store.records.scope import Records
from nbautoml.store.tables import requests, run_counters


class RequestReads(Records):
    """What can be asked about requests."""

    def read(self, run_id: str, after: int = 0) -> list[RequestRecord]:
        """Return the requests of a run behind number `after`, oldest first."""
        query = (
            sa.select(requests)
            .where(requests.c.run_id == run_id, requests.c.seq > after)
            .order_by(requests.c.seq)
        )
        return [
            RequestRecord(
                run_id=run_id,
                seq=row.seq,
                kind=RequestKind(row.kind),
                payload=row.payload,
                time=row.time,
            )
            for row in self._connection.execute(query)
        ]


class RequestWrites(RequestReads, Counters):
    """What can be done with requests."""

    def append(
        self, run_id: str, kind: RequestKind, payload: Mapping[str, Any], time: float
    ) -> RequestRecord:
        """Add a request with the run's next number.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        seq = self._take(run_counters.c.n_requests, run_id, 1)
        row = {"run_id": run_id, "seq": seq, "time": time, "kind": kind.value, "payload": payload}
        self._connection.execute(sa.insert(requests), row)
        return RequestRecord(run_id=run_id, seq=seq, kind=kind, payload=payload, time=time)
