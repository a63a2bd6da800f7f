"""`Schedule`: a published pipeline that runs again and again, or when files change."""

from __future__ import annotations

import builtins
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any  # Any: JSON values, and values of parameters

from nbautoml.data.datastore import Datastore
from nbautoml.domain.records import PublishedPipelineRecord, ScheduleRecord
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import ConfigError
from nbautoml.pipelines import watched_path
from nbautoml.pipelines.endpoint import pipeline_of
from nbautoml.pipelines.recurrence import ScheduleRecurrence
from nbautoml.pipelines.schedule_settings import POLLING_MINUTES, ScheduleSettings
from nbautoml.pipelines.scheduler_process import start_scheduler
from nbautoml.pipelines.submission import SCHEDULE_ID, frozen_parameters
from nbautoml.runs.experiment import check_experiment_name
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import HasSession, Session

__all__ = ["Schedule", "set_schedule_status"]


class Schedule:
    """When a published pipeline, or the default of an endpoint, runs.

    Made by `Schedule.create` and `Schedule.create_for_pipeline_endpoint`. A process of the
    workspace submits what is due; opening the workspace starts it.

    Parameters
    ----------
    session : Session
        The open store.
    record : ScheduleRecord
        What the store knows of it.
    """

    def __init__(self, session: Session, record: ScheduleRecord) -> None:
        self.session = session
        self._record = record

    @staticmethod
    def create(
        workspace: HasSession,
        name: str,
        pipeline_id: str,
        experiment_name: str,
        recurrence: ScheduleRecurrence | None = None,
        description: str | None = None,
        *,
        pipeline_parameters: Mapping[str, Any] | None = None,
        wait_for_provisioning: bool = False,
        wait_timeout: int = 3600,
        datastore: Datastore | str | None = None,
        polling_interval: int = POLLING_MINUTES,
        data_path_parameter_name: str | None = None,
        continue_on_step_failure: bool | None = None,
        path_on_datastore: str | None = None,
    ) -> Schedule:
        """Let a published pipeline run again and again, or whenever files change.

        Parameters
        ----------
        workspace : Workspace
            Where it is published.
        name : str
            A name for people.
        pipeline_id : str
            The published pipeline.
        experiment_name : str
            Experiment of the runs.
        recurrence : ScheduleRecurrence, optional
            How often; either this or `datastore`.
        description : str, optional
            A text for people.
        pipeline_parameters : mapping, optional
            Values of parameters; the others have their defaults.
        wait_for_provisioning, wait_timeout
            The SDK's arguments: a schedule is ready at once.
        datastore : Datastore or str, optional
            Whose files are watched: a run for each look that finds new or changed ones.
        polling_interval : int, default 5
            Minutes between two looks.
        data_path_parameter_name : str, optional
            Parameter of the pipeline that gets the path that changed last.
        continue_on_step_failure : bool, optional
            Whether other steps go on when one has failed; as it was published when not given.
        path_on_datastore : str, optional
            File or folder to watch; the whole datastore when not given.

        Raises
        ------
        NotFoundError
            When there is no such pipeline or datastore.
        ConfigError
            When the values do not fit.
        """
        settings = ScheduleSettings(
            recurrence=recurrence,
            datastore=_name_of(datastore),
            path_on_datastore=path_on_datastore or "",
            polling_interval=polling_interval,
            data_path_parameter_name=data_path_parameter_name,
            parameters=dict(pipeline_parameters or {}),
            continue_on_step_failure=continue_on_step_failure,
        )
        draft = _draft(name, experiment_name, description)
        return _create(workspace.session, replace(draft, pipeline_id=pipeline_id), settings)

    @staticmethod
    def create_for_pipeline_endpoint(
        workspace: HasSession,
        name: str,
        pipeline_endpoint_id: str,
        experiment_name: str,
        recurrence: ScheduleRecurrence | None = None,
        description: str | None = None,
        *,
        pipeline_parameters: Mapping[str, Any] | None = None,
        wait_for_provisioning: bool = False,
        wait_timeout: int = 3600,
        datastore: Datastore | str | None = None,
        polling_interval: int = POLLING_MINUTES,
        data_path_parameter_name: str | None = None,
        continue_on_step_failure: bool | None = None,
        path_on_datastore: str | None = None,
    ) -> Schedule:
        """Let whatever is the default of an endpoint run; the arguments are those of `create`."""
        settings = ScheduleSettings(
            recurrence=recurrence,
            datastore=_name_of(datastore),
            path_on_datastore=path_on_datastore or "",
            polling_interval=polling_interval,
            data_path_parameter_name=data_path_parameter_name,
            parameters=dict(pipeline_parameters or {}),
            continue_on_step_failure=continue_on_step_failure,
        )
        draft = _draft(name, experiment_name, description)
        draft = replace(draft, endpoint_id=pipeline_endpoint_id)
        return _create(workspace.session, draft, settings)

    @staticmethod
    def get(workspace: HasSession, id: str, **_azure: Any) -> Schedule:
        """Return a schedule by its id.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        session = workspace.session
        with session.read() as tx:
            return Schedule(session, tx.schedules.get(id))

    @staticmethod
    def list(
        workspace: HasSession,
        active_only: bool = True,
        pipeline_id: str | None = None,
        pipeline_endpoint_id: str | None = None,
        **_azure: Any,
    ) -> builtins.list[Schedule]:
        """Return the schedules, newest first.

        Parameters
        ----------
        workspace : Workspace
            Where to look.
        active_only : bool, default True
            Whether to leave out those that are disabled.
        pipeline_id, pipeline_endpoint_id : str, optional
            Only those of this pipeline, or of this endpoint.
        """
        session = workspace.session
        with session.read() as tx:
            records = tx.schedules.list(
                pipeline_id=pipeline_id,
                endpoint_id=pipeline_endpoint_id,
                status=PublishedStatus.ACTIVE if active_only else None,
            )
        return [Schedule(session, record) for record in records]

    @staticmethod
    def get_all(
        workspace: HasSession,
        active_only: bool = True,
        pipeline_id: str | None = None,
        pipeline_endpoint_id: str | None = None,
        **_azure: Any,
    ) -> builtins.list[Schedule]:
        """Return the schedules, as `list` does."""
        return Schedule.list(workspace, active_only, pipeline_id, pipeline_endpoint_id)

    @staticmethod
    def get_schedules_for_pipeline_id(
        workspace: HasSession, pipeline_id: str
    ) -> builtins.list[Schedule]:
        """Return all schedules of a published pipeline, disabled ones too."""
        return Schedule.list(workspace, False, pipeline_id)

    @staticmethod
    def get_schedules_for_pipeline_endpoint_id(
        workspace: HasSession, pipeline_endpoint_id: str
    ) -> builtins.list[Schedule]:
        """Return all schedules of an endpoint, disabled ones too."""
        return Schedule.list(workspace, False, None, pipeline_endpoint_id)

    @property
    def id(self) -> str:
        """Its id."""
        return self._record.id

    @property
    def name(self) -> str:
        """A name for people."""
        return self._record.name

    @property
    def description(self) -> str:
        """A text for people."""
        return self._record.description

    @property
    def pipeline_id(self) -> str | None:
        """The published pipeline that it runs; None for one of an endpoint."""
        return self._record.pipeline_id

    @property
    def pipeline_endpoint_id(self) -> str | None:
        """The endpoint whose default it runs; None for one of a pipeline."""
        return self._record.endpoint_id

    @property
    def status(self) -> str:
        """``"Active"`` or ``"Disabled"``."""
        return self._record.status.value

    @property
    def settings(self) -> ScheduleSettings:
        """What was asked for."""
        return ScheduleSettings.from_json(self._record.settings)

    @property
    def recurrence(self) -> ScheduleRecurrence | None:
        """How often it runs; None for one that watches files."""
        return self.settings.recurrence

    @property
    def next_at(self) -> float | None:
        """When it runs or looks next, in seconds since the epoch; None when it is disabled."""
        with self.session.read() as tx:
            record = tx.schedules.get(self.id)
        return record.next_at if record.status is PublishedStatus.ACTIVE else None

    @property
    def error(self) -> str:
        """Why its last run could not be submitted; empty when it could."""
        with self.session.read() as tx:
            return str(tx.schedules.get(self.id).state.get("error", ""))

    def update(
        self,
        name: str | None = None,
        description: str | None = None,
        recurrence: ScheduleRecurrence | None = None,
        pipeline_parameters: Mapping[str, Any] | None = None,
        status: str | None = None,
        *,
        wait_for_provisioning: bool = False,
        wait_timeout: int = 3600,
        datastore: Datastore | str | None = None,
        polling_interval: int | None = None,
        data_path_parameter_name: str | None = None,
        continue_on_step_failure: bool | None = None,
        path_on_datastore: str | None = None,
    ) -> None:
        """Change it; what is not given stays. The arguments are those of `create`.

        A recurrence takes the place of a watched datastore, and the other way round.

        Parameters
        ----------
        status : {"Active", "Disabled"}, optional
            As `enable` and `disable`.

        Raises
        ------
        ConfigError
            When the values do not fit.
        """
        changes: dict[str, Any] = {
            "polling_interval": polling_interval,
            "data_path_parameter_name": data_path_parameter_name,
            "parameters": pipeline_parameters,
            "continue_on_step_failure": continue_on_step_failure,
            "path_on_datastore": path_on_datastore,
        }
        changes = {key: value for key, value in changes.items() if value is not None}
        if datastore is not None:
            changes |= {"datastore": _name_of(datastore), "recurrence": None}
        if recurrence is not None:
            no_datastore = {"datastore": None, "path_on_datastore": ""}
            changes |= {**no_datastore, "data_path_parameter_name": None, "recurrence": recurrence}
        record = replace(
            self._record,
            name=name or self._record.name,
            description=self._record.description if description is None else description,
            status=self._record.status if status is None else _status(status),
        )
        settings = replace(self.settings, **changes)
        is_moved = bool(changes) or record.status is not self._record.status
        self._record = _store(self.session, record, settings, is_moved=is_moved)

    def enable(self, wait_for_provisioning: bool = False, wait_timeout: int = 3600) -> None:
        """Let it run from now on; what it missed while it was disabled is not made up for."""
        self._record = set_schedule_status(self.session, self.id, PublishedStatus.ACTIVE)

    def disable(self, wait_for_provisioning: bool = False, wait_timeout: int = 3600) -> None:
        """Let it run no more; runs under way go on."""
        self._record = set_schedule_status(self.session, self.id, PublishedStatus.DISABLED)

    def get_pipeline_runs(self) -> builtins.list[Run]:
        """Return its runs, newest first."""
        with self.session.read() as tx:
            records = tx.runs.list(properties={SCHEDULE_ID: self.id})
        workspace = WorkspaceHandle(self.session)
        return [Run.get(workspace, record.id) for record in records]

    def get_last_pipeline_run(self) -> Run | None:
        """Return its newest run; None when it has none yet."""
        return next(iter(self.get_pipeline_runs()), None)

    def __repr__(self) -> str:
        target = self.pipeline_id or self.pipeline_endpoint_id
        return (
            f"Schedule(Name: {self.name},\nId: {self.id},\nStatus: {self.status},\n"
            f"Pipeline Id: {target},\nRecurrence Details: {self.recurrence})"
        )


def set_schedule_status(
    session: Session, schedule_id: str, status: PublishedStatus
) -> ScheduleRecord:
    """Enable or disable a schedule.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    with session.read() as tx:
        record = tx.schedules.get(schedule_id)
    if record.status is status:
        return record
    settings = ScheduleSettings.from_json(record.settings)
    return _store(session, replace(record, status=status), settings, is_moved=True)


