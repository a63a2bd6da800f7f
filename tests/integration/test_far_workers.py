"""Workers that do not see the files of the run: data come once a machine, results come back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nbautoml.compute.attached import AttachedWorkers, SchedulerAddress
from nbautoml.compute.executor import DaskExecutor
from nbautoml.compute.mirror import ROOT_VARIABLE
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.compute.task_folders import NOT_SHARED_VARIABLE
from nbautoml.domain.events import TrialFinished
from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.finder import find_model
from nbautoml.engine.plan import Limits, SearchPlan
from nbautoml.engine.validation import ValidationOptions
from nbautoml.testing.executor import FolderArtifacts, MemoryEvents, ScriptedControl

pytestmark = pytest.mark.integration


class Far:
    """A scheduler and a worker, with a folder for copies that stands for another machine."""

    def __init__(self, folder: Path) -> None:
        self.copies = folder / "copies"
        self._file = folder / "scheduler.json"
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            NOT_SHARED_VARIABLE: "1",
            ROOT_VARIABLE: str(self.copies),
        }
        dask = [sys.executable, "-m", "dask"]
        place = ["--scheduler-file", str(self._file), "--no-dashboard"]
        flags = ["--nworkers", "1", "--nthreads", "2", "--memory-limit", "0"]
        commands = (
            [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *place],
            [*dask, "worker", *flags, *place],
        )
        self._processes = [subprocess.Popen(c, cwd=folder, env=environment) for c in commands]

    @property
    def address(self) -> str:
        """Where the scheduler listens, once it does."""
        import json

        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._file.is_file() and (text := self._file.read_text()):
                return str(json.loads(text)["address"])
            time.sleep(0.1)
        raise AssertionError("no scheduler")

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(20)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    far = Far(tmp_path)
    yield far
    far.stop()


def test_a_search_on_far_workers_is_the_same_as_on_near_ones(far: Far, tmp_path: Path) -> None:
    import pandas as pd
    from sklearn.datasets import load_breast_cancer

    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame.iloc[:200, -6:]
    plan = SearchPlan(
        task=Task.CLASSIFICATION,
        primary_metric="AUC_weighted",
        models=("LogisticRegression", "KNN"),
        limits=Limits(max_iterations=4, max_concurrent=2),
        validation=ValidationOptions(n_cross_validations=2),
    )
    spec = ExecutorSpec(n_workers=2, threads_per_worker=1, memory_limit_bytes=None)
    workers = AttachedWorkers(SchedulerAddress(address=far.address))
    executor, events = DaskExecutor(spec, lambda _spec: workers), MemoryEvents()
    artifacts = FolderArtifacts(tmp_path / "artifacts")
    try:
        found = find_model(
            frame,
            "target",
            plan,
            executor=executor,
            events=events,
            artifacts=artifacts,
            control=ScriptedControl(),
            scratch=tmp_path / "scratch",
            clock=time.time,
        )
    finally:
        executor.close()

    ended = [e for e in events.events if isinstance(e, TrialFinished)]
    assert [e.outcome for e in ended] == [TrialOutcome.COMPLETED] * 4
    assert found.score is not None
    assert found.score > 0.9
    copies = [path for path in far.copies.iterdir() if path.is_dir()]
    assert len(copies) == 1, "one machine keeps one copy"
    here = np.load(tmp_path / "scratch" / "data" / "y.npy")
    np.testing.assert_array_equal(np.load(copies[0] / "y.npy"), here)
    assert (copies[0] / "matrices").is_dir()
    model = artifacts.local_path(found.best, "outputs/model.pkl")
    assert model.stat().st_size > 0
