"""What is still to do of a run: its first leg, one that was lost, one that goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nbautoml.automl.leg import Leg, read_leg
from nbautoml.domain.events import Event, EventRecord, RunConfigured, StatusChanged, TrialFinished
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.engine.plan import Limits
from nbautoml.runs.continuation import CONTINUED

CONFIGURED = Limits(max_iterations=10, exit_score=0.9)


def run(**more: Any) -> RunRecord:
    properties = {}
    if more:
        properties[CONTINUED] = json.dumps({"asked_at": 50.0, "after_request": 2, **more})
    return RunRecord(
        id="r",
        experiment="e",
        type="automl",
        status=RunStatus.NOT_STARTED,
        created_at=1.0,
        properties=properties,
    )


def log(*events: Event) -> list[EventRecord]:
    return [
        EventRecord(run_id="r", seq=seq, time=float(seq), event=event)
        for seq, event in enumerate(events, start=1)
    ]


def done(number: int) -> TrialFinished:
    return TrialFinished(
        number=number,
        key=str(number),
        outcome=TrialOutcome.COMPLETED,
        pipeline="p",
        family="f",
        params={},
        n_folds=3,
        folds_done=3,
        seconds=1.0,
    )


BEGUN = RunConfigured(
    task="classification",
    primary_metric="accuracy",
    label="y",
    dataset="d",
    experiment="e",
    compute="local",
    n_workers=1,
)
ENDED = StatusChanged(status=RunStatus.COMPLETED)
GOES_ON = StatusChanged(status=RunStatus.NOT_STARTED)


def test_a_new_run_has_nothing_behind_it() -> None:
    leg = read_leg(run(), [])
    assert leg == Leg(asked_at=1.0, is_resumed=False, finished=())
    assert leg.limits(CONFIGURED) == CONFIGURED
    assert leg.minutes(7.0) == 7.0


def test_trials_of_a_lost_controller_count_for_the_same_leg() -> None:
    leg = read_leg(run(), log(BEGUN, done(0), done(1)))
    assert leg.is_resumed
    assert (len(leg.finished), leg.n_settled) == (2, 0)


def test_trials_from_before_a_continuation_are_settled() -> None:
    leg = read_leg(run(minutes=3.0), log(BEGUN, done(0), done(1), ENDED, GOES_ON))
    assert (leg.asked_at, leg.is_resumed) == (50.0, False)
    assert (len(leg.finished), leg.n_settled) == (2, 2)


def test_a_continuation_that_was_lost_is_resumed() -> None:
    events = log(BEGUN, done(0), ENDED, GOES_ON, BEGUN, done(1))
    leg = read_leg(run(minutes=3.0), events)
    assert leg.is_resumed
    assert (len(leg.finished), leg.n_settled) == (2, 1)


@pytest.mark.parametrize(
    ("more", "iterations", "minutes"),
    [
        ({"iterations": 4}, 4, None),
        ({"minutes": 5.0}, None, 5.0),
        ({"iterations": 4, "minutes": 5.0}, 4, 5.0),
        ({"exit_score": 0.95}, 10, 60.0),
    ],
)
def test_a_continuation_has_limits_of_its_own(
    more: dict[str, Any], iterations: int | None, minutes: float | None
) -> None:
    leg = read_leg(run(**more), log(GOES_ON))
    assert leg.limits(CONFIGURED).max_iterations == iterations
    assert leg.minutes(60.0) == minutes
    assert leg.limits(CONFIGURED).exit_score == more.get("exit_score")
