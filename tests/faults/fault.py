"""What a fault is: a scene to play in, and the harm that is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from tests.faults.checks import Expected
from tests.faults.scene import Scene

Inject = Callable[[Scene], str]
"""Does the harm at a random moment; returns what it was, for the record."""

Stage = Callable[[Scene], AbstractContextManager[None]]
"""What the scene needs around it: a scheduler, a proxy, a disk of its own."""


def bare(_scene: Scene) -> AbstractContextManager[None]:
    """Return a stage without anything."""
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which things break.

    Parameters
    ----------
    name : str
        For the table and the command line.
    sentence : str
        What happens, for people.
    inject : callable
        Does it.
    expected : Expected
        What it may cost.
    stage : callable
        What is around the scene.
    settings : mapping
        More settings of the run.
    works : tuple of str
        Which works it can be played with; the short form takes the first.
    lacks : callable
        Returns why it cannot be played on this machine; empty when it can.
    """

    name: str
    sentence: str
    inject: Inject
    expected: Expected = field(default_factory=Expected)
    stage: Stage = bare
    settings: Mapping[str, Any] = field(default_factory=dict)
    works: tuple[str, ...] = ("scripted",)
    lacks: Callable[[], str] = lambda: ""
