"""The work of an AutoML run: wires the engine to the workspace, the cluster and the log."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nbautoml.automl.artifacts import VERSIONS
from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.export import export_child
from nbautoml.automl.sink import ChildRunSink
from nbautoml.compute.local import start_executor
from nbautoml.compute.target import executor_for
from nbautoml.domain.events import Phase, PhaseChanged, RunConfigured, TrialFinished
from nbautoml.domain.ports import Executor
from nbautoml.domain.snapshot import RunSnapshot, TrialState
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NbAutoMLError
from nbautoml.registry.trust import installed_version
from nbautoml.runs.controller import set_status
from nbautoml.runs.details import run_snapshot
from nbautoml.runs.work import Ending, WorkContext

if TYPE_CHECKING:
    import pandas as pd

    from nbautoml.engine.finder import Found
    from nbautoml.engine.plan import SearchPlan

logger = logging.getLogger(__name__)

EXPORT_SHARE, LEAST_EXPORT_SECONDS, MOST_EXPORT_SECONDS = 0.03, 1.0, 10.0
"""Part of the run's time that is kept free for writing the best model's bundle."""
LEAST_SECONDS = 1.0
"""A run that is resumed after its time was up still has this long to make a usable model."""
PACKAGES = ("numpy", "pandas", "scikit-learn", "lightgbm", "xgboost")


class AutoMLWork:
    """Runs the engine for one run; made in the run's controller process.

    Parameters
    ----------
    context : WorkContext
        The run and all that its work may touch.
    """

    def __init__(self, context: WorkContext) -> None:
        self._context = context
        self._settings = context.run.settings
        self._config = AutoMLConfig.from_dict(self._settings["config"])
        self._before = run_snapshot(context.session, context.run.id)
        self._sink = ChildRunSink(context, str(self._config.values["primary_metric"]))

    def run(self) -> Ending:
        """Find a model, and leave it as a bundle with the best child."""
        context = self._context
        set_status(context, RunStatus.PREPARING)
        target = str(self._settings["compute_target"])
        # The cluster starts in the background while the data is read.
        executor = start_executor(executor_for(context.session, target, None))
        try:
            found = self._search(executor)
        finally:
            closing = threading.Thread(target=executor.close, name="close executor")
            closing.start()
        ending, exporting = self._conclude(found)
        return replace(ending, after=lambda: _join(closing, exporting))

    def _search(self, executor: Executor) -> Found:
        """Do the engine's part."""
        # The machine-learning stack is imported while the workers start, not before.
        from nbautoml.engine.finder import find_model

        context = self._context
        deadline = self._deadline()
        frame, n_valid_rows = self._load()
        plan = self.plan(n_slots=executor.n_slots, deadline=deadline, n_valid_rows=n_valid_rows)
        self._describe(executor.n_slots, deadline)
        set_status(context, RunStatus.RUNNING)
        return find_model(
            frame,
            str(self._settings["label"]),
            plan,
            executor=executor,
            events=self._sink,
            artifacts=context.artifacts,
            control=context.control,
            scratch=context.scratch,
            clock=time.time,
            finished=self._finished(),
        )

    def plan(self, *, n_slots: int, deadline: float | None, n_valid_rows: int) -> SearchPlan:
        """Return what the engine is to do.

        Parameters
        ----------
        n_slots : int
            How many tasks run at once.
        deadline : float or None
            When the run has to end, in seconds since the epoch.
        n_valid_rows : int
            How many of the last rows are validation data that the user gave.
        """
        from nbautoml.automl.resolve import resolve

        timeout = None
        if deadline is not None:
            left = deadline - self._context.now()
            export = min(max(EXPORT_SHARE * left, LEAST_EXPORT_SECONDS), MOST_EXPORT_SECONDS)
            timeout = max(left - export, LEAST_SECONDS)
        return resolve(
            self._config, n_slots=n_slots, timeout_seconds=timeout, n_valid_rows=n_valid_rows
        )

    def _conclude(self, found: Found) -> tuple[Ending, threading.Thread | None]:
        """Write the best model's bundle and say how the run ended.

        A bundle that is not written when the run's time is over is finished after its end.
        """
        context = self._context
        set_status(context, RunStatus.FINALIZING)
        state = run_snapshot(context.session, context.run.id)
        best = state.best_trial
        if best is None:
            if found.is_canceled:
                reason = "Canceled before a model was done."
                return Ending(status=RunStatus.CANCELED, reason=reason), None
            return Ending(status=RunStatus.FAILED, reason=_why_nothing(state)), None
        context.emit(
            PhaseChanged(phase=Phase.FINALIZING, text=f"Writing the bundle of {best.pipeline}.")
        )
        with context.session.write() as tx:
            properties = {"best_child_run_id": best.run_id, VERSIONS: json.dumps(_versions())}
            tx.runs.set_properties(context.run.id, properties)
        exporting = threading.Thread(target=self._export, args=(best,), name="export")
        exporting.start()
        left = None if state.deadline is None else max(0.0, state.deadline - context.now())
        exporting.join(left)
        if found.is_canceled:
            reason = f"Canceled; {state.n_done - state.n_failed} finished models are kept."
            return Ending(status=RunStatus.CANCELED, reason=reason), exporting
        return Ending(status=RunStatus.COMPLETED, reason=found.reason.value), exporting

    def _export(self, best: TrialState) -> None:
        try:
            export_child(self._context.session, self._context.run.id, best.number)
        except NbAutoMLError as error:  # the model itself is stored; only its bundle is missing
            logger.warning("the bundle of trial %s was not written: %s", best.number, error)

    def _load(self) -> tuple[pd.DataFrame, int]:
        """Return the training rows, with given validation rows behind them, and their number."""
        import pandas as pd

        from nbautoml.data.dataset import load_frame

        session = self._context.session
        training = load_frame(session, str(self._settings["training_data"]))
        if self._settings.get("validation_data") is None:
            return training, 0
        validation = load_frame(session, str(self._settings["validation_data"]))
        # Rows without a label are no use for validation; the engine counts those for training.
        validation = validation[validation[str(self._settings["label"])].notna()]
        return pd.concat([training, validation], ignore_index=True), len(validation)

    def _deadline(self) -> float | None:
        """Return when the run has to end: its time counts from its submission.

        A resumed run is given back the time for which nobody worked on it.
        """
        run = self._context.run
        minutes = self._config.values["experiment_timeout_minutes"]
        if self._before.config is not None:
            if self._before.deadline is None:
                return None
            # The last events before this process's own tell when the earlier one was lost.
            return self._before.deadline + max(0.0, self._context.now() - self._lost_at())
        return None if minutes is None else run.created_at + float(minutes) * 60.0

    def _lost_at(self) -> float:
        beat = self._context.run.heartbeat_at or 0.0
        return max(beat, self._before.trials[-1].started_at if self._before.trials else 0.0)

    def _describe(self, n_workers: int, deadline: float | None) -> None:
        values = self._config.values
        minutes = values["experiment_timeout_minutes"]
        self._sink.emit(
            RunConfigured(
                task=self._config.task.value,
                primary_metric=str(values["primary_metric"]),
                label=str(self._settings["label"]),
                dataset=str(self._settings.get("dataset", "")),
                experiment=self._context.run.experiment,
                compute=str(self._settings["compute_target"]),
                n_workers=n_workers,
                max_iterations=values["iterations"],
                timeout_seconds=None if minutes is None else float(minutes) * 60.0,
                deadline=deadline,
                exit_score=values["experiment_exit_score"],
            )
        )

    def _finished(self) -> list[TrialFinished]:
        with self._context.session.read() as tx:
            records = tx.events.read(self._context.run.id)
        return [r.event for r in records if isinstance(r.event, TrialFinished)]


def _join(*threads: threading.Thread | None) -> None:
    for thread in threads:
        if thread is not None:
            thread.join()


def _why_nothing(state: RunSnapshot) -> str:
    failed = [t for t in state.trials if t.error]
    if not failed:
        return "No model was finished in the time of the run; give it more."
    first = failed[0]
    return (
        f"None of {len(state.trials)} trials made a model. The first, {first.pipeline}, ended "
        f"with: {first.error.splitlines()[0]}"
    )


def _versions() -> dict[str, str]:
    """Return the versions of the packages that fitted models are made of."""
    found = {package: installed_version(package) for package in PACKAGES}
    return {package: version for package, version in found.items() if version}
