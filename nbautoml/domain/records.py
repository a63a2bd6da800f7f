"""Frozen rows of the workspace: what the store hands out and takes in.

Times are seconds since the epoch (UTC). ``tags`` and ``properties`` map text to text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: JSON values

from nbautoml.domain.status import ModelStage, PublishedStatus, RequestKind, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAddress:
    """Where a workspace is: enough for another process to open it.

    Parameters
    ----------
    name : str
        The workspace's name.
    root : str
        Absolute path of the folder that holds ``.nbautoml``.
    store_url : str
        SQLAlchemy URL of the store.
    artifact_root : str
        fsspec URL of the artifacts.
    """

    name: str
    root: str
    store_url: str
    artifact_root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that looks after a run: host, pid and start time (pids are used again)."""

    host: str
    pid: int
    started_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DatastoreRecord:
    """A named place for files; `url` is an fsspec URL or a folder."""

    name: str
    url: str
    kind: str = "folder"
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRecord:
    """One immutable version of a dataset; unregistered ones have an empty name and version 0.

    ``definition`` says how to read it again (sources, reader options, steps); ``fingerprint``
    is a hash of its content, equal for equal content.
    """

    id: str
    name: str
    version: int
    fingerprint: str
    definition: Mapping[str, Any]
    created_at: float
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    n_rows: int | None = None
    n_columns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeRecord:
    """A compute target: `kind` names its backend, `options` are its settings."""

    name: str
    kind: str
    options: Mapping[str, Any]
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRecord:
    """A named container of runs."""

    id: int
    name: str
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run or a child run.

    ``settings`` is what was submitted (JSON); ``type`` selects the work that a controller
    does and the class that users get, such as ``"automl"`` or ``"automl.child"``.
    """

    id: str
    experiment: str
    type: str
    status: RunStatus
    created_at: float
    parent_id: str | None = None
    number: int | None = None
    display_name: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    reason: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    heartbeat_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One logged number; `step` counts repeated values of a name within a run."""

    name: str
    value: float | None
    step: int = 0
    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """Something that somebody asked of a running run; `seq` counts from 1 in each run."""

    run_id: str
    seq: int
    kind: RequestKind
    payload: Mapping[str, Any]
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRecord:
    """A stored file of an owner (a run id, or ``model:<name>:<version>``)."""

    owner: str
    name: str
    uri: str
    size_bytes: int
    sha256: str
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """One version of a registered model; its files are artifacts of ``owner_id``.

    ``datasets`` are pairs of a word (such as ``"training"``) and the id of a dataset, as they
    were given; ``samples`` holds ids of datasets with a sample request (``"input"``) and its
    answer (``"output"``). An alias names one version of a model at a time.
    """

    name: str
    version: int
    created_at: float
    run_id: str | None = None
    description: str = ""
    framework: str = ""
    framework_version: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    stage: ModelStage = ModelStage.NONE
    datasets: tuple[tuple[str, str], ...] = ()
    samples: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """``name:version``, as the SDK writes it."""
        return f"{self.name}:{self.version}"

    @property
    def owner_id(self) -> str:
        """Owner of this version's artifacts."""
        return f"model:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """A deployment: what was asked for, and the process that looks after it.

    ``revision`` counts what it was asked to serve; ``models`` are the ids (``name:version``) of
    all that it may serve now. How it stands is in the files of its process.
    """

    name: str
    kind: str
    created_at: float
    updated_at: float
    revision: int = 0
    models: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPipelineRecord:
    """A pipeline that runs without the code that made it; `graph` is all that it needs (JSON)."""

    id: str
    name: str
    version: str
    graph: Mapping[str, Any]
    created_at: float
    updated_at: float
    description: str = ""
    status: PublishedStatus = PublishedStatus.ACTIVE
    continue_on_step_failure: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineEndpointRecord:
    """A name for versions of a pipeline.

    ``versions`` are pairs of a version (a text that counts from ``"0"``) and the id of a
    published pipeline, oldest first. One of them is the default.
    """

    id: str
    name: str
    created_at: float
    description: str = ""
    status: PublishedStatus = PublishedStatus.ACTIVE
    default_version: str = "0"
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """When a published pipeline, or an endpoint's default, is to run: one of the two ids is set.

    ``settings`` is what was asked for; ``state`` is what the scheduler remembers from look to
    look. ``next_at`` is the moment of the next run, or of the next look at a datastore.
    """

    id: str
    name: str
    experiment: str
    created_at: float
    pipeline_id: str | None = None
    endpoint_id: str | None = None
    description: str = ""
    status: PublishedStatus = PublishedStatus.ACTIVE
    settings: Mapping[str, Any] = field(default_factory=dict)
    next_at: float | None = None
    last_run_id: str | None = None
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTokenRecord:
    """A token of a caller from outside; only the hash of its secret is known."""

    id: str
    sha256: str
    name: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProcessRecord:
    """A process that serves the whole workspace: one of a name; `facts` is what others need."""

    name: str
    owner: Owner
    heartbeat_at: float
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRecord:
    """A request that a caller may repeat: `key` names it, `fingerprint` is a hash of what it asked.

    ``run_id`` is the run that it made, None as long as that run is being made.
    """

    key: str
    fingerprint: str
    created_at: float
    run_id: str | None = None
