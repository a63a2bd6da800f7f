"""Time that goes on evenly whatever the system's clock does."""

from __future__ import annotations

import math

import pytest

from nbautoml.domain.clock import Moment, SteadyClock, this_machine
from nbautoml.domain.events import DeadlineChanged
from nbautoml.domain.ports import Request
from nbautoml.domain.status import RequestKind
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.search.requests import Requests
from nbautoml.testing.executor import MemoryEvents, ScriptedControl


class Clocks:
    def __init__(self) -> None:
        self.wall, self.steady = 1000.0, 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def make(self) -> SteadyClock:
        return SteadyClock(wall=lambda: self.wall, steady=lambda: self.steady)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_jump_of_the_systems_clock_moves_no_deadline(jump: float) -> None:
    clocks = Clocks()
    clock = clocks.make()
    deadline = Deadline.after(60.0, clock)
    clocks.pass_by(20.0)
    clocks.wall += jump

    assert deadline.remaining() == pytest.approx(40.0)
    assert clock.drift() == pytest.approx(jump)


def test_those_who_watch_are_told_the_new_date_once() -> None:
    clocks, events, control = Clocks(), MemoryEvents(), ScriptedControl()
    requests = Requests(control, events, Deadline.after(60.0, clocks.make()), 5.0)
    requests.poll()
    clocks.pass_by(10.0)
    clocks.wall += 1.0  # as a time server does it
    requests.poll()
    clocks.wall += 600.0
    requests.poll()
    requests.poll()
    control.ask(Request(kind=RequestKind.ADD_MINUTES, minutes=1.0))
    requests.poll()

    assert events.events == [
        DeadlineChanged(deadline=1666.0, is_clock_set=True),
        DeadlineChanged(deadline=1726.0),
    ]


def test_a_clock_that_may_jump_is_not_corrected() -> None:
    events = MemoryEvents()
    requests = Requests(ScriptedControl(), events, Deadline.after(60.0, lambda: 1.0))
    requests.poll()

    assert events.events == []


def test_a_moment_is_known_on_its_own_machine_only() -> None:
    moment = Moment.after(10.0)

    assert moment.machine == this_machine()
    assert 9.0 < moment.seconds_left() <= 10.0
    assert Moment(machine="elsewhere", at=moment.at).seconds_left() == math.inf
