"""Callers while workers are killed and a version is swapped (the short form of a benchmark)."""

from __future__ import annotations

import pytest

from benchmarks.serving.storm import REFUSED, RIGHT, blow
from nbautoml.registry.model import Model
from tests.integration.serving.conftest import Kit, deleted_at_the_end

pytestmark = pytest.mark.integration

N_REQUESTS = 1_000


def test_nobody_gets_a_wrong_answer_and_hardly_anybody_none(kit: Kit) -> None:
    """``python -m benchmarks.serving storm`` is the long form, with ten thousand requests."""
    old, new = kit.constant("storm", "old"), kit.constant("storm", "new")
    service = Model.deploy(kit.ws, "storm", [old])
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        storm = blow(
            service,
            kit.sample(),
            new,
            n_requests=N_REQUESTS,
            answers=("old", "new"),
            kill_seconds=1.5,
            most_kills=3,
        )

    assert set(storm.outcomes) <= {RIGHT, REFUSED}, storm
    assert storm.outcomes[REFUSED] <= storm.n_requests // 1_000, storm
    assert storm.n_requests >= N_REQUESTS
    assert storm.n_kills >= 1
    assert storm.answers["old"] > 0
    assert storm.answers["new"] > 0
