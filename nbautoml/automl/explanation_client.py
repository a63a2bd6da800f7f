"""`ExplanationClient`: explanations that are stored with a run, with the SDK's calls."""

from __future__ import annotations

import time
import uuid
from typing import Any  # Any: workspaces, and explanations of other packages

import numpy as np

from nbautoml.automl.explain_run import MODEL_EXPLAIN, last_explanation, start_forgotten
from nbautoml.automl.explanation import (
    Explanation,
    explanation_files,
    load_explanation,
    stored_explanations,
)
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.runs.run import POLL_SECONDS, Run

__all__ = ["ExplanationClient"]

_WAIT_SECONDS = 900.0
"""An explanation that is being made is waited for no longer than this."""


class ExplanationClient:
    """Explanations of one run.

    Parameters
    ----------
    run : Run
        The run whose model they explain.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._session = run.session

    @classmethod
    def from_run(cls, run: Run) -> ExplanationClient:
        """Return the client of a run.

        Parameters
        ----------
        run : Run
            A child of an AutoML run; an AutoML run stands for its best child, and an explaining
            run for the child that it explains.

        Raises
        ------
        NotFoundError
            When an AutoML run has no completed child yet.
        """
        best = getattr(run, "get_best_child", None)
        if best is not None:
            return cls(best())
        if run.type == MODEL_EXPLAIN:
            model_run = run.properties["model_run_id"]
            return cls(Run.get(run.experiment, model_run))
        return cls(run)

    @classmethod
    def from_run_id(cls, workspace: Any, experiment_name: str, run_id: str) -> ExplanationClient:
        """Return the client of a run of that id.

        Parameters
        ----------
        workspace : Workspace
            Where the run is.
        experiment_name : str
            The experiment that it belongs to.
        run_id : str
            Its id.

        Raises
        ------
        NotFoundError
            When the experiment has no run of that id.
        """
        from nbautoml.runs.experiment import Experiment

        return cls.from_run(Experiment(workspace, experiment_name).get_run(run_id))

    def list_model_explanations(
        self, comment: str | None = None, raw: bool | None = None, engineered: bool | None = None
    ) -> list[dict[str, Any]]:
        """Return what is known of the run's explanations, the newest first.

        Parameters
        ----------
        comment : str, optional
            Only those of this comment.
        raw, engineered : bool, optional
            Only those by raw columns, or by engineered features.

        Returns
        -------
        list of dict
            ``id``, ``comment``, ``upload_time`` (seconds since the epoch), ``raw``,
            ``engineered``, ``method``, ``num_features`` and ``num_examples``.
        """
        return [
            {
                "id": facts["id"],
                "comment": facts["comment"],
                "upload_time": facts["created_at"],
                "raw": facts["is_raw"],
                "engineered": not facts["is_raw"],
                "method": facts["method"],
                "num_features": len(facts["features"]),
                "num_examples": facts["num_examples"],
            }
            for facts in self._found(None, comment, raw, engineered)
        ]

    def download_model_explanation(
        self,
        explanation_id: str | None = None,
        top_k: int | None = None,
        comment: str | None = None,
        raw: bool | None = None,
        engineered: bool | None = None,
    ) -> Explanation:
        """Return an explanation; one that is being made is waited for.

        Parameters
        ----------
        explanation_id : str, optional
            Which one; the newest when not given.
        top_k : int, optional
            Only so many features, the most important ones.
        comment : str, optional
            Only one of this comment.
        raw : bool, optional
            Whether to explain by raw columns (the usual), or by engineered features.
        engineered : bool, optional
            The other way round.

        Raises
        ------
        NotFoundError
            When there is none like that, and none is being made.
        """
        if raw is None and engineered is None and explanation_id is None:
            raw = True
        found = self._found(explanation_id, comment, raw, engineered)
        if not found:
            self._wait()
            found = self._found(explanation_id, comment, raw, engineered)
        if not found:
            raise NotFoundError(self._why_none())
        return load_explanation(self._session, self._run.id, found[0]).top(top_k)

    def upload_model_explanation(
        self,
        explanation: Any,
        top_k: int | None = None,
        comment: str | None = None,
        **_azure: Any,
    ) -> str:
        """Store an explanation with the run; return its id.

        Parameters
        ----------
        explanation : Explanation
            Or one of another package with ``features`` and ``global_importance_values``, such as
            those of interpret-community.
        top_k : int, optional
            Only so many features, the most important ones.
        comment : str, optional
            Kept with it.
        **_azure
            The SDK's other arguments have no effect.

        Raises
        ------
        ConfigError
            When the object has no importances.
        """
        kept = _as_explanation(explanation).top(top_k)
        fields = {name: getattr(kept, name) for name in Explanation.__dataclass_fields__}
        changes = {
            "id": uuid.uuid4().hex,
            "comment": kept.comment if comment is None else comment,
            "created_at": time.time(),
            "run_id": self._run.id,
        }
        stored = Explanation(**(fields | changes))
        self._session.save_artifacts(self._run.id, explanation_files(stored))
        return stored.id

    def _found(
        self,
        explanation_id: str | None,
        comment: str | None,
        raw: bool | None,
        engineered: bool | None,
    ) -> list[dict[str, Any]]:
        if raw is None and engineered is not None:
            raw = not engineered
        return [
            facts
            for facts in stored_explanations(self._session, self._run.id)
            if explanation_id is None or facts["id"] == explanation_id
            if comment is None or facts["comment"] == comment
            if raw is None or facts["is_raw"] == raw
        ]

    def _wait(self) -> None:
        """Wait for an explanation that is being made; start it where nobody did."""
        end = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < end:
            run = last_explanation(self._session, self._run.id)
            if run is None or run.status.is_terminal:
                return
            start_forgotten(self._session, run, time.time())
            time.sleep(POLL_SECONDS)

    def _why_none(self) -> str:
        run = last_explanation(self._session, self._run.id)
        if run is None:
            return (
                f"Run {self._run.id} has no explanation like that. Ask for one: "
                "run.explain().explanation()."
            )
        return (
            f"Run {self._run.id} has no explanation like that; the last one asked for is "
            f"{run.status.value}. {run.reason}".strip()
        )


def _as_explanation(given: Any) -> Explanation:
    """Return an explanation of any package as ours."""
    if isinstance(given, Explanation):
        return given
    features = getattr(given, "features", None)
    importances = getattr(given, "global_importance_values", None)
    if features is None or importances is None:
        raise ConfigError(
            "upload_model_explanation takes an explanation with features and "
            f"global_importance_values; got a {type(given).__name__}."
        )
    local = getattr(given, "local_importance_values", None)
    values = None
    if local is not None and np.size(local):
        values = np.asarray(local, dtype=np.float64)
        values = values[np.newaxis] if values.ndim == 2 else values
    classes = getattr(given, "classes", None)
    expected = getattr(given, "expected_values", None)
    return Explanation(
        id="",
        features=[str(name) for name in features],
        global_importance_values=[float(value) for value in np.ravel(importances)],
        method=str(getattr(given, "method", "")),
        is_raw=bool(getattr(given, "is_raw", True)),
        model_task=str(getattr(given, "model_task", "")),
        classes=[] if classes is None else [str(name) for name in classes],
        values=values,
        expected_values=[] if expected is None else [float(v) for v in np.ravel(expected)],
        num_examples=0 if values is None else int(values.shape[1]),
    )
