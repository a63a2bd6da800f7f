"""Starting what was published: the one way for notebooks, schedules and callers from outside.

Who lists what is published imports this, too: what reads tables is loaded with the first start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any  # Any: values of parameters

from nbautoml.domain.records import PublishedPipelineRecord
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import ConflictError
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.pipelines.pipeline_run import PipelineRun

PIPELINE_ID = "azureml.pipelineid"
ENDPOINT_ID = "azureml.pipelineendpointid"
SCHEDULE_ID = "azureml.scheduleid"
RUN_TYPE = "azureml.runType"
"""Properties of a run that was started from what is published, as the SDK calls them."""

SDK, HTTP, SCHEDULE = "SDK", "HTTP", "Schedule"
"""What started a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a published pipeline is to run.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    source : {"SDK", "HTTP", "Schedule"}
        What starts it.
    parameters : mapping
        Values of parameters; the others have their defaults.
    continue_on_step_failure : bool, optional
        As it was published when not given.
    regenerate_outputs : bool, default False
        Whether every step is run, whatever was made earlier.
    tags : mapping of str to str
        Kept with the run.
    properties : mapping of str to str
        More properties of the run.
    """

    experiment: str
    source: str = SDK
    parameters: Mapping[str, Any] = field(default_factory=dict)
    continue_on_step_failure: bool | None = None
    regenerate_outputs: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


def start_published(session: Session, pipeline_id: str, start: Start) -> PipelineRun:
    """Start a published pipeline; return its run at once.

    Parameters
    ----------
    session : Session
        The open store.
    pipeline_id : str
        Which pipeline.
    start : Start
        How.

    Returns
    -------
    PipelineRun

    Raises
    ------
    NotFoundError
        When there is no such pipeline.
    ConflictError
        When it is disabled.
    ConfigError
        When it has no parameter of a name, or the experiment cannot be called so.
    """
    from nbautoml.pipelines import frozen

    with session.read() as tx:
        record = tx.published_pipelines.get(pipeline_id)
    check_active("published pipeline", record.name or record.id, record.status)
    experiment = Experiment(WorkspaceHandle(session), start.experiment)
    keep_going = start.continue_on_step_failure
    if keep_going is None:
        keep_going = record.continue_on_step_failure
    return frozen.submit_frozen(
        experiment,
        frozen.FrozenPipeline.from_json(record.graph),
        parameters=dict(start.parameters),
        continue_on_step_failure=keep_going,
        regenerate_outputs=start.regenerate_outputs,
        name=record.name,
        tags=start.tags,
        properties={PIPELINE_ID: record.id, RUN_TYPE: start.source, **start.properties},
    )


def check_active(noun: str, name: str, status: PublishedStatus) -> None:
    """Raise an error for what is disabled or archived.

    Raises
    ------
    ConflictError
        When it is.
    """
    if status is not PublishedStatus.ACTIVE:
        way = ".reactivate(name)" if status is PublishedStatus.ARCHIVED else ".enable()"
        raise ConflictError(
            f"The {noun} {name!r} is {status.value.lower()}, so that nothing of it can be "
            f"submitted. Make it active again with {way}."
        )


def frozen_parameters(
    session: Session, record: PublishedPipelineRecord, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return values of parameters as JSON, those that were given alone.

    Raises
    ------
    ConfigError
        When the pipeline has no parameter of a name, or it stands for something else.
    NotFoundError
        When a value names a datastore or a dataset that is not there.
    """
    from nbautoml.pipelines.parameters import assign

    values = assign(session, record.graph["parameters"], given)
    return {name: values[name] for name in given or {}}
