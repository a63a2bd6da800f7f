"""Model families for tests that reach a limit: memory, a crash, the loss of their worker.

They are in no catalog. A plan names them by their path.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any, ClassVar  # Any: settings, and whatever `FastFamily.fit` takes

import numpy as np
import psutil

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import DataShape, FitResult, Matrix, Params, Vector
from nbautoml.testing.fast_family import FastFamily

_PATH = "nbautoml.testing.limit_families"
HUNGRY_FAMILY = f"{_PATH}:HungryFamily"
GREEDY_FAMILY = f"{_PATH}:GreedyFamily"
CRASHING_FAMILY = f"{_PATH}:CrashingFamily"
WORKER_KILLING_FAMILY = f"{_PATH}:WorkerKillingFamily"

HUNGRY_MEGABYTES = 600
_MEGABYTE = 1_000_000
# Long enough for a supervisor to look at the memory a few times.
_HOLD_SECONDS = 0.8


class HungryFamily(FastFamily):
    """Its fit holds as many megabytes as its settings say; it does not tell beforehand."""

    name: ClassVar[str] = "TestHungry"
    halving: ClassVar[Mapping[str, float]] = {"megabytes": 0.5}

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return tuple({**p, "megabytes": HUNGRY_MEGABYTES} for p in super().portfolio(task)[:1])

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return nothing: only the fit itself shows what it needs."""
        return 0.0

    def build(self, params: Params, shape: DataShape, context: Any) -> Any:
        """Return the estimator, not yet fitted."""
        held = np.ones(int(params.get("megabytes", 1)) * _MEGABYTE // 8)
        time.sleep(_HOLD_SECONDS)
        del held
        return super().build(params, shape, context)


class GreedyFamily(HungryFamily):
    """It tells beforehand that it needs more memory than any machine has."""

    name: ClassVar[str] = "TestGreedy"
    halving: ClassVar[Mapping[str, float]] = {}

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return a thousand terabytes."""
        return 1e15


class CrashingFamily(FastFamily):
    """Its fit ends the process."""

    name: ClassVar[str] = "TestCrashing"

    def fit(self, X: Matrix, y: Vector, **settings: Any) -> FitResult:
        """Crash."""
        os.kill(os.getpid(), signal.SIGSEGV)
        return super().fit(X, y, **settings)


class WorkerKillingFamily(FastFamily):
    """Its fit kills the worker that looks after it."""

    name: ClassVar[str] = "TestWorkerKilling"

    def fit(self, X: Matrix, y: Vector, **settings: Any) -> FitResult:
        """Kill the worker: the parent of the template from which this process was forked."""
        template = psutil.Process().parent()
        worker = template.parent() if template is not None else None
        if worker is not None:
            worker.kill()
        time.sleep(_HOLD_SECONDS)
        return super().fit(X, y, **settings)
