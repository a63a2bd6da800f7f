"""`StepSequence`: steps that run one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any  # Any: steps, and lists of them

__all__ = ["StepSequence"]


class StepSequence:
    """Steps of which each begins when those before it have completed.

    Parameters
    ----------
    steps : sequence, optional
        Steps, or lists of steps that may run at the same time.
    """

    def __init__(self, steps: Sequence[Any] | None = None) -> None:
        self.steps = list(steps or ())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)
