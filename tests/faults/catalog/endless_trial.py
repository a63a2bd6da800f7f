"""A trial that does not end: it is killed at its limit, alone."""

from __future__ import annotations

from nbautoml.domain.status import TrialOutcome
from nbautoml.testing.scripted_work import ENDLESS
from tests.faults.checks import Expected
from tests.faults.fault import Fault

FAULT = Fault(
    name="endless trial",
    sentence="A trial that never ends by itself",
    inject=lambda scene: "trial 1",
    settings={"kinds": {"1": ENDLESS}},
    expected=Expected(outcomes=((1, TrialOutcome.TIME_LIMIT),)),
)
