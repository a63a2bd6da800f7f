"""A published pipeline, and a stand-in for what starts it: it writes a run, and no more."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, did_you_mean
from nbautoml.pipelines import submission
from nbautoml.pipelines.published import PublishedPipeline, publish_frozen
from nbautoml.runs.experiment import Experiment

PARAMETERS = {"rate": 0.1, "source": {"datastore": "workspaceblobstore", "path": "in/a.csv"}}


@dataclass(frozen=True)
class FewSteps:
    """As much of a frozen pipeline as publishing needs."""

    names: tuple[str, ...] = ("prepare", "train")
    parameters: Mapping[str, Any] = field(default_factory=lambda: dict(PARAMETERS))

    @property
    def step_names(self) -> tuple[str, ...]:
        return self.names

    def to_json(self) -> dict[str, Any]:
        steps = [{"name": name} for name in self.names]
        return {"form": 1, "description": "", "steps": steps, "parameters": dict(self.parameters)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> FewSteps:
        return cls(tuple(step["name"] for step in content["steps"]), content["parameters"])


@dataclass
class Submitted:
    """What was started, in order; an error in `failures` is raised instead, once."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def submit(self, experiment: Experiment, frozen: FewSteps, **given: Any) -> SimpleNamespace:
        if self.failures:
            raise self.failures.pop()
        assign(experiment.session, frozen.parameters, given["parameters"])
        self.calls.append({"experiment": experiment.name, "steps": frozen.step_names, **given})
        record = RunRecord(
            id=str(uuid.uuid4()),
            experiment=experiment.name,
            type="interactive",
            status=RunStatus.NOT_STARTED,
            created_at=float(len(self.calls)),
            properties=dict(given["properties"]),
        )
        with experiment.session.write() as tx:
            tx.experiments.get_or_create(experiment.name)
            tx.runs.create(record)
        return SimpleNamespace(id=record.id)


def assign(_session: Any, defaults: Mapping[str, Any], given: Mapping[str, Any] | None) -> Any:
    for name in given or {}:
        if name not in defaults:
            raise ConfigError(
                f"The pipeline has no parameter {name!r}.{did_you_mean(name, defaults)}"
            )
    return {**defaults, **(given or {})}


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    """Take the place of what starts a pipeline; return what will have been started."""
    submitted = Submitted()
    module = SimpleNamespace(FrozenPipeline=FewSteps, submit_frozen=submitted.submit, assign=assign)
    monkeypatch.setattr(submission, "_load", lambda _name: module)
    return submitted


def publish(workspace: Any, name: str = "train", **values: Any) -> PublishedPipeline:
    """Publish two steps with two parameters."""
    return publish_frozen(workspace, FewSteps(), name=name, **values)
