"""`AutoMLRun`: a handle on an AutoML run: its best model, its children, its guardrails."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO  # Any: fitted models are whatever scikit-learn accepts

from nbautoml.automl.artifacts import INTERNAL_MODEL, SERVED_MODEL, VERSIONS
from nbautoml.automl.console import ConsoleView, format_table
from nbautoml.automl.export import ensure_bundle
from nbautoml.domain.events import EventRecord
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.metrics import metric as metric_spec
from nbautoml.domain.snapshot import RunSnapshot, TrialState
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ConfigError, NotAvailableError, NotFoundError
from nbautoml.registry.model import Model, register_from_run
from nbautoml.registry.trust import load_pickle
from nbautoml.runs.run import Run

__all__ = ["AutoMLRun"]


class AutoMLRun(Run):
    """A run that `Experiment.submit` started from an `AutoMLConfig`.

    ``AutoMLRun(experiment, run_id)`` opens an earlier one.
    """

    model_id: str | None = None
    """Name and version of the model that `register_model` made last, through this handle."""

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
        return Run(self.experiment, trial.run_id)

    def get_output(
        self,
        iteration: int | None = None,
        metric: str | None = None,
        return_onnx_model: bool = False,
    ) -> tuple[Run, Any]:
        """Return the best child run and its fitted model.

        Parameters
        ----------
        iteration : int, optional
            The child of this number instead of the best one.
        metric : str, optional
            Which metric decides; the run's primary metric when not given.
        return_onnx_model : bool, default False
            Not available yet.

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
        """
        if return_onnx_model:
            raise NotAvailableError("ONNX models are not available yet; use the fitted model.")
        child = self._child(iteration, metric)
        names = child.get_file_names()
        name = INTERNAL_MODEL if INTERNAL_MODEL in names else SERVED_MODEL
        if name not in names:
            raise NotFoundError(f"Run {child.id} has no model: it is {child.get_status()}.")
        versions = json.loads(self.properties.get(VERSIONS, "{}"))
        path = self.session.load_artifact(child.id, name)
        return child, load_pickle(path, versions=versions, of=f"The model of run {child.id}")

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
        if SERVED_MODEL not in child.get_file_names():
            raise NotFoundError(f"Run {child.id} has no model: it is {child.get_status()}.")
        ensure_bundle(self.session, self.id, child.number or 0)
        model = register_from_run(
            self.session,
            run_id=child.id,
            model_path="outputs",
            model_name=model_name or self.experiment.name,
            tags=tags,
            description=description,
        )
        self.model_id = model.name
        return model

    def get_guardrails(self, to_console: bool = True) -> dict[str, Any]:
        """Return what the guardrails found, and print it.

        Parameters
        ----------
        to_console : bool, default True
            Whether to print it too.

        Returns
        -------
        dict
            ``{"guardrails": [{"name", "state", "description", "details"}, …]}``.
        """
        found = [
            {
                "name": g.name,
                "state": g.state.value,
                "description": g.description,
                "details": [dict(d) for d in g.details],
            }
            for g in self.snapshot().guardrails
        ]
        if to_console:
            lines = format_table([{k: g[k] for k in ("name", "state")} for g in found])
            sys.stdout.write("\n".join(lines) + "\n")
        return {"guardrails": found}

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

        rows = [
            {
                "iteration": t.number,
                "pipeline": t.pipeline,
                "status": t.outcome.value if t.outcome else "Running",
                "seconds": t.seconds,
                **t.metrics,
            }
            for t in self.snapshot().ranked()
        ]
        return pd.DataFrame(rows)

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
        return Run(self.experiment, child_run_id(self.id, iteration))

    def _printer(self, stream: TextIO) -> Callable[[EventRecord], None]:
        return ConsoleView(self.id, stream)


def _best(state: RunSnapshot, metric: str | None) -> TrialState | None:
    if metric is None:
        return state.best_trial
    spec = metric_spec(metric)
    done = [t for t in state.trials if t.outcome is TrialOutcome.COMPLETED and metric in t.metrics]
    return min(done, key=lambda t: (spec.sort_key(t.metrics[metric]), t.number), default=None)
