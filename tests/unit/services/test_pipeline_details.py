"""What a view of one published pipeline, or of one endpoint, is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.domain.events import PipelineStep
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.pipelines.picture import steps_of
from nbautoml.pipelines.published import PublishedPipeline
from nbautoml.pipelines.submission import ENDPOINT_ID, PIPELINE_ID
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.catalog import catalog
from nbautoml.services.pipeline_details import (
    change_endpoint,
    change_pipeline,
    change_schedule,
    endpoint_details,
    pipeline_details,
)
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for
from tests.unit.pipelines.published_cases import PARAMETERS, publish, stand_in


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    stand_in(monkeypatch)
    with create_session(address_for("w", tmp_path)) as session:
        yield session


@pytest.fixture
def published(session: Session) -> PublishedPipeline:
    return publish(WorkspaceHandle(session), "train", description="nightly", version="1.0")


@pytest.fixture
def endpoint(session: Session, published: PublishedPipeline) -> PipelineEndpoint:
    workspace = WorkspaceHandle(session)
    endpoint = PipelineEndpoint.publish(workspace, "best", "the one", published)
    endpoint.add(publish(workspace, "train better"))
    return endpoint


def add_run(session: Session, run_id: str, properties: dict[str, str]) -> None:
    with session.write() as tx:
        tx.experiments.get_or_create("churn")
        tx.runs.create(
            RunRecord(
                id=run_id,
                experiment="churn",
                type="azureml.PipelineRun",
                status=RunStatus.RUNNING,
                created_at=5.0,
                properties=properties,
            )
        )


def test_a_pipeline_has_a_graph_parameters_and_its_runs(session, published):
    add_run(session, "one", {PIPELINE_ID: published.id})
    add_run(session, "other", {PIPELINE_ID: "another"})
    told = pipeline_details(session, published.id)
    assert told["name"] == "train"
    assert told["parameters"] == PARAMETERS
    assert told["steps"][0] == {"n": 0, "name": "prepare", "kind": "", "status": ""}
    assert len(told["graph"]["places"]) == 2
    assert told["runs"] == [
        {"id": "one", "experiment": "churn", "status": "Running", "created_at": 5.0}
    ]
    assert told["versions"] == told["schedules"] == []


def test_an_endpoint_has_versions_and_the_graph_of_its_default(session, endpoint, published):
    add_run(session, "one", {ENDPOINT_ID: endpoint.id, PIPELINE_ID: published.id})
    told = endpoint_details(session, endpoint.id)
    assert (told["version"], [one["version"] for one in told["versions"]]) == ("0", ["0", "1"])
    assert told["parameters"] == PARAMETERS
    assert [run["id"] for run in told["runs"]] == ["one"]
    assert len(told["steps"]) == 2


def test_the_catalog_lists_them_without_what_is_archived(session, endpoint, published):
    found = catalog(session)
    assert {one["name"] for one in found["pipelines"]} == {"train", "train better"}
    assert [one["name"] for one in found["endpoints"]] == ["best"]
    endpoint.archive()
    assert catalog(session)["endpoints"] == []


def test_they_are_turned_off_and_on(session, endpoint, published):
    assert change_pipeline(session, published.id, {"enabled": False})["status"] == "Disabled"
    assert change_pipeline(session, published.id, {"enabled": True})["status"] == "Active"
    assert change_endpoint(session, endpoint.id, {"enabled": False})["status"] == "Disabled"


def test_another_version_becomes_the_default(session, endpoint):
    assert change_endpoint(session, endpoint.id, {"default_version": "1"})["default_version"] == "1"
    with pytest.raises(NotFoundError):
        change_endpoint(session, endpoint.id, {"default_version": "7"})


@pytest.mark.parametrize(
    "asked", [{}, {"enabled": "yes"}, {"enabled": True, "name": "x"}, {"default_version": 1}]
)
def test_nothing_else_can_be_changed(session, asked):
    with pytest.raises(ConfigError):
        change_endpoint(session, "x", asked)


def test_what_is_not_there_is_said(session):
    for work in (pipeline_details, endpoint_details):
        with pytest.raises(NotFoundError):
            work(session, "nothing")
    with pytest.raises(ConfigError, match="enabled"):
        change_schedule(session, "nothing", {"enabled": None})


def test_steps_are_read_from_what_was_published():
    graph = {
        "steps": [
            {
                "number": 3,
                "name": "train",
                "step_kind": "AutoMLStep",
                "after": [1],
                "inputs": [{"name": "rows", "source": {}}],
                "outputs": [{"name": "model", "datastore": "d"}],
            }
        ]
    }
    assert steps_of(graph) == (
        PipelineStep(
            number=3,
            name="train",
            step_kind="AutoMLStep",
            after=(1,),
            inputs=("rows",),
            outputs=("model",),
        ),
    )
