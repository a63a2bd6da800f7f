"""`AutoMLRun`: a handle on an AutoML run: its best model, its children, its guardrails."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO  # Any: fitted models are whatever scikit-learn accepts

from nbautoml.automl.artifacts import (
    INTERNAL_MODEL,
    METRIC_CONFIDENCE,
    ONNX_MODEL,
    SERVED_MODEL,
    VERSIONS,
)
from nbautoml.automl.child_run import ChildRun
from nbautoml.automl.console import GUARDRAIL_TITLE, ConsoleView, guardrail_lines
from nbautoml.automl.explain_run import EXPLAIN_RUN, ExplainRun
from nbautoml.automl.export import ensure_bundle, register_child, registered_child
from nbautoml.automl.leaderboard import leaderboard_rows
from nbautoml.automl.model_test import TEST_RUN
from nbautoml.automl.notices import warn_once
from nbautoml.automl.onnx_model import ensure_onnx
from nbautoml.domain.events import EventRecord
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.metrics import metric as metric_spec
from nbautoml.domain.snapshot import RunSnapshot, TrialState
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.registry.model import Model
from nbautoml.registry.trust import load_pickle
from nbautoml.runs.continuation import reopen
from nbautoml.runs.controller import launch
from nbautoml.runs.run import Run
from nbautoml.serving.configs import DeploymentConfig, InferenceConfig
from nbautoml.serving.deploy import deploy
from nbautoml.serving.webservice import Webservice

__all__ = ["AutoMLRun"]

# Who shows a run at the end of a cell; by its name, because the front ends stand above this part.
_VIEW = ("nbautoml.widgets.run_details", "RunDetails")
# The SDK's other arguments for data of `AutoMLRun.continue_experiment`.
_DATA = (
    "sample_weight",
    "X_valid",
    "y_valid",
    "sample_weight_valid",
    "data",
    "label",
    "columns",
    "cv_splits_indices",
    "training_data",
    "validation_data",
)


class AutoMLRun(Run):
    """A run that `Experiment.submit` started from an `AutoMLConfig`.

    ``AutoMLRun(experiment, run_id)`` opens an earlier one.
    """

    model_id: str | None = None
    """Name and version of the model that `register_model` made last, through this handle."""

    def _ipython_display_(self) -> None:
        """Show the live view, as ``RunDetails(run).show()`` does."""
        module, name = _VIEW
        getattr(importlib.import_module(module), name)(self).show()

    def get_best_child(self, metric: str | None = None, **_azure: Any) -> Run:
        """Return the best child run without loading its model.

        Parameters
        ----------
        metric : str, optional
            Which metric decides; the run's primary metric when not given.

        Raises
        ------
        NotFoundError
            When no child has completed yet.
        """
        state = self.snapshot()
        trial = _best(state, metric)
        if trial is None:
            raise NotFoundError(f"Run {self.id} has no completed model yet. {state.reason}".strip())
        return ChildRun(self.experiment, trial.run_id)

    def get_output(
        self,
        iteration: int | None = None,
        metric: str | None = None,
        return_onnx_model: bool = False,
        return_split_onnx_model: object = None,
    ) -> tuple[Run, Any]:
        """Return the best child run and its fitted model.

        Parameters
        ----------
        iteration : int, optional
            The child of this number instead of the best one.
        metric : str, optional
            Which metric decides; the run's primary metric when not given.
        return_onnx_model : bool, default False
            Whether the second is an ``onnx.ModelProto`` in place of the fitted model. It is
            written where it is missing, also by runs without ``enable_onnx_compatible_models``.
        return_split_onnx_model : object
            The SDK's argument; the model is always one graph.

        Returns
        -------
        child : Run
        model : estimator
            A fitted scikit-learn pipeline: ``predict`` (and ``predict_proba``) take raw rows in
            any column order; ``steps`` lists what they go through.

        Raises
        ------
        NotFoundError
            When there is no such child, or it has no model.
        ModelError
            When the model cannot be written as ONNX; the message names columns or steps.
        """
        child = self._child(iteration, metric)
        if return_onnx_model:
            return child, self._onnx_model(child)
        names = child.get_file_names()
        name = INTERNAL_MODEL if INTERNAL_MODEL in names else SERVED_MODEL
        if name not in names:
            raise NotFoundError(f"Run {child.id} has no model: it is {child.get_status()}.")
        versions = json.loads(self.properties.get(VERSIONS, "{}"))
        path = self.session.load_artifact(child.id, name)
        return child, load_pickle(path, versions=versions, of=f"The model of run {child.id}")

    def _onnx_model(self, child: Run) -> Any:
        from nbautoml.registry.onnx.inference import load_model

        ensure_onnx(self.session, self.id, child.number or 0)
        return load_model(self.session.load_artifact(child.id, ONNX_MODEL).read_bytes())

    def register_model(  # type: ignore[override] # the SDK's AutoMLRun takes other arguments
        self,
        model_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        iteration: int | None = None,
        metric: str | None = None,
    ) -> Model:
        """Register the best model (or one child's) as a new version.

        The model is not loaded for it.

        Parameters
        ----------
        model_name : str, optional
            The model's name; made from the experiment's when not given.
        description : str, optional
            A sentence for people.
        tags : mapping of str to str, optional
            Kept with the version.
        iteration : int, optional
            The child of this number instead of the best one.
        metric : str, optional
            Which metric decides; the run's primary metric when not given.

        Returns
        -------
        Model
        """
        child = self._child(iteration, metric)
        model = register_child(
            self.session,
            self.id,
            child.number or 0,
            model_name or self.experiment.name,
            tags=tags,
            description=description,
        )
        self.model_id = model.name
        return model

    def explain(
        self, iteration: int | None = None, metric: str | None = None, **wanted: Any
    ) -> ExplainRun:
        """Explain the best model, or one child's, and return the run that does it.

        Parameters
        ----------
        iteration : int, optional
            The child of this number instead of the best one.
        metric : str, optional
            Which metric decides; the run's primary metric when not given.
        **wanted
            ``rows``, ``minutes``, ``compute_target`` and ``comment``, see `ChildRun.explain`.

        Returns
        -------
        ExplainRun
            ``run.explain().explanation()`` waits for it.
        """
        child = self._child(iteration, metric)
        return ChildRun(self.experiment, child.id).explain(**wanted)

    def deploy(
        self,
        name: str,
        iteration: int | None = None,
        metric: str | None = None,
        *,
        model_name: str | None = None,
        inference_config: InferenceConfig | None = None,
        deployment_config: DeploymentConfig | None = None,
        overwrite: bool = False,
        show_output: bool = False,
    ) -> Webservice:
        """Serve the best model (or one child's) over HTTP; returns at once.

        The model is registered first, unless it is already; it is not loaded for that.

        Parameters
        ----------
        name : str
            The deployment's name.
        iteration : int, optional
            The child of this number instead of the best one.
        metric : str, optional
            Which metric decides; the run's primary metric when not given.
        model_name : str, optional
            The model's name; made from the experiment's when not given.
        inference_config, deployment_config, overwrite, show_output
            As in ``Model.deploy``; none is needed.

        Returns
        -------
        Webservice
            ``wait_for_deployment()`` waits until it answers.
        """
        child = self._child(iteration, metric)
        wanted = model_name or self.experiment.name
        model = registered_child(self.session, self.id, child.number or 0, wanted)
        return deploy(
            self.experiment,
            name,
            [model],
            inference_config,
            deployment_config,
            overwrite=overwrite,
            show_output=show_output,
        )

    def continue_experiment(
        self,
        X: Any = None,
        y: Any = None,
        *,
        experiment_timeout_hours: float | None = None,
        experiment_timeout_minutes: float | None = None,
        experiment_exit_score: float | None = None,
        iterations: int | None = None,
        show_output: bool = False,
        **_azure: Any,
    ) -> AutoMLRun:
        """Go on with a run that has ended, from all that it found so far.

        Its finished models and their out-of-fold predictions are used as they are; only new
        ones are trained, and a new ensemble chooses among all. The run keeps its id and its log.

        Parameters
        ----------
        X, y
            The SDK's data arguments (these and others) have no effect: the run kept its data.
        experiment_timeout_hours, experiment_timeout_minutes : float, optional
            Time for going on, from now; give one of them at most.
        experiment_exit_score : float, optional
            The run ends when the primary metric has reached this; ``exit_score`` is its short
            name. What the run was submitted with counts no longer.
        iterations : int, optional
            How many more models to train, the new ensemble included. Where neither this nor a
            time is given, both count again as the run was submitted.
        show_output : bool, default False
            Whether to wait and print what happens.

        Returns
        -------
        AutoMLRun
            This run, which goes on in a process of its own.

        Raises
        ------
        ConflictError
            When the run has not ended.
        ConfigError
            When a limit is not above zero, or the time is given twice.
        """
        if X is not None or y is not None or any(_azure.get(name) is not None for name in _DATA):
            warn_once(
                "continue_experiment goes on with the data that the run was submitted with; "
                "the data given to it are not used. Submit a new run for other data."
            )
        score = _azure.get("exit_score") if experiment_exit_score is None else experiment_exit_score
        last = reopen(
            self.session,
            self.id,
            minutes=_minutes(experiment_timeout_hours, experiment_timeout_minutes),
            iterations=_more_iterations(iterations),
            exit_score=None if score is None else float(score),
        )
        launch(self.session, self.id)
        if show_output:
            self._wait(ConsoleView(self.id, sys.stdout, after=last))
            self._raise_if_failed(True)
        return self

    def wait_for_completion(
        self,
        show_output: bool = False,
        wait_post_processing: bool = False,
        raise_on_error: bool = True,
    ) -> dict[str, Any]:
        """Wait until the run ends; an interrupt ends the waiting, not the run.

        Parameters
        ----------
        show_output : bool, default False
            Whether to print what happens while it happens.
        wait_post_processing : bool, default False
            Whether to wait for the test and the explanation of the best model too, where there
            are such.
        raise_on_error : bool, default True
            Whether a failed run raises.

        Returns
        -------
        dict
            As `get_details`.

        Raises
        ------
        TrainingError
            When the run failed and `raise_on_error` is true.
        """
        details = super().wait_for_completion(show_output, raise_on_error=raise_on_error)
        test_id = self.properties.get(TEST_RUN)
        if wait_post_processing and test_id is not None:
            Run(self.experiment, test_id).wait_for_completion(raise_on_error=raise_on_error)
        explain_id = self.properties.get(EXPLAIN_RUN)
        if wait_post_processing and explain_id is not None:
            # The run's model is as good as before where its explanation failed.
            Run(self.experiment, explain_id).wait_for_completion(raise_on_error=False)
        return details

    def get_guardrails(self, to_console: bool = True) -> dict[str, Any]:
        """Return what the guardrails found, and print it as ``show_output`` does.

        Parameters
        ----------
        to_console : bool, default True
            Whether to print it too.

        Returns
        -------
        dict
            ``{"guardrails": [{"name", "state", "description", "details"}, …]}``.
        """
        reports = self.snapshot().guardrails
        found = [
            {
                "name": g.name,
                "state": g.state.value,
                "description": g.description,
                "details": [dict(d) for d in g.details],
            }
            for g in reports
        ]
        if to_console:
            told = [line for g in reports for line in guardrail_lines(g)]
            sys.stdout.write("\n".join([GUARDRAIL_TITLE, *told]) + "\n")
        return {"guardrails": found}

    def get_metric_confidence(self) -> dict[str, dict[str, float | None]]:
        """Return the confidence intervals of the best model's metrics.

        Returns
        -------
        dict
            For each metric ``{"value", "lower_ci_95", "upper_ci_95"}``: the primary metric, or
            all of them for a run with ``enable_metric_confidence``.

        Raises
        ------
        NotFoundError
            When the run has none: it has not ended, was canceled, or had no time for them.
        """
        if METRIC_CONFIDENCE not in self.get_file_names():
            raise NotFoundError(
                f"Run {self.id} has no confidence intervals: it is {self.get_status()}. They are "
                "computed at the end of a run, where its time allows that."
            )
        path = self.session.load_artifact(self.id, METRIC_CONFIDENCE)
        found: dict[str, dict[str, float | None]] = json.loads(
            Path(path).read_text(encoding="utf-8")
        )["data"]["metrics"]
        return found

    def summary(self) -> list[list[Any]]:
        """Return one row a model family: its name, how many were trained, the best score."""
        rows: dict[str, list[Any]] = {}
        for trial in self.snapshot().ranked():
            row = rows.setdefault(trial.family, [trial.family, 0, trial.score])
            row[1] += 1
        return list(rows.values())

    def leaderboard(self) -> Any:
        """Return the children best first, as a DataFrame with all their metrics.

        Returns
        -------
        pandas.DataFrame
            Columns ``iteration``, ``pipeline``, ``status``, ``seconds``, then one a metric.
        """
        import pandas as pd

        return pd.DataFrame(leaderboard_rows(self.snapshot()))

    def get_run_sdk_dependencies(self, iteration: int | None = None, **_azure: Any) -> Any:
        """Return the package versions with which a child's model was trained."""
        child = self._child(iteration, None)
        ensure_bundle(self.session, self.id, child.number or 0)
        manifest = self.session.load_artifact(child.id, "outputs/manifest.json")
        return json.loads(Path(manifest).read_text(encoding="utf-8"))["packages"]

    def _child(self, iteration: int | None, metric: str | None) -> Run:
        if iteration is None:
            return self.get_best_child(metric)
        if metric is not None:
            raise ConfigError("Give either iteration or metric, not both.")
        return ChildRun(self.experiment, child_run_id(self.id, iteration))

    def _printer(self, stream: TextIO) -> Callable[[EventRecord], None]:
        return ConsoleView(self.id, stream)


def _minutes(hours: float | None, minutes: float | None) -> float | None:
    """Return a time in minutes, however it was given."""
    if hours is not None and minutes is not None:
        raise ConfigError(
            "Give experiment_timeout_hours or experiment_timeout_minutes to continue_experiment, "
            f"not both; got {hours!r} and {minutes!r}."
        )
    found = minutes if hours is None else 60.0 * hours
    if found is not None and not found > 0:
        raise ConfigError(f"The time for continue_experiment must be above 0; got {found:g} min.")
    return found


def _more_iterations(iterations: int | None) -> int | None:
    if iterations is not None and (isinstance(iterations, bool) or int(iterations) < 1):
        raise ConfigError(
            "iterations of continue_experiment must be a whole number from 1, of more models to "
            f"train; got {iterations!r}."
        )
    return None if iterations is None else int(iterations)


def _best(state: RunSnapshot, metric: str | None) -> TrialState | None:
    if metric is None:
        return state.best_trial
    spec = metric_spec(metric)
    done = [t for t in state.trials if t.outcome is TrialOutcome.COMPLETED and metric in t.metrics]
    return min(done, key=lambda t: (spec.sort_key(t.metrics[metric]), t.number), default=None)
