"""Which steps of a pipeline may begin, which are in the way of others, and how it all ended."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence

from nbautoml.domain.status import RunStatus
from nbautoml.pipelines.frozen import FrozenStep


class Progress:
    """The steps of a run so far; not for several threads.

    Parameters
    ----------
    steps : sequence of FrozenStep
        The steps, by number.

    Examples
    --------
    >>> make = FrozenStep(number=0, name="make", kind="script", step_kind="", settings={})
    >>> use = FrozenStep(number=1, name="use", kind="script", step_kind="", settings={}, after=(0,))
    >>> progress = Progress([make, use])
    >>> [step.name for step in progress.take_ready()]
    ['make']
    >>> progress.ended(0, RunStatus.COMPLETED)
    >>> [step.name for step in progress.take_ready()]
    ['use']
    """

    def __init__(self, steps: Sequence[FrozenStep]) -> None:
        self._steps = steps
        self._sorter = graphlib.TopologicalSorter({s.number: s.after for s in steps})
        self._sorter.prepare()
        self._ended: dict[int, RunStatus] = {}

    @property
    def is_over(self) -> bool:
        """Whether all steps have ended."""
        return not self._sorter.is_active()

    @property
    def outcomes(self) -> Mapping[int, RunStatus]:
        """How each step that has ended did so."""
        return dict(self._ended)

    def take_ready(self) -> list[FrozenStep]:
        """Return the steps that may begin now; each is returned once."""
        return [self._steps[number] for number in sorted(self._sorter.get_ready())]

    def in_the_way(self, step: FrozenStep) -> str:
        """Return the name of a step before this one that has not completed; empty for none."""
        for number in step.after:
            if self._ended.get(number) is not RunStatus.COMPLETED:
                return self._steps[number].name
        return ""

    def ended(self, number: int, status: RunStatus) -> None:
        """Note that a step which was taken has ended."""
        self._ended[number] = status
        self._sorter.done(number)
