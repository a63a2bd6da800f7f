"""What the mirror asks of a tracking server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol  # Any: mlflow carries no types that are checked here

from nbautoml.registry.mlflow.load import load_mlflow

_MOST_METRICS, _MOST_PARAMS = 1_000, 100
"""Most of each in one request, by MLflow's REST API."""
_LONGEST_PARAM, _LONGEST_TAG = 6_000, 5_000
_PURPOSE = "mirror runs to MLflow"
RUN_TAG, PARENT_TAG, NAME_TAG = "nbautoml.run_id", "mlflow.parentRunId", "mlflow.runName"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A number of a run; ``time`` is in seconds since the epoch."""

    name: str
    value: float
    step: int
    time: float


class Tracker(Protocol):
    """A tracking server; every call may raise one of `Tracker.errors`."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What is raised when the server refuses, hangs or is not there."""

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, which is made if need be."""

    def find(self, experiment: str, run_id: str) -> str | None:
        """Return the run that carries the id of a run of ours, if there is one."""

    def create(self, experiment: str, tags: Mapping[str, str], time: float) -> str:
        """Make a run and return its id."""

    def log(
        self,
        mlflow_id: str,
        *,
        points: Sequence[Point] = (),
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add numbers, parameters and tags to a run."""

    def set_status(self, mlflow_id: str, status: str, time: float | None) -> None:
        """Set the state of a run: RUNNING, or one of FINISHED, FAILED and KILLED at a time."""


class MlflowTracker:
    """A `Tracker` that is MLflow's client.

    Parameters
    ----------
    tracking_uri : str
        Address of a server, or of a database.

    Raises
    ------
    MissingExtraError
        When the extra ``mlflow`` is not installed.
    """

    def __init__(self, tracking_uri: str) -> None:
        load_mlflow(purpose=_PURPOSE)
        self._entities: Any = load_mlflow("mlflow.entities", purpose=_PURPOSE)
        self._errors: Any = load_mlflow("mlflow.exceptions", purpose=_PURPOSE)
        client: Any = load_mlflow("mlflow.tracking", purpose=_PURPOSE)
        self._open: Callable[[], Any] = partial(client.MlflowClient, tracking_uri)
        self._opened: Any = None
        self._experiments: dict[str, str] = {}

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What is raised when the server refuses, hangs or is not there."""
        return (self._errors.MlflowException, OSError)

    @property
    def _client(self) -> Any:
        """The client; opening one asks a database, so that it may fail."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, which is made if need be."""
        if name not in self._experiments:
            found = self._client.get_experiment_by_name(name)
            if found is None:
                self._experiments[name] = str(self._client.create_experiment(name))
            else:
                if found.lifecycle_stage != "active":
                    self._client.restore_experiment(found.experiment_id)
                self._experiments[name] = str(found.experiment_id)
        return self._experiments[name]

    def find(self, experiment: str, run_id: str) -> str | None:
        """Return the run that carries the id of a run of ours, if there is one."""
        wanted = f"tags.`{RUN_TAG}` = '{run_id}'"
        found = self._client.search_runs([experiment], wanted, max_results=1)
        return str(found[0].info.run_id) if found else None

    def create(self, experiment: str, tags: Mapping[str, str], time: float) -> str:
        """Make a run and return its id."""
        run = self._client.create_run(
            experiment, start_time=_milliseconds(time), tags=_short(tags, _LONGEST_TAG)
        )
        return str(run.info.run_id)

    def log(
        self,
        mlflow_id: str,
        *,
        points: Sequence[Point] = (),
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add numbers, parameters and tags to a run."""
        metrics = [
            self._entities.Metric(p.name, p.value, _milliseconds(p.time), p.step) for p in points
        ]
        given = _short(params or {}, _LONGEST_PARAM)
        written = [self._entities.Param(name, value) for name, value in given.items()]
        named = _short(tags or {}, _LONGEST_TAG)
        labels = [self._entities.RunTag(name, value) for name, value in named.items()]
        while metrics or written or labels:
            self._client.log_batch(
                mlflow_id,
                metrics=metrics[: _MOST_METRICS - 2 * _MOST_PARAMS],
                params=written[:_MOST_PARAMS],
                tags=labels[:_MOST_PARAMS],
            )
            metrics = metrics[_MOST_METRICS - 2 * _MOST_PARAMS :]
            written, labels = written[_MOST_PARAMS:], labels[_MOST_PARAMS:]

    def set_status(self, mlflow_id: str, status: str, time: float | None) -> None:
        """Set the state of a run: RUNNING, or one of FINISHED, FAILED and KILLED at a time."""
        if time is None:
            self._client.update_run(mlflow_id, status)
        else:
            self._client.set_terminated(mlflow_id, status, _milliseconds(time))


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _short(values: Mapping[str, Any], longest: int) -> dict[str, str]:
    return {name: str(value)[:longest] for name, value in values.items()}
