"""``nbautoml pipelines …`` over a workspace that is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nbautoml import cli
from nbautoml.domain.records import SessionAddress
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.pipelines.recurrence import ScheduleRecurrence
from nbautoml.pipelines.schedule import Schedule
from nbautoml.runs import service_process
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services import pipeline_process, pipelines
from nbautoml.store.session import open_session
from nbautoml.testing.scripted_pipeline import ScriptedPipeline
from tests.unit.pipelines.published_cases import Submitted, publish, stand_in

Call = Callable[..., Result]


@pytest.fixture
def submitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Submitted:
    monkeypatch.setenv("NBAUTOML_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    # What a process of its own is asked, this one answers; no scheduler is started.
    monkeypatch.setattr(
        pipelines,
        "_ask",
        lambda session, what, **more: pipeline_process._ANSWERS[what](session, more),
    )
    monkeypatch.setattr(service_process, "start_detached", lambda *_, **__: 1)
    return stand_in(monkeypatch)


@pytest.fixture
def address(
    tmp_path: Path, make_workspace: Callable[..., SessionAddress], submitted: Submitted
) -> SessionAddress:
    address = make_workspace(tmp_path / "project")
    with open_session(address) as session:
        workspace = WorkspaceHandle(session)
        first = publish(workspace, "train", description="nightly")
        PipelineEndpoint.publish(workspace, "best", "the one", first).add(publish(workspace, "two"))
        daily = ScheduleRecurrence("Day", 1, "2020-01-01T00:00")
        Schedule.create(workspace, "each night", first.id, "churn", recurrence=daily)
    return address


@pytest.fixture
def call(address: SessionAddress) -> Call:
    def run(*arguments: str, expect: int = 0) -> Result:
        result = CliRunner().invoke(cli.app, ["pipelines", *arguments, "-w", address.root])
        assert result.exit_code == expect, (result.output, result.exception)
        return result

    return run


def test_what_is_published_is_listed(call: Call) -> None:
    assert "train" in call("list").output
    assert {row["name"] for row in json.loads(call("list", "--json").output)} == {"train", "two"}
    assert "0, 1" in call("endpoints").output
    assert "each night" in call("schedules").output


def test_one_is_shown_with_its_steps_and_parameters(call: Call) -> None:
    text = call("show", "best").output
    assert "prepare, train" in text and "rate=0.1" in text
    assert json.loads(call("show", "train", "--json").output)["graph"]["places"] == [
        [0, 0.0],
        [0, 1.0],
    ]


def test_one_is_run(call: Call, submitted: Submitted) -> None:
    text = call("run", "train", "-p", "rate=0.5", "-e", "churn").output
    assert submitted.calls[0]["parameters"] == {"rate": 0.5}
    assert "nbautoml runs logs" in text
    found = json.loads(call("run", "best", "--version", "1", "--json").output)
    assert set(found) == {"run_id"}
    assert submitted.calls[1]["experiment"] == "pipelines"


def test_they_are_switched_off_and_on(call: Call) -> None:
    assert "'train' is disabled." in call("disable", "train").output
    assert json.loads(call("enable", "train", "--json").output)["status"] == "Active"
    assert "'best' is disabled." in call("disable", "best").output
    assert "'each night' is disabled." in call("disable-schedule", "each night").output
    assert "'each night' is enabled." in call("enable-schedule", "each night").output


def test_another_version_becomes_the_default(call: Call) -> None:
    assert "Version 1 of 'best' runs from now on." in call("set-default", "best", "1").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "tran"), "Did you mean 'train'"),
        (("run", "train", "-p", "rat=1"), "no parameter 'rat'"),
        (("run", "train", "--version", "1"), "no versions to choose from"),
        (("set-default", "train", "1"), "endpoint"),
    ],
)
def test_mistakes_are_errors_of_ours(call: Call, arguments: Any, message: str) -> None:
    result = call(*arguments, expect=1)
    assert message in str(result.exception)


def test_a_run_is_shown_with_its_steps(address: SessionAddress) -> None:
    with open_session(address) as session:
        ScriptedPipeline(session, "Pipeline_1").play()
    result = CliRunner().invoke(cli.app, ["runs", "show", "Pipeline_1", "-w", address.root])
    assert "6 of 8 done" in result.output and "trials" not in result.output
    line = next(line for line in result.output.splitlines() if "report" in line)
    assert "Canceled" in line and "A step before it failed." in line
