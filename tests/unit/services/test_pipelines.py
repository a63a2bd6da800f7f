"""What fronts ask about published pipelines, endpoints and schedules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.errors import ConfigError, ConflictError, NotFoundError
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.pipelines.published import PublishedPipeline
from nbautoml.pipelines.recurrence import ScheduleRecurrence
from nbautoml.pipelines.schedule import Schedule
from nbautoml.pipelines.scheduler_process import SCHEDULER
from nbautoml.runs import service_process
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services import pipeline_process, pipelines
from nbautoml.services.sessions import SessionPool, open_workspace
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for
from tests.unit.pipelines.published_cases import PARAMETERS, Submitted, publish, stand_in

DAILY = ScheduleRecurrence("Day", 1, "2020-01-01T00:00")


class SameProcess:
    """Answers in this process what another one is asked."""

    def __init__(self, module: str) -> None:
        assert module == pipeline_process.__name__

    def __enter__(self) -> SameProcess:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def ask(self, question: dict[str, Any]) -> Any:
        return json.loads(json.dumps(pipeline_process.answer(json.loads(json.dumps(question)))))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with create_session(address_for("w", tmp_path)) as session:
        yield session


@pytest.fixture
def workspace(session: Session) -> WorkspaceHandle:
    return WorkspaceHandle(session)


@pytest.fixture(autouse=True)
def submitted(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    monkeypatch.setattr(pipelines, "AskedProcess", SameProcess)
    monkeypatch.setattr(service_process, "start_detached", lambda *_, **__: 1)
    return stand_in(monkeypatch)


@pytest.fixture
def published(workspace: WorkspaceHandle) -> PublishedPipeline:
    return publish(workspace, "train", description="nightly", version="1.0")


@pytest.fixture
def endpoint(workspace: WorkspaceHandle, published: PublishedPipeline) -> PipelineEndpoint:
    return PipelineEndpoint.publish(workspace, "best", "the one", published)


def test_published_pipelines_are_listed(
    session: Session, published: PublishedPipeline, endpoint: PipelineEndpoint
) -> None:
    [row] = pipelines.published_pipelines(session)["pipelines"]

    created_at = row.pop("created_at")
    assert created_at > 0.0
    assert row == {
        "id": published.id,
        "name": "train",
        "version": "1.0",
        "description": "nightly",
        "status": "Active",
        "steps": ["prepare", "train"],
        "parameters": PARAMETERS,
        "endpoints": ["best"],
        "address": published.endpoint,
    }


def test_endpoints_are_listed_with_their_versions(
    session: Session,
    workspace: WorkspaceHandle,
    published: PublishedPipeline,
    endpoint: PipelineEndpoint,
) -> None:
    second = publish(workspace, "second")
    endpoint.add(second)
    second.disable()

    [row] = pipelines.pipeline_endpoints(session)["endpoints"]

    assert (row["name"], row["description"], row["status"]) == ("best", "the one", "Active")
    assert (row["default_version"], row["address"]) == ("0", endpoint.endpoint)
    facts = {"steps": ["prepare", "train"], "parameters": PARAMETERS}
    assert row["versions"] == [
        {
            "version": "0",
            "is_default": True,
            "pipeline_id": published.id,
            "name": "train",
            "status": "Active",
            **facts,
        },
        {
            "version": "1",
            "is_default": False,
            "pipeline_id": second.id,
            "name": "second",
            "status": "Disabled",
            **facts,
        },
    ]


def test_a_published_pipeline_is_run(
    session: Session, published: PublishedPipeline, submitted: Submitted
) -> None:
    asked = {"experiment": "exp", "parameters": {"rate": 2}}

    started = pipelines.run_published(session, published.id, asked)

    with session.read() as tx:
        assert tx.runs.get(started["run_id"]).experiment == "exp"
    assert submitted.calls[0]["parameters"] == {"rate": 2}


def test_a_version_of_an_endpoint_is_run(
    session: Session,
    workspace: WorkspaceHandle,
    published: PublishedPipeline,
    endpoint: PipelineEndpoint,
    submitted: Submitted,
) -> None:
    second = publish(workspace, "second")
    endpoint.add(second)

    pipelines.run_endpoint(session, endpoint.id, {"experiment": "exp"})
    pipelines.run_endpoint(session, endpoint.id, {"experiment": "exp", "version": "1"})

    ids = [call["properties"]["azureml.pipelineid"] for call in submitted.calls]
    assert ids == [published.id, second.id]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "experiment of a run must be a text"),
        ({"experiment": "e", "parameters": [1]}, "parameters of a run must be an object"),
        ({"experiment": "e", "parameter": {}}, "got 'parameter'"),
        ({"experiment": "e", "parameters": {"rat": 1}}, "Did you mean 'rate'"),
        ({"experiment": "a/b"}, "cannot be called"),
    ],
)
def test_a_run_that_cannot_be_is_refused(
    session: Session, endpoint: PipelineEndpoint, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        pipelines.run_endpoint(session, endpoint.id, asked)


def test_a_version_is_a_text_and_of_endpoints_alone(
    session: Session, published: PublishedPipeline, endpoint: PipelineEndpoint
) -> None:
    with pytest.raises(ConfigError, match="must be a text.*got 0"):
        pipelines.run_endpoint(session, endpoint.id, {"experiment": "e", "version": 0})
    with pytest.raises(ConfigError, match="has no versions"):
        pipelines.run_published(session, published.id, {"experiment": "e", "version": "0"})


def test_a_pipeline_is_disabled_and_enabled(
    session: Session, published: PublishedPipeline, endpoint: PipelineEndpoint
) -> None:
    row = pipelines.set_pipeline_enabled(session, published.id, False)

    assert (row["status"], row["endpoints"]) == ("Disabled", ["best"])
    with pytest.raises(ConflictError, match="disabled"):
        pipelines.run_published(session, published.id, {"experiment": "e"})
    assert pipelines.set_pipeline_enabled(session, published.id, True)["status"] == "Active"
    with pytest.raises(NotFoundError):
        pipelines.set_pipeline_enabled(session, "x", True)


def test_an_endpoint_is_disabled_and_enabled(session: Session, endpoint: PipelineEndpoint) -> None:
    assert pipelines.set_endpoint_enabled(session, endpoint.id, False)["status"] == "Disabled"
    assert pipelines.set_endpoint_enabled(session, endpoint.id, True)["status"] == "Active"
    with pytest.raises(NotFoundError):
        pipelines.set_endpoint_enabled(session, "x", True)


def test_a_default_is_set(
    session: Session, workspace: WorkspaceHandle, endpoint: PipelineEndpoint
) -> None:
    endpoint.add(publish(workspace, "second"))

    row = pipelines.set_default_version(session, endpoint.id, "1")

    assert row["default_version"] == "1"
    assert [one["is_default"] for one in row["versions"]] == [False, True]
    with pytest.raises(NotFoundError, match="no version '2'"):
        pipelines.set_default_version(session, endpoint.id, "2")


def test_schedules_are_listed(
    session: Session,
    workspace: WorkspaceHandle,
    published: PublishedPipeline,
    endpoint: PipelineEndpoint,
) -> None:
    made = Schedule.create(
        workspace, "nightly", published.id, "exp", DAILY, "d", pipeline_parameters={"rate": 3}
    )
    Datastore.register(workspace, "blobs", str(session.root / "blobs"))
    other = Schedule.create_for_pipeline_endpoint(
        workspace, "arrival", endpoint.id, "exp", datastore="blobs"
    )
    other.disable()

    second, first = pipelines.schedules(session)["schedules"]

    assert first == {
        "id": made.id,
        "name": "nightly",
        "description": "d",
        "status": "Active",
        "experiment": "exp",
        "pipeline_id": published.id,
        "endpoint_id": None,
        "target": "train",
        "when": "every day (UTC)",
        "next_at": made.next_at,
        "last_run_id": None,
        "parameters": {"rate": 3},
        "error": "",
    }
    assert (second["target"], second["endpoint_id"]) == ("best", endpoint.id)
    assert (second["next_at"], second["status"]) == (None, "Disabled")
    assert second["when"] == "when files of blobs change (every 5 minutes)"


def test_a_schedule_is_disabled_and_enabled(
    session: Session, workspace: WorkspaceHandle, published: PublishedPipeline
) -> None:
    made = Schedule.create(workspace, "nightly", published.id, "exp", DAILY)

    disabled = pipelines.set_schedule_enabled(session, made.id, False)
    enabled = pipelines.set_schedule_enabled(session, made.id, True)

    assert (disabled["status"], disabled["next_at"]) == ("Disabled", None)
    assert (enabled["status"], enabled["next_at"]) == ("Active", made.next_at)
    with pytest.raises(NotFoundError):
        pipelines.set_schedule_enabled(session, "x", True)


def test_a_schedule_that_is_made_starts_its_process(
    session: Session,
    workspace: WorkspaceHandle,
    published: PublishedPipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[str] = []

    def start(module: str, *_arguments: str, **_options: object) -> int:
        started.append(module)
        return 1

    monkeypatch.setattr(service_process, "start_detached", start)
    Schedule.create(workspace, "nightly", published.id, "exp", DAILY)

    assert started == ["nbautoml.pipelines.scheduler"]
    assert (session.state_dir / "services" / f"{SCHEDULER}.log").is_file()


def test_opening_a_workspace_in_a_front_starts_its_scheduler(
    session: Session,
    workspace: WorkspaceHandle,
    published: PublishedPipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after the machine was off: nobody may open a notebook for days."""
    made = Schedule.create(workspace, "nightly", published.id, "exp", DAILY)
    started: list[str] = []

    def start(module: str, *_arguments: str, **_options: object) -> int:
        started.append(module)
        return 1

    monkeypatch.setattr(service_process, "start_detached", start)
    pool = SessionPool()
    with pool.lend(session.address):
        assert started == ["nbautoml.pipelines.scheduler"]
    pool.close()

    made.disable()
    with open_workspace(session.address):
        assert len(started) == 1
