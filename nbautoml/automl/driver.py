"""The work of an AutoML run: wires the engine to the workspace, the cluster and the log."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nbautoml.automl.artifacts import VERSIONS
from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.explain_run import Wanted, add_explanation, can_explain, seconds_for
from nbautoml.automl.export import export_child
from nbautoml.automl.leg import read_leg
from nbautoml.automl.model_test import add_model_test
from nbautoml.automl.run_data import RunData, load_splits
from nbautoml.automl.sink import ChildRunSink, ModelArtifacts
from nbautoml.compute.in_process import InProcessExecutor
from nbautoml.compute.spec import PATIENCE_SECONDS
from nbautoml.compute.target import executor_of
from nbautoml.domain.events import Phase, PhaseChanged, RunConfigured
from nbautoml.domain.ports import Executor
from nbautoml.domain.snapshot import RunSnapshot, SnapshotFold, TrialState
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ComputeError, ComputeTargetException, NbAutoMLError
from nbautoml.registry.trust import installed_version
from nbautoml.runs.controller import launch, set_status
from nbautoml.runs.details import run_snapshot
from nbautoml.runs.process_age import process_age
from nbautoml.runs.work import Ending, WorkContext
from nbautoml.store.patience import patiently

if TYPE_CHECKING:
    from nbautoml.engine.finder import Found
    from nbautoml.engine.plan import SearchPlan

logger = logging.getLogger(__name__)

CLOSING_COST, MOST_CLOSING_SHARE = 0.3, 0.1
"""Writing the best model's bundle is taken to cost this part of what starting the run cost.

