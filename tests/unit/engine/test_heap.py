"""Memory that a run does not hold on to."""

from __future__ import annotations

import time
import weakref
from pathlib import Path

import numpy as np
import pandas as pd

from nbautoml.domain.events import Event, TrialStarted
from nbautoml.domain.tasks import Task
from nbautoml.engine.finder import find_model
from nbautoml.engine.heap import give_back_memory
from nbautoml.engine.plan import Limits, SearchPlan
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)
from nbautoml.testing.fast_family import FAST_FAMILY


def test_the_frame_is_let_go_before_the_first_trial(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(0).normal(size=120), "label": ["x", "y"] * 60})
    alive, frames = weakref.ref(frame), [frame]
    del frame
    seen: list[bool] = []

    class Events(MemoryEvents):
        def emit(self, event: Event) -> None:
            if isinstance(event, TrialStarted):
                seen.append(alive() is not None)
            super().emit(event)

    find_model(
        frames.pop(),
        "label",
        SearchPlan(
            task=Task.CLASSIFICATION,
            primary_metric="accuracy",
            models=(FAST_FAMILY,),
            limits=Limits(max_iterations=2),
        ),
        executor=InProcessExecutor(),
        events=Events(),
        artifacts=FolderArtifacts(tmp_path / "artifacts"),
        control=ScriptedControl(),
        scratch=tmp_path / "scratch",
        clock=time.time,
    )
    assert seen
    assert not any(seen)


def test_cycles_are_collected_when_memory_is_given_back() -> None:
    class Node:
        pass

    node = Node()
    node.itself = node  # type: ignore[attr-defined]
    alive = weakref.ref(node)
    del node
    give_back_memory()
    assert alive() is None