def _draft(name: str, experiment: str, description: str | None) -> ScheduleRecord:
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"A schedule needs a name; got {name!r}.")
    check_experiment_name(experiment)
    return ScheduleRecord(
        id=str(uuid.uuid4()),
        name=name,
        experiment=experiment,
        created_at=time.time(),
        description=description or "",
    )


def _create(session: Session, draft: ScheduleRecord, settings: ScheduleSettings) -> Schedule:
    record = _prepared(session, draft, settings, is_moved=True)
    with session.write() as tx:
        tx.schedules.create(record)
    start_scheduler(session)
    return Schedule(session, record)


def _store(
    session: Session, record: ScheduleRecord, settings: ScheduleSettings, *, is_moved: bool
) -> ScheduleRecord:
    prepared = _prepared(session, record, settings, is_moved=is_moved)
    with session.write() as tx:
        known = tx.schedules.get(record.id)
        if not is_moved:  # its scheduler may have moved it meanwhile
            prepared = replace(prepared, next_at=known.next_at, state=known.state)
        stored = tx.schedules.update(replace(prepared, last_run_id=known.last_run_id))
    start_scheduler(session)
    return stored


def _prepared(
    session: Session, record: ScheduleRecord, settings: ScheduleSettings, *, is_moved: bool
) -> ScheduleRecord:
    """Return a schedule with checked settings, and with its next moment where that is new."""
    settings.check()
    pipeline = _pipeline_of(session, record)
    given = dict(settings.parameters)
    if settings.datastore is not None:
        settings = replace(settings, datastore=_datastore(session, settings.datastore).name)
    frozen = frozen_parameters(session, pipeline, given | _path_parameter(settings))
    settings = replace(settings, parameters={name: frozen[name] for name in given})
    if not is_moved:
        return replace(record, settings=settings.to_json())
    now = time.time()
    next_at, settings = settings.first_at(now), settings.started(now)
    is_watching = settings.datastore is not None and record.status is PublishedStatus.ACTIVE
    state = {"files": _files(session, settings)} if is_watching else {}
    return replace(record, settings=settings.to_json(), next_at=next_at, state=state)


