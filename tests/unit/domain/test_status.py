"""Which state may follow which."""

from __future__ import annotations

import pytest

from nbautoml.domain.status import TERMINAL, RunStatus


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_nothing_follows_a_terminal_state(status: RunStatus) -> None:
    assert not any(status.may_become(other) for other in RunStatus)


@pytest.mark.parametrize("status", sorted(set(RunStatus) - TERMINAL))
def test_every_live_state_can_end_in_every_way(status: RunStatus) -> None:
    assert all(status.may_become(end) for end in TERMINAL)


def test_no_state_goes_back_to_not_started() -> None:
    assert not any(status.may_become(RunStatus.NOT_STARTED) for status in RunStatus)
