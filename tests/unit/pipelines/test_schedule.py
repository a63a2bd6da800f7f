"""Schedules as users make and change them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.pipelines.published import PublishedPipeline
from nbautoml.pipelines.recurrence import ScheduleRecurrence
from nbautoml.pipelines.schedule import Schedule
from nbautoml.pipelines.schedule_settings import ScheduleSettings
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import open_memory_session
from tests.unit.pipelines.published_cases import Submitted, publish, stand_in

DAILY = ScheduleRecurrence("Day", 1, "2020-01-01T00:00")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    with open_memory_session(root=str(tmp_path)) as session:
        yield WorkspaceHandle(session)


@pytest.fixture(autouse=True)
def submitted(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    return stand_in(monkeypatch)


@pytest.fixture
def pipeline(workspace: WorkspaceHandle) -> PublishedPipeline:
    return publish(workspace)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "blobs" / "in"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def datastore(workspace: WorkspaceHandle, tmp_path: Path) -> Datastore:
    return Datastore.register(workspace, "blobs", str(tmp_path / "blobs"))


def test_a_schedule_tells_what_was_said(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline
) -> None:
    made = Schedule.create(
        workspace, "nightly", pipeline.id, "exp", DAILY, "about", pipeline_parameters={"rate": 1}
    )

    found = Schedule.get(workspace, made.id)

    assert (found.name, found.description, found.status) == ("nightly", "about", "Active")
    assert (found.pipeline_id, found.pipeline_endpoint_id) == (pipeline.id, None)
    assert found.recurrence == DAILY
    assert found.settings.parameters == {"rate": 1}
    assert (found.error, found.get_last_pipeline_run()) == ("", None)
    assert found.next_at is not None
    assert 0.0 < found.next_at - time.time() <= 86_400.0
    assert made.id in repr(found)


def test_a_recurrence_without_a_start_runs_at_once(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline
) -> None:
    before = time.time()
    made = Schedule.create(workspace, "s", pipeline.id, "exp", ScheduleRecurrence("Hour", 1))

    assert made.next_at is not None
    assert before <= made.next_at <= time.time()
    assert made.recurrence is not None
    assert made.recurrence.next_after(made.next_at) == pytest.approx(made.next_at + 3600.0)


def test_a_schedule_of_an_endpoint_checks_its_default(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline
) -> None:
    endpoint = PipelineEndpoint.publish(workspace, "train", None, pipeline)

    made = Schedule.create_for_pipeline_endpoint(workspace, "s", endpoint.id, "exp", DAILY)

    assert (made.pipeline_id, made.pipeline_endpoint_id) == (None, endpoint.id)
    with pytest.raises(ConfigError, match="Did you mean 'rate'"):
        Schedule.create_for_pipeline_endpoint(
            workspace, "s", endpoint.id, "exp", DAILY, pipeline_parameters={"rat": 1}
        )


def test_a_datastore_is_looked_at_when_the_schedule_is_made(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline, datastore: Datastore, folder: Path
) -> None:
    (folder / "a.csv").write_text("1")

    made = Schedule.create(
        workspace,
        "s",
        pipeline.id,
        "exp",
        datastore=datastore,
        path_on_datastore="in",
        polling_interval=7,
        data_path_parameter_name="source",
    )

    assert made.recurrence is None
    assert made.next_at == pytest.approx(time.time() + 420.0, abs=5.0)
    with workspace.session.read() as tx:
        assert set(tx.schedules.get(made.id).state["files"]) == {"in/a.csv"}
    assert made.settings.in_words() == "when files of blobs/in change (every 7 minutes)"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either recurrence= .* or datastore="),
        ({"recurrence": DAILY, "datastore": "blobs"}, "either recurrence="),
        ({"recurrence": DAILY, "path_on_datastore": "in"}, "go with datastore="),
        ({"recurrence": DAILY, "data_path_parameter_name": "p"}, "go with datastore="),
        ({"datastore": "blobs", "polling_interval": 0}, "polling_interval.*got 0"),
        ({"datastore": "blobs", "polling_interval": True}, "polling_interval.*got True"),
        ({"recurrence": DAILY, "pipeline_parameters": {"rat": 1}}, "Did you mean 'rate'"),
        ({"datastore": "blobs", "data_path_parameter_name": "sorce"}, "Did you mean 'source'"),
    ],
)
def test_what_does_not_fit_is_refused(
    workspace: WorkspaceHandle,
    pipeline: PublishedPipeline,
    datastore: Datastore,
    given: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        Schedule.create(workspace, "s", pipeline.id, "exp", **given)

    assert Schedule.list(workspace, active_only=False) == []


def test_what_is_not_there_is_told(workspace: WorkspaceHandle, pipeline: PublishedPipeline) -> None:
    with pytest.raises(NotFoundError, match="'x'"):
        Schedule.create(workspace, "s", "x", "exp", DAILY)
    with pytest.raises(NotFoundError, match="'x'"):
        Schedule.create_for_pipeline_endpoint(workspace, "s", "x", "exp", DAILY)
    with pytest.raises(NotFoundError, match="'blob'"):
        Schedule.create(workspace, "s", pipeline.id, "exp", datastore="blob")
    with pytest.raises(NotFoundError, match="'x'"):
        Schedule.get(workspace, "x")
    with pytest.raises(ConfigError, match="needs a name"):
        Schedule.create(workspace, "", pipeline.id, "exp", DAILY)
    with pytest.raises(ConfigError, match="cannot be called"):
        Schedule.create(workspace, "s", pipeline.id, "a/b", DAILY)


def test_lists_leave_out_what_is_disabled_or_of_others(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline
) -> None:
    endpoint = PipelineEndpoint.publish(workspace, "train", None, pipeline)
    one = Schedule.create(workspace, "one", pipeline.id, "exp", DAILY)
    two = Schedule.create_for_pipeline_endpoint(workspace, "two", endpoint.id, "exp", DAILY)
    one.disable()

    assert [s.id for s in Schedule.list(workspace)] == [two.id]
    assert [s.id for s in Schedule.get_all(workspace, pipeline_id=pipeline.id)] == []
    assert [s.id for s in Schedule.get_schedules_for_pipeline_id(workspace, pipeline.id)] == [
        one.id
    ]
    of_endpoint = Schedule.get_schedules_for_pipeline_endpoint_id(workspace, endpoint.id)
    assert [s.id for s in of_endpoint] == [two.id]


def test_a_disabled_schedule_has_no_next_moment(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline
) -> None:
    made = Schedule.create(workspace, "s", pipeline.id, "exp", DAILY)
    made.disable()
    made.disable()
    assert (made.status, made.next_at) == ("Disabled", None)

    made.enable(wait_for_provisioning=True)
    assert made.status == "Active"
    assert made.next_at is not None
    assert made.next_at > time.time()


def test_what_was_missed_while_it_was_disabled_is_not_made_up_for(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline, datastore: Datastore, folder: Path
) -> None:
    made = Schedule.create(
        workspace, "s", pipeline.id, "exp", datastore="blobs", path_on_datastore="in"
    )
    made.disable()
    (folder / "a.csv").write_text("1")
    made.enable()

    with workspace.session.read() as tx:
        assert set(tx.schedules.get(made.id).state["files"]) == {"in/a.csv"}


def test_an_update_changes_what_is_given_alone(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline
) -> None:
    made = Schedule.create(
        workspace, "s", pipeline.id, "exp", DAILY, "about", pipeline_parameters={"rate": 1}
    )
    made.update(name="weekly", recurrence=ScheduleRecurrence("Week", 1, "2020-01-01T00:00"))

    found = Schedule.get(workspace, made.id)
    assert (found.name, found.description) == ("weekly", "about")
    assert found.settings.parameters == {"rate": 1}
    assert found.recurrence is not None
    assert found.recurrence.frequency == "Week"

    next_at = found.next_at
    found.update(description="")
    assert (found.description, found.next_at) == ("", next_at)
    found.update(status="Disabled")
    assert found.status == "Disabled"
    with pytest.raises(ConfigError, match="status of a schedule.*got 'off'"):
        found.update(status="off")


def test_a_datastore_takes_the_place_of_a_recurrence_and_back(
    workspace: WorkspaceHandle, pipeline: PublishedPipeline, datastore: Datastore
) -> None:
    made = Schedule.create(workspace, "s", pipeline.id, "exp", DAILY)

    made.update(datastore=datastore, path_on_datastore="in", polling_interval=1)
    watching = made.settings
    made.update(recurrence=DAILY)

    assert (watching.datastore, watching.recurrence) == ("blobs", None)
    assert watching.in_words() == "when files of blobs/in change (every minute)"
    assert (made.settings.datastore, made.recurrence) == (None, DAILY)


def test_settings_come_back_from_json() -> None:
    settings = ScheduleSettings(recurrence=DAILY, parameters={"a": [1]}, polling_interval=3)

    assert ScheduleSettings.from_json(settings.to_json()) == settings
    watching = ScheduleSettings(datastore="d", path_on_datastore="in")
    assert ScheduleSettings.from_json(watching.to_json()) == watching
    assert watching.started(5.0) == watching
    assert watching.next_after(0.0) == watching.first_at(0.0) == 300.0
