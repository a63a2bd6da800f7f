"""`PublishedPipeline`: a pipeline that runs without the code that made it."""

from __future__ import annotations

import builtins
import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: JSON values, and values of parameters

from nbautoml.domain.records import PublishedPipelineRecord
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import ConfigError
from nbautoml.pipelines.addresses import pipeline_address
from nbautoml.pipelines.html import PARAMETERS, parameter_rows, pipeline_html
from nbautoml.pipelines.picture import steps_of
from nbautoml.pipelines.submission import Start, start_published
from nbautoml.store.session import HasSession, Session

if TYPE_CHECKING:
    from nbautoml.pipelines.frozen import FrozenPipeline
    from nbautoml.pipelines.pipeline_run import PipelineRun
    from nbautoml.runs.experiment import Experiment

__all__ = ["PublishedPipeline", "publish_frozen"]


class PublishedPipeline:
    """A published pipeline of a workspace.

    Get one with `PublishedPipeline.get`, or by publishing a pipeline.

    Parameters
    ----------
    session : Session
        The open store.
    record : PublishedPipelineRecord
        What the store knows of it.
    """

    submit_settings = ("pipeline_parameters", "continue_on_step_failure", "regenerate_outputs")
    """What ``Experiment.submit`` takes for a published pipeline."""

    def __init__(self, session: Session, record: PublishedPipelineRecord) -> None:
        self.session = session
        self._record = record

    @staticmethod
    def get(
        workspace: HasSession, id: str | None = None, name: str | None = None, **_azure: Any
    ) -> PublishedPipeline:
        """Return a published pipeline by its id, or the newest active one of a name.

        Parameters
        ----------
        workspace : Workspace
            Where to look.
        id, name : str, optional
            One of the two.

        Raises
        ------
        NotFoundError
            When there is none.
        ConfigError
            When neither or both are given.
        """
        check_one_of("PublishedPipeline.get", id, name)
        session = workspace.session
        with session.read() as tx:
            pipelines = tx.published_pipelines
            record = pipelines.get(id) if id is not None else pipelines.find(name or "")
        return PublishedPipeline(session, record)

    @staticmethod
    def list(
        workspace: HasSession, active_only: bool = True, **_azure: Any
    ) -> builtins.list[PublishedPipeline]:
        """Return the published pipelines, newest first; by default only active ones."""
        session = workspace.session
        status = PublishedStatus.ACTIVE if active_only else None
        with session.read() as tx:
            records = tx.published_pipelines.list(status=status)
        return [PublishedPipeline(session, record) for record in records]

    @staticmethod
    def get_all(
        workspace: HasSession, active_only: bool = True, **_azure: Any
    ) -> builtins.list[PublishedPipeline]:
        """Return the published pipelines, as `list` does."""
        return PublishedPipeline.list(workspace, active_only)

    @property
    def id(self) -> str:
        """Its id."""
        return self._record.id

    @property
    def graph_id(self) -> str:
        """Id of its graph: its own, because each publication has a graph of its own."""
        return self._record.id

    @property
    def name(self) -> str:
        """Its name."""
        return self._record.name

    @property
    def version(self) -> str:
        """What the publisher called this version."""
        return self._record.version

    @property
    def description(self) -> str:
        """A text for people."""
        return self._record.description

    @property
    def status(self) -> str:
        """``"Active"`` or ``"Disabled"``."""
        return self._record.status.value

    @property
    def continue_on_step_failure(self) -> bool:
        """Whether other steps go on when one has failed."""
        return self._record.continue_on_step_failure

    @property
    def tags(self) -> dict[str, str]:
        """Words to find it by."""
        return dict(self._record.tags)

    @property
    def properties(self) -> dict[str, str]:
        """Facts from its publication."""
        return dict(self._record.properties)

    @property
    def endpoint(self) -> str:
        """Its REST address; `Workspace.serve_api` starts what answers there."""
        return pipeline_address(self.session, self.id)

    @property
    def total_run_steps(self) -> int:
        """How many steps it has."""
        return len(self.get_step_names())

    @property
    def parameters(self) -> dict[str, Any]:
        """Name to default of each parameter."""
        return parameters_of(self._record)

    def get_step_names(self) -> builtins.list[str]:
        """Return the names of its steps."""
        return step_names_of(self._record)

    def get_graph(self) -> dict[str, Any]:
        """Return all that was frozen: steps, their files, parameters (JSON)."""
        return dict(self._record.graph)

    def save(self, path: str | Path | None = None) -> str:
        """Write the graph and what is known of the pipeline to a JSON file; return its path.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            The file, or a folder for ``<name>.json``; the working directory when not given.
        """
        target = Path(path).expanduser() if path is not None else Path.cwd()
        if target.is_dir():
            target = target / f"{self.name or self.id}.json"
        facts = {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "graph": self.get_graph(),
        }
        target.write_text(json.dumps(facts, indent=2), encoding="utf-8")
        return str(target)

    def submit(
        self,
        workspace: HasSession,
        experiment_name: str,
        pipeline_parameters: Mapping[str, Any] | None = None,
        parent_run_id: object = None,
        continue_on_step_failure: bool | None = None,
        **_azure: Any,
    ) -> PipelineRun:
        """Run it, and return the run at once.

        Parameters
        ----------
        workspace : Workspace
            Where it is published.
        experiment_name : str
            Experiment of the run.
        pipeline_parameters : mapping, optional
            Values of parameters; the others have their defaults.
        parent_run_id : object
            The SDK's argument, of no use here.
        continue_on_step_failure : bool, optional
            Whether other steps go on when one has failed; as it was published when not given.

        Returns
        -------
        PipelineRun

        Raises
        ------
        ConflictError
            When it is disabled.
        ConfigError
            When it has no parameter of a name.
        """
        start = Start(
            experiment=experiment_name,
            parameters=pipeline_parameters or {},
            continue_on_step_failure=continue_on_step_failure,
        )
        return start_published(workspace.session, self.id, start)

    def submit_to(
        self,
        experiment: Experiment,
        *,
        tags: Mapping[str, str] | None,
        show_output: bool,
        pipeline_parameters: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool | None = None,
        regenerate_outputs: bool = False,
    ) -> PipelineRun:
        """Run it; see `Experiment.submit`."""
        start = Start(
            experiment=experiment.name,
            parameters=pipeline_parameters or {},
            continue_on_step_failure=continue_on_step_failure,
            regenerate_outputs=regenerate_outputs,
            tags=tags or {},
        )
        return followed(start_published(experiment.session, self.id, start), show_output)

    def enable(self) -> None:
        """Let it be submitted."""
        self._set(PublishedStatus.ACTIVE)

    def disable(self) -> None:
        """Let it not be submitted any more, by anyone; runs under way go on."""
        self._set(PublishedStatus.DISABLED)

    def _set(self, status: PublishedStatus) -> None:
        with self.session.write() as tx:
            self._record = tx.published_pipelines.set_status(self.id, status)

    def __repr__(self) -> str:
        return (
            f"PublishedPipeline(Name: {self.name},\nId: {self.id},\nStatus: {self.status},\n"
            f"Version: {self.version})"
        )

    def _repr_html_(self) -> str:
        facts = {"": self.status, "version": self.version, "id": self.id, "at": self.endpoint}
        tables = {PARAMETERS: parameter_rows(parameters_of(self._record))}
        return pipeline_html(self.name, facts, steps_of(self._record.graph), tables=tables)


