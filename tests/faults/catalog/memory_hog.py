"""A trial that takes all memory: it ends by name, alone."""

from __future__ import annotations

from nbautoml.domain.status import TrialOutcome
from nbautoml.testing.scripted_work import HOG
from tests.faults.checks import Expected
from tests.faults.fault import Fault

FAULT = Fault(
    name="memory hog",
    sentence="A trial that takes more memory than its limit",
    inject=lambda scene: "trial 2",
    settings={"kinds": {"2": HOG}},
    expected=Expected(outcomes=((2, TrialOutcome.MEMORY_LIMIT),)),
)
