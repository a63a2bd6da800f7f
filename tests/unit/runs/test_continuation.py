"""Going on with a run that has ended."""

from __future__ import annotations

import pytest

from nbautoml.domain.events import DeadlineChanged, StatusChanged
from nbautoml.domain.ports import Request
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import ConflictError
from nbautoml.runs.continuation import (
    RESTARTS,
    continuation_of,
    open_requests,
    reopen,
    since_continued,
)
from nbautoml.runs.ending import end_without_owner
from nbautoml.runs.run import Run


def end(run: Run) -> None:
    end_without_owner(run.session, run.id, RunStatus.COMPLETED, "done")


def go_on(run: Run) -> int:
    return reopen(run.session, run.id, minutes=5.0, iterations=None, exit_score=None)


def asked(run: Run) -> list[Request]:
    with run.session.read() as tx:
        return list(open_requests(run.session, tx.runs.get(run.id)).poll())


def test_a_run_that_goes_on_waits_for_a_controller(run: Run) -> None:
    run.add_properties({RESTARTS: "2"})
    end(run)
    before = go_on(run)
    with run.session.read() as tx:
        record, events = tx.runs.get(run.id), tx.events.read(run.id)
    assert (record.status, record.owner, record.ended_at) == (RunStatus.NOT_STARTED, None, None)
    assert record.properties[RESTARTS] == "0"
    assert [e.seq for e in since_continued(events)] == [before + 1]
    continuation = continuation_of(record)
    assert continuation is not None
    assert (continuation.minutes, continuation.iterations) == (5.0, None)


def test_a_live_run_is_not_continued(run: Run) -> None:
    with pytest.raises(ConflictError, match="add_minutes"):
        go_on(run)


def test_a_run_can_be_canceled_before_it_goes_on(run: Run) -> None:
    end(run)
    go_on(run)
    run.cancel()
    assert run.get_status() == "Canceled"


def test_what_was_asked_before_is_not_asked_again(run: Run) -> None:
    run.finish_now()
    end(run)
    go_on(run)
    run.add_minutes(2)
    assert asked(run) == [Request(kind=RequestKind.ADD_MINUTES, minutes=2.0)]


def test_minutes_that_moved_the_deadline_are_not_added_twice(run: Run) -> None:
    run.add_minutes(1)
    run.finish_now()
    run.add_minutes(2)
    with run.session.write() as tx:
        tx.events.append(run.id, [DeadlineChanged(deadline=9.0)], 5.0)
        tx.events.append(run.id, [DeadlineChanged(deadline=99.0, is_clock_set=True)], 5.0)
    assert asked(run) == [
        Request(kind=RequestKind.FINISH_NOW),
        Request(kind=RequestKind.ADD_MINUTES, minutes=2.0),
    ]


def test_a_run_that_never_went_on_has_all_its_events(run: Run) -> None:
    with run.session.write() as tx:
        tx.events.append(run.id, [StatusChanged(status=RunStatus.RUNNING)], 5.0)
        events = tx.events.read(run.id)
        assert continuation_of(tx.runs.get(run.id)) is None
    assert since_continued(events) == events
