"""What a trial on few rows costs besides its fits, in milliseconds for each part.

    OMP_NUM_THREADS=1 python -m benchmarks.overhead --rows 300 --folds 10

Trials run one after the other in this process, as a slot runs them, on a made-up table. Shown are
the medians over `--repeats` trials of each family, in processor time: all folds, the fits alone,
the rest of the task (rows, scaling, predictions, scores, files) and what the controller does with
its results. ``saving`` is the part of the fits that LightGBM spends on writing its model as text
and reading it again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

import lightgbm
import numpy as np
import pandas as pd

from nbautoml.domain.tasks import Task
from nbautoml.engine import trial
from nbautoml.engine.context import Ports, RunContext
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.prepare import prepare
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial_files import merge_folds, pack_trial, put_trial
from nbautoml.engine.validation import ValidationOptions
from nbautoml.testing.executor import (
    FolderArtifacts,
    InProcessExecutor,
    MemoryEvents,
    ScriptedControl,
)

FAMILIES = ("LightGBM", "XGBoostClassifier", "RandomForest", "LogisticRegression", "KNN")
MILLISECOND = 1e-3
SEED = 0


def main() -> None:
    """Measure each family and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        context = _context(given, Path(folder))
        sys.stdout.write(
            f"{'family':22}{'task':>9}{'fits':>9}{'rest':>9}{'saving':>9}{'store':>9}\n"
        )
        for family in FAMILIES:
            rows = [_measure(context, family, n) for n in range(given.repeats + 1)][1:]
            medians = (
                statistics.median(column) / MILLISECOND for column in zip(*rows, strict=True)
            )
            sys.stdout.write(f"{family:22}" + "".join(f"{m:9.1f}" for m in medians) + "\n")


def _context(given: argparse.Namespace, folder: Path) -> RunContext:
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(given.rows, given.columns))
    y = X[:, 0] - X[:, 1] * X[:, 2] + rng.normal(size=given.rows) > 0
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(given.columns)]).assign(label=y)
    plan = SearchPlan(
        task=Task.CLASSIFICATION,
        primary_metric="AUC_weighted",
        models=FAMILIES,
        validation=ValidationOptions(n_cross_validations=given.folds),
    )
    ports = Ports(
        executor=InProcessExecutor(),
        events=MemoryEvents(),
        artifacts=FolderArtifacts(folder / "artifacts"),
        control=ScriptedControl(),
        clock=time.time,
    )
    return prepare(frame, "label", plan, ports, folder / "scratch")[0]


def _measure(context: RunContext, family_name: str, number: int) -> tuple[float, ...]:
    """Return the seconds of the task, its fits, its rest, LightGBM's saving, and of storing."""
    family = get_family(family_name)
    candidate = Candidate(
        family=family_name,
        model_name=family_name,
        params=family.portfolio(Task.CLASSIFICATION)[0],
        scaler=family.scalers[0] if family.scalers else "",
    )
    job = trial.FoldsJob(
        data=context.data.folder,
        out=context.trial_folder(number),
        candidate=candidate,
        key=f"{family_name}{number}",
        seed=SEED,
        folds=tuple(range(context.data.n_folds)),
        threads=1,
    )
    fits = _Clock()
    saving = _Clock()
    with fits.around(trial, "_fit"), saving.around(lightgbm.Booster, "model_from_string"):
        started = time.process_time()
        trial.run_folds(replace(job), lambda _: None)
        task = time.process_time() - started
    started = time.process_time()
    predictions = merge_folds(context.data, job.out)
    model = pack_trial(context.data, job.out)
    put_trial(context, number, predictions, model)
    store = time.process_time() - started
    return task, fits.seconds, task - fits.seconds, saving.seconds, store


class _Clock:
    """Adds up the processor time of one function."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def around(self, owner: object, name: str) -> Iterator[None]:
        """Count all calls while the block runs."""
        function: Callable[..., object] = getattr(owner, name)

        def counted(*args: object, **kwargs: object) -> object:
            started = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.process_time() - started

        with mock.patch.object(owner, name, counted):
            yield


if __name__ == "__main__":
    main()
