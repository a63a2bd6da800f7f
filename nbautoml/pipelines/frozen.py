"""A pipeline as JSON that needs none of the code that made it, and how it becomes a run."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any  # Any: JSON values, and values of parameters

from nbautoml.domain.events import GraphDescribed, PipelineStep, RunDescribed, json_safe
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError
from nbautoml.pipelines.parameters import assign
from nbautoml.runs.controller import launch
from nbautoml.runs.types import PIPELINE_RUN

if TYPE_CHECKING:
    from nbautoml.pipelines.pipeline_run import PipelineRun
    from nbautoml.runs.experiment import Experiment

FORM = 1
"""Version of the JSON; one that is newer is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenOutput:
    """An output of a step: see `nbautoml.pipelines.ports.OutputPort`.

    ``register_as`` holds names, descriptions, tags, and how the files are read.
    """

    name: str
    datastore: str
    path: str | None = None
    is_directory: bool = False
    pipeline_output_name: str = ""
    training: str = ""
    register_as: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenStep:
    """A step with all resolved that does not depend on parameters.

    Parameters
    ----------
    number : int
        Its place in the pipeline, from 0.
    name : str
        Its name.
    kind : str
        ``"script"`` or ``"automl"``.
    step_kind : str
        Name of its class.
    after : tuple of int
        Steps that complete before it begins.
    inputs : tuple of mapping
        What it reads: name, source, table and is_copy.
    outputs : tuple of FrozenOutput
        What it writes.
    arguments : tuple of mapping
        Each a ``text``, or the name of a ``parameter``, an ``input`` or an ``output``.
    params : mapping
        Name to the same, for its environment.
    settings : mapping
        What it does: a script's job, or the settings of AutoML.
    allow_reuse : bool
        Whether results of an earlier run may be taken.
    version : str
        Counts as part of what it does.
    """

    number: int
    name: str
    kind: str
    step_kind: str
    settings: Mapping[str, Any]
    after: tuple[int, ...] = ()
    inputs: tuple[Mapping[str, Any], ...] = ()
    outputs: tuple[FrozenOutput, ...] = ()
    arguments: tuple[Mapping[str, Any], ...] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    allow_reuse: bool = True
    version: str = ""

    @property
    def described(self) -> PipelineStep:
        """The step as the graph of a run shows it."""
        return PipelineStep(
            number=self.number,
            name=self.name,
            step_kind=self.step_kind,
            after=self.after,
            inputs=tuple(str(given["name"]) for given in self.inputs),
            outputs=tuple(output.name for output in self.outputs),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPipeline:
    """A pipeline that can be submitted from any process.

    Parameters
    ----------
    description : str
        What it is for.
    steps : tuple of FrozenStep
        Its steps, by number.
    parameters : mapping
        Name of each parameter to its default value.
    """

    description: str
    steps: tuple[FrozenStep, ...]
    parameters: Mapping[str, Any]

    @property
    def step_names(self) -> tuple[str, ...]:
        """Names of the steps, in their order."""
        return tuple(step.name for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """Return it with only JSON types in it."""
        written: dict[str, Any] = json_safe({"form": FORM, **asdict(self)})
        return written

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> FrozenPipeline:
        """Return the pipeline that `to_json` wrote.

        Raises
        ------
        ConfigError
            When it was written by a newer version.
        """
        if content.get("form", FORM) > FORM:
            raise ConfigError(
                "This pipeline was written by a newer nbautoml. To run it: pip install -U nbautoml"
            )
        steps = tuple(_step_from(step) for step in content["steps"])
        return cls(
            description=content["description"], steps=steps, parameters=content["parameters"]
        )


def submit_frozen(
    experiment: Experiment,
    frozen: FrozenPipeline,
    *,
    parameters: Mapping[str, Any] | None = None,
    continue_on_step_failure: bool = False,
    regenerate_outputs: bool = False,
    name: str = "",
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
) -> PipelineRun:
    """Record a run of a pipeline and start its process; returns at once.

    Parameters
    ----------
    experiment : Experiment
        Where the run belongs.
    frozen : FrozenPipeline
        What is run.
    parameters : mapping, optional
        Values in place of defaults.
    continue_on_step_failure : bool, default False
        Whether steps that do not need a failed one are run all the same.
    regenerate_outputs : bool, default False
        Whether every step is run, whatever was made earlier.
    name : str, default ""
        A name for people; what the pipeline is said to be for by default.
    tags, properties : mapping of str to str, optional
        Kept with the run.

    Raises
    ------
    ConfigError
        When the pipeline has no parameter of a name, or it stands for something else.
    """
    from nbautoml.pipelines.pipeline_run import PipelineRun  # it publishes, and needs this module

    session = experiment.session
    values = assign(session, frozen.parameters, parameters)
    record = RunRecord(
        id=str(uuid.uuid4()),
        experiment=experiment.name,
        type=PIPELINE_RUN,
        status=RunStatus.NOT_STARTED,
        created_at=time.time(),
        display_name=name or frozen.description,
        settings={
            "pipeline": frozen.to_json(),
            "parameters": values,
            "continue_on_step_failure": bool(continue_on_step_failure),
            "regenerate_outputs": bool(regenerate_outputs),
            "compute_target": "local",
        },
        tags={k: str(v) for k, v in (tags or {}).items()},
        properties={
            "azureml.runsource": PIPELINE_RUN,
            "azureml.parameters": json.dumps(values),
            "azureml.continue_on_step_failure": str(bool(continue_on_step_failure)),
            **(properties or {}),
        },
    )
    described = RunDescribed(
        what="pipeline", experiment=experiment.name, text=frozen.description or ""
    )
    graph = GraphDescribed(steps=tuple(step.described for step in frozen.steps))
    with session.write() as tx:
        tx.experiments.get_or_create(experiment.name)
        tx.runs.create(record)
        tx.events.append(record.id, [described, graph], record.created_at)
    launch(session, record.id)
    return PipelineRun(experiment, record.id)


def _step_from(content: Mapping[str, Any]) -> FrozenStep:
    values = dict(content)
    outputs = tuple(
        FrozenOutput(**{**output, "register_as": tuple(output["register_as"])})
        for output in values.pop("outputs")
    )
    for name in ("after", "inputs", "arguments"):
        values[name] = tuple(values[name])
    return FrozenStep(outputs=outputs, **values)
