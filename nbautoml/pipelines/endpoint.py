"""`PipelineEndpoint`: a name and an address behind which versions of a pipeline change."""

from __future__ import annotations

import builtins
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any  # Any: pipelines that are not published, and values

from nbautoml.domain.records import PipelineEndpointRecord
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.pipelines.addresses import OPENAPI_PATH, api_address, endpoint_address
from nbautoml.pipelines.html import PARAMETERS, parameter_rows, pipeline_html
from nbautoml.pipelines.picture import steps_of
from nbautoml.pipelines.published import (
    PublishedPipeline,
    check_one_of,
    followed,
    parameters_of,
)
from nbautoml.pipelines.submission import ENDPOINT_ID, Start, check_active, start_published
from nbautoml.store.session import HasSession, Session

if TYPE_CHECKING:
    from nbautoml.pipelines.pipeline_run import PipelineRun
    from nbautoml.runs.experiment import Experiment

__all__ = ["PipelineEndpoint"]

_NAME = re.compile(r"[^\s/?#][^/?#\n\x00]{0,254}")
_ARCHIVED = re.compile(r" \(archived [0-9a-f]{8}\)$")


class PipelineEndpoint:
    """An endpoint of a workspace.

    Get one with `PipelineEndpoint.get` or `PipelineEndpoint.publish`.

    Parameters
    ----------
    session : Session
        The open store.
    record : PipelineEndpointRecord
        What the store knows of it.
    """

    submit_settings = (*PublishedPipeline.submit_settings, "pipeline_version")
    """What ``Experiment.submit`` takes for an endpoint."""

    def __init__(self, session: Session, record: PipelineEndpointRecord) -> None:
        self.session = session
        self._record = record

    @staticmethod
    def publish(
        workspace: HasSession, name: str, description: str | None, pipeline: Any, **_azure: Any
    ) -> PipelineEndpoint:
        """Make an endpoint whose version ``"0"``, its default, is a pipeline.

        Parameters
        ----------
        workspace : Workspace
            Where to make it.
        name : str
            Its name, the only one in the workspace.
        description : str or None
            A text for people.
        pipeline : PublishedPipeline or Pipeline
            A Pipeline is published first.

        Raises
        ------
        ConflictError
            When there is an endpoint of that name.
        ConfigError
            When it cannot be called so.
        """
        session = workspace.session
        record = PipelineEndpointRecord(
            id=str(uuid.uuid4()),
            name=_checked(name),
            created_at=time.time(),
            description=description or "",
        )
        with session.read() as tx:
            tx.pipeline_endpoints.check_free(record)  # before anything is published for it
        published = _published(pipeline, name, description)
        record = replace(record, versions=(("0", published.id),))
        with session.write() as tx:
            tx.pipeline_endpoints.create(record)
        return PipelineEndpoint(session, record)

    @staticmethod
    def get(
        workspace: HasSession, id: str | None = None, name: str | None = None, **_azure: Any
    ) -> PipelineEndpoint:
        """Return an endpoint by its id or its name.

        Raises
        ------
        NotFoundError
            When there is none.
        ConfigError
            When neither or both are given.
        """
        check_one_of("PipelineEndpoint.get", id, name)
        session = workspace.session
        with session.read() as tx:
            endpoints = tx.pipeline_endpoints
            record = endpoints.get(id) if id is not None else endpoints.find(name or "")
        return PipelineEndpoint(session, record)

    @staticmethod
    def list(
        workspace: HasSession, active_only: bool = True, max_results: int = 100, **_azure: Any
    ) -> builtins.list[PipelineEndpoint]:
        """Return the endpoints, newest first.

        Parameters
        ----------
        workspace : Workspace
            Where to look.
        active_only : bool, default True
            Whether to leave out those that are disabled or archived.
        max_results : int, default 100
            How many at most.
        """
        return PipelineEndpoint.get_all(workspace, active_only)[:max_results]

    @staticmethod
    def get_all(
        workspace: HasSession, active_only: bool = True, **_azure: Any
    ) -> builtins.list[PipelineEndpoint]:
        """Return all endpoints, newest first; by default only active ones."""
        session = workspace.session
        status = PublishedStatus.ACTIVE if active_only else None
        with session.read() as tx:
            records = tx.pipeline_endpoints.list(status=status)
        return [PipelineEndpoint(session, record) for record in records]

    @property
    def id(self) -> str:
        """Its id."""
        return self._record.id

    @property
    def name(self) -> str:
        """Its name."""
        return self._record.name

    @property
    def description(self) -> str:
        """A text for people."""
        return self._record.description

    @property
    def status(self) -> str:
        """``"Active"``, ``"Disabled"`` or ``"Archived"``."""
        return self._record.status.value

    @property
    def default_version(self) -> str:
        """The version that runs when none is named."""
        return self._record.default_version

    @property
    def endpoint(self) -> str:
        """Its REST address; `Workspace.serve_api` starts what answers there."""
        return endpoint_address(self.session, self.id)

    @property
    def swaggerurl(self) -> str:
        """Address of the document that describes the REST service."""
        return f"{api_address(self.session)}{OPENAPI_PATH}"

    @property
    def pipeline_version_list(self) -> builtins.list[tuple[str, str]]:
        """Pairs of a version and the id of its published pipeline, oldest first."""
        return [*self._record.versions]

    def get_default_version(self) -> str:
        """Return the version that runs when none is named."""
        return self._record.default_version

    def get_pipeline(self, version: str | None = None) -> PublishedPipeline:
        """Return the published pipeline of a version, of the default when none is named.

        Raises
        ------
        NotFoundError
            When there is no such version.
        """
        pipeline_id = pipeline_of(self._record, version)
        with self.session.read() as tx:
            return PublishedPipeline(self.session, tx.published_pipelines.get(pipeline_id))

    def get_all_versions(self) -> builtins.list[tuple[str, str]]:
        """Return pairs of a version and the id of its published pipeline, oldest first."""
        return self.pipeline_version_list

    def list_versions(self) -> builtins.list[tuple[str, str]]:
        """Return pairs of a version and the id of its published pipeline, oldest first."""
        return self.pipeline_version_list

    def get_all_pipelines(self, active_only: bool = True) -> builtins.list[PublishedPipeline]:
        """Return the published pipelines of its versions; by default only active ones."""
        found = [self.get_pipeline(version) for version, _ in self._record.versions]
        return [one for one in found if not active_only or one.status == PublishedStatus.ACTIVE]

    def list_pipelines(self, active_only: bool = True) -> builtins.list[PublishedPipeline]:
        """Return the published pipelines of its versions; by default only active ones."""
        return self.get_all_pipelines(active_only)

    def add(self, pipeline: Any) -> str:
        """Add a version; the default stays.

        Parameters
        ----------
        pipeline : PublishedPipeline or Pipeline
            A Pipeline is published first.

        Returns
        -------
        str
            The version.
        """
        published = _published(pipeline, self.name, self.description)
        with self.session.write() as tx:
            version = tx.pipeline_endpoints.add_version(self.id, published.id)
            self._record = tx.pipeline_endpoints.get(self.id)
        return version

    def add_default(self, pipeline: Any) -> str:
        """Add a version, make it the default, and return it; a Pipeline is published first."""
        published = _published(pipeline, self.name, self.description)
        with self.session.write() as tx:
            version = tx.pipeline_endpoints.add_version(self.id, published.id)
            known = tx.pipeline_endpoints.get(self.id)
            self._record = tx.pipeline_endpoints.update(replace(known, default_version=version))
        return version

    def set_default_version(self, version: str) -> None:
        """Say which version runs when none is named.

        Raises
        ------
        NotFoundError
            When there is no such version.
        """
        self._record = set_default(self.session, self.id, version)

    def set_default(self, pipeline: PublishedPipeline) -> None:
        """Make the newest version that is this pipeline the default.

        Raises
        ------
        NotFoundError
            When it is no version of the endpoint.
        """
        versions = [version for version, one in self._record.versions if one == pipeline.id]
        if not versions:
            raise NotFoundError(
                f"The pipeline {pipeline.id} is no version of the endpoint {self.name!r}. "
                "Add it: endpoint.add_default(pipeline)."
            )
        self.set_default_version(versions[-1])

    def set_name(self, name: str) -> None:
        """Give it another name; its id and its address stay.

        Raises
        ------
        ConflictError
            When another endpoint has that name.
        """
        self._change(name=_checked(name))

    def enable(self) -> None:
        """Let it be submitted."""
        self._change(status=PublishedStatus.ACTIVE)

    def disable(self) -> None:
        """Let it not be submitted any more, by anyone; runs under way go on."""
        self._change(status=PublishedStatus.DISABLED)

    def archive(self) -> None:
        """Put it away: it is not submitted any more, and its name is free for another one."""
        name = _ARCHIVED.sub("", self.name)
        self._change(name=f"{name} (archived {self.id[:8]})", status=PublishedStatus.ARCHIVED)

    def reactivate(self, name: str) -> None:
        """Let it be submitted again, under a name.

        Raises
        ------
        ConflictError
            When another endpoint has that name.
        """
        self._change(name=_checked(name), status=PublishedStatus.ACTIVE)

    def submit(
        self,
        experiment_name: str,
        pipeline_parameters: Mapping[str, Any] | None = None,
        parent_run_id: object = None,
        pipeline_version: str | None = None,
        **_azure: Any,
    ) -> PipelineRun:
        """Run a version, and return the run at once.

        Parameters
        ----------
        experiment_name : str
            Experiment of the run.
        pipeline_parameters : mapping, optional
            Values of parameters; the others have their defaults.
        parent_run_id : object
            The SDK's argument, of no use here.
        pipeline_version : str, optional
            Which version; the default when not given.

        Returns
        -------
        PipelineRun

        Raises
        ------
        ConflictError
            When the endpoint, or the pipeline of that version, is disabled.
        NotFoundError
            When there is no such version.
        ConfigError
            When the pipeline has no parameter of a name.
        """
        start = Start(experiment=experiment_name, parameters=pipeline_parameters or {})
        return start_endpoint(self.session, self.id, start, version=pipeline_version)

    def submit_to(
        self,
        experiment: Experiment,
        *,
        tags: Mapping[str, str] | None,
        show_output: bool,
        pipeline_parameters: Mapping[str, Any] | None = None,
        pipeline_version: str | None = None,
        continue_on_step_failure: bool | None = None,
        regenerate_outputs: bool = False,
    ) -> PipelineRun:
        """Run a version; see `Experiment.submit`."""
        start = Start(
            experiment=experiment.name,
            parameters=pipeline_parameters or {},
            continue_on_step_failure=continue_on_step_failure,
            regenerate_outputs=regenerate_outputs,
            tags=tags or {},
        )
        run = start_endpoint(experiment.session, self.id, start, version=pipeline_version)
        return followed(run, show_output)

    def _change(self, **values: Any) -> None:
        with self.session.write() as tx:
            known = tx.pipeline_endpoints.get(self.id)
            self._record = tx.pipeline_endpoints.update(replace(known, **values))

    def __repr__(self) -> str:
        return (
            f"PipelineEndpoint(Name: {self.name},\nId: {self.id},\nStatus: {self.status},\n"
            f"Default version: {self.default_version})"
        )

    def _repr_html_(self) -> str:
        facts = {
            "": self.status,
            "runs version": self.default_version,
            "id": self.id,
            "at": self.endpoint,
        }
        with self.session.read() as tx:
            pipelines = {id: tx.published_pipelines.get(id) for _, id in self._record.versions}
        chosen = pipelines[pipeline_of(self._record, None)]
        versions = [
            (version, pipelines[id].name, pipelines[id].status.value, id)
            for version, id in reversed(self._record.versions)
        ]
        tables = {
            ("Version", "Pipeline", "Status", "Id"): versions,
            PARAMETERS: parameter_rows(parameters_of(chosen)),
        }
        return pipeline_html(self.name, facts, steps_of(chosen.graph), tables=tables)


