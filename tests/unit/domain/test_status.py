"""Which state may follow which."""

from __future__ import annotations

import pytest

from nbautoml.domain.status import TERMINAL, RunStatus


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_run_that_has_ended_can_only_wait_for_a_controller_again(status: RunStatus) -> None:
    assert [other for other in RunStatus if status.may_become(other)] == [RunStatus.NOT_STARTED]


@pytest.mark.parametrize("status", sorted(set(RunStatus) - TERMINAL))
def test_every_live_state_can_end_in_every_way(status: RunStatus) -> None:
    assert all(status.may_become(end) for end in TERMINAL)


@pytest.mark.parametrize("status", sorted(set(RunStatus) - TERMINAL))
def test_no_live_state_goes_back_to_not_started(status: RunStatus) -> None:
    assert not status.may_become(RunStatus.NOT_STARTED)