# Both read the JSON itself: what lists pipelines does not load what runs them.


def step_names_of(record: PublishedPipelineRecord) -> list[str]:
    """Return the names of the steps of a published pipeline, in their order."""
    return [str(step["name"]) for step in record.graph["steps"]]


def parameters_of(record: PublishedPipelineRecord) -> dict[str, Any]:
    """Return name and default of each parameter of a published pipeline."""
    return dict(record.graph["parameters"])


def publish_frozen(
    workspace: HasSession,
    frozen: FrozenPipeline,
    *,
    name: str,
    description: str | None = None,
    version: str | None = None,
    continue_on_step_failure: bool | None = None,
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
) -> PublishedPipeline:
    """Keep a frozen pipeline in the workspace, so that it can run without the code that made it.

    Parameters
    ----------
    workspace : Workspace
        Where to keep it.
    frozen : FrozenPipeline
        The pipeline.
    name : str
        Its name; several may have the same.
    description : str, optional
        A text for people.
    version : str, optional
        What you call this version.
    continue_on_step_failure : bool, optional
        Whether other steps go on when one has failed; not when nothing is said.
    tags, properties : mapping of str to str, optional
        Words to find it by, and facts.

    Raises
    ------
    ConfigError
        When the name is empty.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"A published pipeline needs a name; got {name!r}.")
    now = time.time()
    record = PublishedPipelineRecord(
        id=str(uuid.uuid4()),
        name=name.strip(),
        version=version or "",
        graph=frozen.to_json(),
        created_at=now,
        updated_at=now,
        description=description or "",
        continue_on_step_failure=bool(continue_on_step_failure),
        tags=dict(tags or {}),
        properties=dict(properties or {}),
    )
    session = workspace.session
    with session.write() as tx:
        tx.published_pipelines.create(record)
    return PublishedPipeline(session, record)


def followed(run: PipelineRun, show_output: bool) -> PipelineRun:
    """Return a run that was started, at its end when its output is shown."""
    if show_output:
        run.wait_for_completion(show_output=True)
    return run


def check_one_of(call: str, id: str | None, name: str | None) -> None:
    """Raise an error unless one of an id and a name is given.

    Raises
    ------
    ConfigError
        When neither or both are.
    """
    if (id is None) == (name is None):
        raise ConfigError(f"{call} takes either id= or name=; got id={id!r}, name={name!r}.")
