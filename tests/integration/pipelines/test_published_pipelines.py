"""Published pipelines with real processes: submitted over HTTP, on a schedule, and for fronts."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from nbautoml import (
    Datastore,
    InteractiveLoginAuthentication,
    Pipeline,
    PipelineEndpoint,
    PipelineParameter,
    PublishedPipeline,
    PythonScriptStep,
    Schedule,
    ScheduleRecurrence,
    Workspace,
)
from nbautoml.data.datastore import DataPath
from nbautoml.errors import ConflictError
from nbautoml.pipelines.addresses import API, RUN_PATH
from nbautoml.pipelines.parameters import DataPathComputeBinding
from nbautoml.pipelines.scheduler_process import SCHEDULER
from nbautoml.runs.child_process import environment
from nbautoml.runs.service_process import find_service
from nbautoml.services import pipelines
from nbautoml.store.session import open_session
from nbautoml.testing import store_cases

pytestmark = pytest.mark.integration

wait_until = partial(store_cases.wait_until, seconds=120.0)

SCRIPT = """
import sys
from nbautoml import Run
run = Run.get_context()
run.log("rate", float(sys.argv[1]))
run.parent.log("rate", float(sys.argv[1]))
"""
READ = """
import sys
from pathlib import Path
from nbautoml import Run
Run.get_context().parent.log("length", len(Path(sys.argv[1]).read_text()))
"""


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("NBAUTOML_HOME", str(tmp_path / "home"))
    workspace = Workspace.create("w", path=tmp_path / "w")
    yield workspace
    session = workspace.session
    for schedule in Schedule.list(workspace):
        schedule.disable()
    workspace.stop_api()
    with session.read() as tx:
        runs = tx.runs.list(include_children=True)
        services = [tx.service_processes.find(name) for name in (SCHEDULER, API)]
    owners = [run.owner for run in runs if run.owner and not run.status.is_terminal]
    owners += [service.owner for service in services if service]
    for owner in owners:
        if psutil.pid_exists(owner.pid) and owner.pid != os.getpid():
            os.kill(owner.pid, signal.SIGKILL)
    session.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "rate.py").write_text(SCRIPT)
    (folder / "read.py").write_text(READ)
    return folder


@pytest.fixture
def published(ws: Workspace, source: Path) -> PublishedPipeline:
    """A pipeline whose scripts are gone by now."""
    rate = PipelineParameter("rate", 0.5)
    step = PythonScriptStep("rate.py", name="rate", arguments=[rate], source_directory=source)
    made = Pipeline(ws, steps=[step]).publish(name="train", description="nightly")
    (source / "rate.py").unlink()
    return made


def test_a_published_pipeline_runs_without_the_code_that_made_it(
    ws: Workspace, published: PublishedPipeline
) -> None:
    run = published.submit(ws, "exp", {"rate": 0.25})

    assert run.wait_for_completion(show_output=False) == "Finished"
    assert run.get_metrics() == {"rate": 0.25}
    assert run.properties["azureml.pipelineid"] == published.id
    assert run.display_name == "train"


def test_a_program_elsewhere_submits_it_and_sees_its_run(
    ws: Workspace, published: PublishedPipeline
) -> None:
    endpoint = PipelineEndpoint.publish(ws, "best model", None, published)
    address = ws.serve_api(port=0)
    headers = InteractiveLoginAuthentication(workspace=ws).get_authentication_header()
    body = {"ExperimentName": "exp", "ParameterAssignments": {"rate": 0.75}}
    assert published.endpoint.startswith(address)

    assert httpx.post(published.endpoint, json=body).status_code == 401
    again = {**headers, "Idempotency-Key": "one"}
    answers = [
        httpx.post(published.endpoint, json=body, headers=again, timeout=60.0) for _ in range(2)
    ]
    by_name = endpoint.endpoint.rsplit("/Id/", 1)[0] + "/Name?name=best%20model"
    other = {"ExperimentName": "exp"}  # with another value, so that it takes no result of the first
    third = httpx.post(by_name, json=other, headers=headers, timeout=60.0)

    assert [answer.status_code for answer in (*answers, third)] == [200, 200, 200]
    ids = {answer.json()["Id"] for answer in (*answers, third)}
    assert len(ids) == 2
    run_id = answers[0].json()["Id"]
    seen = f"{address}{RUN_PATH}/{run_id}"

    def status() -> str:
        return str(httpx.get(seen, headers=headers).json()["Status"])

    wait_until(lambda: status() in ("Completed", "Failed"))
    assert status() == "Completed"
    run = ws.get_run(run_id)
    assert run.get_metrics() == {"rate": 0.75}
    assert run.properties["azureml.runType"] == "HTTP"
    assert ws.serve_api() == address
    wrong = {"ExperimentName": "exp", "ParameterAssignments": {"rat": 1}}
    refused = httpx.post(published.endpoint, json=wrong, headers=headers)
    assert refused.status_code == 422
    assert "'rat'" in refused.text


def test_the_service_listens_on_loopback_alone_and_comes_back_where_it_was(
    ws: Workspace,
) -> None:
    address = ws.serve_api(port=0)
    found = find_service(ws.session, API)
    assert found is not None
    listening = [
        one.laddr.ip
        for one in psutil.Process(found.owner.pid).net_connections()
        if one.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]
    with pytest.raises(ConflictError, match="runs already"):
        ws.serve_api(port=1)

    assert ws.stop_api()
    assert not ws.stop_api()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/healthz")
    assert ws.serve_api() == address
    assert httpx.get(f"{address}/healthz").text == "Healthy"


def test_a_service_whose_port_is_taken_says_so_or_moves(ws: Workspace) -> None:
    address = ws.serve_api(port=0)
    ws.stop_api()
    port = int(address.rsplit(":", 1)[1])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        assert ws.serve_api() != address


def test_a_schedule_runs_at_once_and_its_process_ends_with_it(
    ws: Workspace, published: PublishedPipeline
) -> None:
    hourly = ScheduleRecurrence("Hour", 1)
    schedule = Schedule.create(
        ws, "hourly", published.id, "exp", hourly, pipeline_parameters={"rate": 2}
    )
    wait_until(lambda: schedule.get_last_pipeline_run() is not None)

    run = schedule.get_last_pipeline_run()
    assert run is not None
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert run.get_metrics() == {"rate": 2.0}
    assert run.properties["azureml.runType"] == "Schedule"
    wait_until(lambda: Schedule.get(ws, schedule.id).get_last_pipeline_run() is not None)
    assert schedule.error == ""
    assert find_service(ws.session, SCHEDULER) is not None

    schedule.disable()
    wait_until(lambda: find_service(ws.session, SCHEDULER) is None)
    assert len(schedule.get_pipeline_runs()) == 1


def test_of_several_schedulers_one_works_and_a_moment_has_one_run(
    ws: Workspace, published: PublishedPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("nbautoml.pipelines.schedule.start_scheduler", lambda _session: False)
        schedule = Schedule.create(ws, "hourly", published.id, "exp", ScheduleRecurrence("Hour", 1))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "nbautoml.pipelines.scheduler"],
            env=environment(ws.session, ""),
            stderr=subprocess.DEVNULL,
        )
        for _ in range(3)
    ]
    try:
        wait_until(lambda: sum(one.poll() is None for one in processes) == 1)
        wait_until(lambda: schedule.get_last_pipeline_run() is not None)
        found = find_service(ws.session, SCHEDULER)
        assert found is not None
        assert [one.pid for one in processes if one.poll() is None] == [found.owner.pid]
        schedule.disable()
        wait_until(lambda: all(one.poll() == 0 for one in processes))
        assert len(schedule.get_pipeline_runs()) == 1
    finally:
        for one in processes:
            one.kill()
            one.wait()


def test_a_scheduler_that_was_killed_is_started_again_by_who_opens_the_workspace(
    ws: Workspace, published: PublishedPipeline
) -> None:
    later = ScheduleRecurrence("Day", 1, "2020-01-01T00:00")
    Schedule.create(ws, "daily", published.id, "exp", later)
    wait_until(lambda: find_service(ws.session, SCHEDULER) is not None)
    first = find_service(ws.session, SCHEDULER)
    assert first is not None
    os.kill(first.owner.pid, signal.SIGKILL)
    wait_until(lambda: find_service(ws.session, SCHEDULER) is None)

    other = Workspace(open_session(ws.session.address))
    wait_until(lambda: find_service(ws.session, SCHEDULER) is not None)

    second = find_service(ws.session, SCHEDULER)
    assert second is not None
    assert second.owner.pid != first.owner.pid
    other.session.close()


def test_a_scheduler_ends_when_its_workspace_is_deleted(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBAUTOML_HOME", str(tmp_path / "home"))
    gone = Workspace.create("gone", path=tmp_path / "gone")
    step = PythonScriptStep("rate.py", arguments=[0.5], source_directory=source)
    made = Pipeline(gone, steps=[step]).publish(name="train", description="nightly")
    Schedule.create(gone, "daily", made.id, "exp", ScheduleRecurrence("Day", 1))
    wait_until(lambda: find_service(gone.session, SCHEDULER) is not None)
    found = find_service(gone.session, SCHEDULER)
    assert found is not None
    process = psutil.Process(found.owner.pid)
    gone.session.close()

    def is_over() -> bool:
        shutil.rmtree(tmp_path / "gone", ignore_errors=True)  # it may write while that goes on
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

    wait_until(is_over)


def test_a_new_file_starts_a_run_with_its_path(ws: Workspace, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    folder.mkdir()
    datastore = Datastore.register(ws, "blobs", str(folder))
    path = PipelineParameter("source", DataPath(datastore, "none.csv"))
    given = (path, DataPathComputeBinding())
    step = PythonScriptStep(
        "read.py", name="read", arguments=[given], inputs=[given], source_directory=source
    )
    endpoint = PipelineEndpoint.publish(ws, "read", "what arrives", Pipeline(ws, steps=[step]))
    schedule = Schedule.create_for_pipeline_endpoint(
        ws,
        "arrival",
        endpoint.id,
        "exp",
        datastore=datastore,
        polling_interval=1,
        data_path_parameter_name="source",
    )
    (folder / "new.csv").write_text("12345")
    with ws.session.write() as tx:  # as if the minute were over
        record = tx.schedules.get(schedule.id)
        tx.schedules.move(
            record.id, seen=record.next_at, next_at=time.time(), state=dict(record.state)
        )
    wait_until(lambda: schedule.get_last_pipeline_run() is not None)

    run = schedule.get_last_pipeline_run()
    assert run is not None
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert run.get_metrics() == {"length": 5}
    assert run.properties["azureml.pipelineendpointid"] == endpoint.id


def test_a_front_starts_it_without_loading_what_runs_it(
    ws: Workspace, published: PublishedPipeline
) -> None:
    schedule = Schedule.create(
        ws, "daily", published.id, "exp", ScheduleRecurrence("Day", 1, "2020-01-01T00:00")
    )
    asked = {"experiment": "exp", "parameters": {"rate": 3}}

    started = pipelines.run_published(ws.session, published.id, asked)
    row = pipelines.set_schedule_enabled(ws.session, schedule.id, False)

    run = ws.get_run(started["run_id"])
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert run.get_metrics() == {"rate": 3.0}
    assert row["status"] == "Disabled"
    with pytest.raises(ConflictError, match="disabled"):
        pipelines.set_pipeline_enabled(ws.session, published.id, False)
        pipelines.run_published(ws.session, published.id, asked)