def _path_parameter(settings: ScheduleSettings) -> dict[str, Any]:
    """Return the parameter that gets paths, with a path, so that it is checked as one."""
    name = settings.data_path_parameter_name
    if name is None:
        return {}
    return {name: {"datastore": settings.datastore, "path": settings.path_on_datastore}}


def _pipeline_of(session: Session, record: ScheduleRecord) -> PublishedPipelineRecord:
    """Return what a schedule would run now."""
    with session.read() as tx:
        pipeline_id = record.pipeline_id
        if record.endpoint_id is not None:
            pipeline_id = pipeline_of(tx.pipeline_endpoints.get(record.endpoint_id))
        return tx.published_pipelines.get(pipeline_id or "")


def _files(session: Session, settings: ScheduleSettings) -> dict[str, Any]:
    datastore = _datastore(session, settings.datastore or "")
    return watched_path.as_json(watched_path.look(datastore, settings.path_on_datastore))


def _datastore(session: Session, name: str) -> Datastore:
    return Datastore(WorkspaceHandle(session), name)


def _name_of(datastore: Datastore | str | None) -> str | None:
    return datastore.name if isinstance(datastore, Datastore) else datastore


def _status(value: str) -> PublishedStatus:
    allowed = [PublishedStatus.ACTIVE.value, PublishedStatus.DISABLED.value]
    if value not in allowed:
        raise ConfigError(f"status of a schedule must be one of {allowed}; got {value!r}.")
    return PublishedStatus(value)