Both read the data, load packages and write files, so that a slow or busy machine slows both.
What is kept free for it is at most that share of the time left; a bundle that takes longer is
finished after the run's end.
"""
CLOSING_WRITES, LEAST_CLOSING_SECONDS = 3.0, 0.1
"""The last status is written this many times slower than the one before it at most: the bundle
may be on its way to the disk at the same time."""
START_COST = 5.0
"""From the first line of the work until workers have done a first model, a run takes at least
this many times what its process took to start. With less time left it fits its models itself."""
MOST_CELLS_WITHOUT_WORKERS = 5_000_000
"""On larger tables it answers with a constant then: nothing could stop a fit of its own, and one
step of it may take longer than what is left."""
RETRY_SECONDS = 2.0
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
        with context.session.read() as tx:
            records = tx.events.read(context.run.id)
        fold = SnapshotFold(context.run.id)
        fold.apply_all(records)
        self._before = fold.build()
        self._test_id: str | None = None
        self._explain_id: str | None = None
        self._leg = read_leg(context.run, records)
        self._data = RunData(context.session, self._settings)
        self._sink = ChildRunSink(context, str(self._config.values["primary_metric"]))

    def run(self) -> Ending:
        """Find a model, and leave it as a bundle with the best child."""
        context = self._context
        set_status(context, RunStatus.PREPARING)
        deadline = self._deadline()
        executor = self._start_executor(deadline)
        try:
            found = self._search(executor, deadline)
        finally:
            closing = threading.Thread(target=executor.close, name="close executor")
            closing.start()
        ending, exporting = self._conclude(found)
        return replace(ending, after=lambda: self._clean_up(closing, exporting))

    def _clean_up(self, *threads: threading.Thread | None) -> None:
        """Do what the end of the run does not wait for: its best model is tested and explained."""
        for run_id in (self._test_id, self._explain_id):
            if run_id is not None:
                launch(self._context.session, run_id)
        for thread in threads:
            if thread is not None:
                thread.join()

    def _start_executor(self, deadline: float | None) -> Executor:
        """Start workers in the background, if there is time for a model of theirs."""
        if not self._has_time_for_workers(deadline):
            return InProcessExecutor(n_slots=1)
        # Dask takes a while to load: a run without time for workers goes without it.
        return self._executor_of(str(self._settings["compute_target"]), deadline)

    def _executor_of(self, target: str, deadline: float | None) -> Executor:
        """Return the target's executor; a run that goes on waits for a target that is away.

        What took the run's process may have taken the scheduler, too, and both come back.
        """
        context = self._context
        until = context.now() + PATIENCE_SECONDS if self._leg.is_resumed else 0.0
        until = until if deadline is None else min(until, deadline)
        while True:
            try:
                return executor_of(context.session, target, None)
            except (ComputeError, ComputeTargetException) as error:
                if context.now() >= until:
                    raise
                logger.warning("the compute target is not there yet: %s", error)
                time.sleep(RETRY_SECONDS)

    def _has_time_for_workers(self, deadline: float | None) -> bool:
        if deadline is None:
            return True
        now = self._context.now()
        return deadline - now > START_COST * process_age()

    def _search(self, executor: Executor, deadline: float | None) -> Found:
        """Do the engine's part."""
        # The machine-learning stack is imported while the workers start, not before.
        from nbautoml.engine.finder import find_model

        context = self._context
        frame, n_valid_rows = self._data.training_and_validation()
        # The engine needs the frame at its start only: it shall be the last that refers to it.
        frames, n_cells = [frame], frame.size
        del frame
        plan = self.plan(n_slots=executor.n_slots, deadline=deadline, n_valid_rows=n_valid_rows)
        has_workers = not isinstance(executor, InProcessExecutor)
        if not has_workers:  # the cards are theirs
            plan = replace(plan, enable_gpu=False)
        if not has_workers and n_cells > MOST_CELLS_WITHOUT_WORKERS:
            plan = replace(plan, limits=replace(plan.limits, timeout_seconds=0.0))
        self._describe(plan, executor.n_slots, deadline)
        set_status(context, RunStatus.RUNNING)
        return find_model(
            frames.pop(),
            str(self._settings["label"]),
            plan,
            executor=executor,
            events=self._sink,
            artifacts=ModelArtifacts(context.session, context.run.id),
            control=context.control,
            scratch=context.scratch,
            clock=context.clock,
            finished=self._leg.finished,
            n_settled=self._leg.n_settled,
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

        timeout, closing = None, 0.0
        if deadline is not None:
            now = self._context.now()
            timeout = max(deadline - now, 0.0)
            closing = min(CLOSING_COST * process_age(), MOST_CLOSING_SHARE * timeout)
        plan = resolve(
            self._config, n_slots=n_slots, timeout_seconds=timeout, n_valid_rows=n_valid_rows
        )
        limits = replace(self._leg.limits(plan.limits), closing_seconds=closing)
        splits = load_splits(self._context.session, self._context.run.id)
        validation = replace(plan.validation, cv_splits=splits)
        return replace(plan, limits=limits, validation=validation)

    def _conclude(self, found: Found) -> tuple[Ending, threading.Thread | None]:
        """Write the best model's bundle and say how the run ended.

        A bundle that is not written when the run's time is over is finished after its end.
        """
        context = self._context
        started = context.now()
        set_status(context, RunStatus.FINALIZING)
        status_seconds = context.now() - started
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
        properties = {"best_child_run_id": best.run_id, VERSIONS: json.dumps(_versions())}
        patiently(lambda: self._set_properties(properties))
        if self._data.has_test and not found.is_canceled:
            self._test_id = add_model_test(context.session, context.run, best.run_id)
        if self._config.values["model_explainability"] and not found.is_canceled:
            self._explain_id = self._add_explanation(best.run_id)
        exporting = threading.Thread(target=self._export, args=(best,), name="export")
        exporting.start()
        left = None
        if state.deadline is not None:
            closing = max(LEAST_CLOSING_SECONDS, CLOSING_WRITES * status_seconds)
            left = max(0.0, state.deadline - context.now() - closing)
        exporting.join(left)
        if found.is_canceled:
            reason = f"Canceled; {state.n_done - state.n_failed} finished models are kept."
            return Ending(status=RunStatus.CANCELED, reason=reason), exporting
        return Ending(status=RunStatus.COMPLETED, reason=found.reason.value), exporting

    def _set_properties(self, properties: Mapping[str, str]) -> None:
        with self._context.session.write() as tx:
            tx.runs.set_properties(self._context.run.id, properties)

    def _add_explanation(self, child_id: str) -> str | None:
        """Have the best model explained after the run; return the id of that run."""
        session, run_id = self._context.session, self._context.run.id
        if not can_explain(self._config.task.value):
            return None
        seconds = self._timeout_seconds
        wanted = Wanted(seconds=seconds_for(None if seconds is None else seconds / 60.0))
        return add_explanation(session, run_id, child_id, wanted, is_best=True)

    def _export(self, best: TrialState) -> None:
        try:
            export_child(self._context.session, self._context.run.id, best.number)
        except NbAutoMLError as error:  # the model itself is stored; only its bundle is missing
            logger.warning("the bundle of trial %s was not written: %s", best.number, error)

    def _deadline(self) -> float | None:
        """Return when the run has to end: its time counts from its submission.

        A resumed run is given back the time for which nobody worked on it.
        """
        if self._leg.is_resumed:
            if self._before.deadline is None:
                return None
            # The last events before this process's own tell when the earlier one was lost.
            return self._before.deadline + max(0.0, self._context.now() - self._lost_at())
        seconds = self._timeout_seconds
        return None if seconds is None else self._leg.asked_at + seconds

    @property
    def _timeout_seconds(self) -> float | None:
        minutes = self._leg.minutes(self._config.values["experiment_timeout_minutes"])
        return None if minutes is None else float(minutes) * 60.0

    def _lost_at(self) -> float:
        if self._before.paused_at is not None:  # all of the pause is given back
            return self._before.paused_at
        beat = self._context.run.heartbeat_at or 0.0
        return max(beat, self._before.trials[-1].started_at if self._before.trials else 0.0)

    def _describe(self, plan: SearchPlan, n_workers: int, deadline: float | None) -> None:
        values = self._config.values
        most = plan.limits.max_iterations
        self._sink.emit(
            RunConfigured(
                task=self._config.task.value,
                primary_metric=str(values["primary_metric"]),
                label=str(self._settings["label"]),
                dataset=str(self._settings.get("dataset", "")),
                experiment=self._context.run.experiment,
                compute=str(self._settings["compute_target"]),
                n_workers=n_workers,
                max_iterations=None if most is None else most + self._leg.n_settled,
                timeout_seconds=self._timeout_seconds,
                deadline=deadline,
                exit_score=plan.limits.exit_score,
            )
        )


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
