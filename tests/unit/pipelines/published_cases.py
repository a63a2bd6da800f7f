"""A published pipeline, and a stand-in for what starts it: it writes a run, and no more."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.pipelines import frozen as frozen_module
from nbautoml.pipelines.frozen import FrozenPipeline, FrozenStep
from nbautoml.pipelines.parameters import assign
from nbautoml.pipelines.published import PublishedPipeline, publish_frozen
from nbautoml.runs.experiment import Experiment

PARAMETERS = {"rate": 0.1, "source": {"datastore": "workspaceblobstore", "path": "in/a.csv"}}
STEPS = tuple(
    FrozenStep(number=number, name=name, kind="script", step_kind="", settings={})
    for number, name in enumerate(("prepare", "train"))
)


@dataclass
class Submitted:
    """What was started, in order; an error in `failures` is raised instead, once."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)

    def submit(
        self, experiment: Experiment, frozen: FrozenPipeline, **given: Any
    ) -> SimpleNamespace:
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
        show = lambda *, show_output: self.shown.append(show_output)  # noqa: E731
        return SimpleNamespace(id=record.id, wait_for_completion=show)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    """Take the place of what starts a pipeline; return what will have been started."""
    submitted = Submitted()
    monkeypatch.setattr(frozen_module, "submit_frozen", submitted.submit)
    return submitted


def publish(
    workspace: Any,
    name: str = "train",
    *,
    parameters: Mapping[str, Any] = PARAMETERS,
    **values: Any,
) -> PublishedPipeline:
    """Publish two steps with two parameters."""
    Datastore(workspace)  # the default, which a parameter names
    frozen = FrozenPipeline(description="", steps=STEPS, parameters=parameters)
    return publish_frozen(workspace, frozen, name=name, **values)