def start_endpoint(
    session: Session, endpoint_id: str, start: Start, *, version: str | None = None
) -> PipelineRun:
    """Start a version of an endpoint, its default when none is named; return the run.

    Raises
    ------
    NotFoundError
        When there is no such endpoint or version.
    ConflictError
        When the endpoint or the pipeline is disabled.
    """
    with session.read() as tx:
        record = tx.pipeline_endpoints.get(endpoint_id)
    check_active("pipeline endpoint", record.name, record.status)
    of_endpoint = {ENDPOINT_ID: record.id, **start.properties}
    return start_published(
        session, pipeline_of(record, version), replace(start, properties=of_endpoint)
    )


def pipeline_of(record: PipelineEndpointRecord, version: str | None = None) -> str:
    """Return the id of the pipeline of a version, of the default when none is named.

    Raises
    ------
    NotFoundError
        When there is no such version.
    """
    wanted = record.default_version if version is None else str(version)
    found = dict(record.versions).get(wanted)
    if found is None:
        there = ", ".join(number for number, _ in record.versions)
        raise NotFoundError(
            f"The pipeline endpoint {record.name!r} has no version {wanted!r}; it has {there}."
        )
    return found


def set_default(session: Session, endpoint_id: str, version: str) -> PipelineEndpointRecord:
    """Say which version of an endpoint runs when none is named.

    Raises
    ------
    NotFoundError
        When there is no such endpoint or version.
    """
    with session.write() as tx:
        known = tx.pipeline_endpoints.get(endpoint_id)
        pipeline_of(known, version)
        return tx.pipeline_endpoints.update(replace(known, default_version=str(version)))


def _published(pipeline: Any, name: str, description: str | None) -> PublishedPipeline:
    """Return what can be a version: a Pipeline is published."""
    if isinstance(pipeline, PublishedPipeline):
        return pipeline
    publish = getattr(pipeline, "publish", None)
    if publish is None:
        raise ConfigError(
            "A version of a pipeline endpoint is a Pipeline or a PublishedPipeline; got a "
            f"{type(pipeline).__name__}."
        )
    made: PublishedPipeline = publish(name=name, description=description)
    return made


def _checked(name: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            f"A pipeline endpoint cannot be called {name!r}: use 1 to 255 signs, none of them "
            "'/', '?' or '#'."
        )
    return name
