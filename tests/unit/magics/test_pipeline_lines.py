"""``%automl pipeline``: what is published, from a line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import nbautoml
from nbautoml.magics import pipelines
from nbautoml.testing.scripted_pipeline import ScriptedPipeline
from tests.unit.magics.conftest import Shell
from tests.unit.pipelines.published_cases import Submitted, publish, stand_in


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    return stand_in(monkeypatch)


@pytest.fixture
def workspace(shell: Shell, submitted: Submitted) -> Any:
    workspace = nbautoml.Workspace.create("w", exist_ok=True)
    endpoint = nbautoml.PipelineEndpoint.publish(workspace, "best", "", publish(workspace, "train"))
    endpoint.add(publish(workspace, "train better"))
    yield workspace
    workspace.session.close()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The runs whose views were shown."""
    runs: list[Any] = []
    monkeypatch.setattr(
        pipelines.nbautoml,
        "RunDetails",
        lambda run: SimpleNamespace(show=lambda: runs.append(run)),
        raising=False,
    )
    return runs


def test_without_a_workspace_nothing_breaks(shell: Shell) -> None:
    assert "There is no workspace here yet, so there are no pipelines." in shell.text(
        "%automl pipeline"
    )


def test_what_is_published_is_listed(shell: Shell, workspace: Any) -> None:
    text = shell.text("%automl pipeline")
    assert "train better" in text and "rate=0.1" in text
    assert text.strip() == shell.text("%automl pipeline list").strip()
    assert "0, 1" in shell.text("%automl pipeline endpoints")
    assert "There are no schedules." in shell.text("%automl pipeline schedules")


def test_one_is_shown(shell: Shell, workspace: Any) -> None:
    assert "best" in shell.text("%automl pipeline best")
    assert "train better" in shell.text('%automl pipeline show "train better"')
    assert "Did you mean 'best'?" in shell.text("%automl pipeline bset")


def test_one_is_run_with_parameters(
    shell: Shell, workspace: Any, submitted: Submitted, shown: list[Any]
) -> None:
    text = shell.text("%automl pipeline run train --param rate=0.5 --experiment=churn")
    assert [call["experiment"] for call in submitted.calls] == ["churn"]
    assert submitted.calls[0]["parameters"] == {"rate": 0.5}
    assert shell.ip.user_ns["run"].id in text
    assert [run.id for run in shown] == [shell.ip.user_ns["run"].id]


def test_a_version_of_an_endpoint_is_run(
    shell: Shell, workspace: Any, submitted: Submitted, shown: list[Any]
) -> None:
    shell.text("%automl pipeline run best --version 1")
    assert submitted.calls[0]["experiment"] == "best"
    assert "which has no versions" in shell.text("%automl pipeline run train --version 1")
    assert len(submitted.calls) == len(shown) == 1


def test_it_is_switched_off_and_on(shell: Shell, workspace: Any) -> None:
    assert "train is disabled." in shell.text("%automl pipeline disable train")
    assert "is disabled" in shell.text("%automl pipeline run train")
    assert "train is enabled." in shell.text("%automl pipeline enable train")
    assert "No schedule is called 'x'" in shell.text("%automl pipeline disable schedule x")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run", "takes one name"),
        ("run a b", "takes one name"),
        ("run train --parm rate=1", "Did you mean '--param'?"),
        ("run train --param", "needs a value"),
        ("run train --param rate=x", "rate must be written as 0.1 is"),
        ("run train --param rat=1", "no parameter 'rat'"),
        ("list all", "Nothing stands behind"),
        ("rum train", "Did you mean 'run'?"),
    ],
)
def test_mistakes_are_one_message(shell: Shell, workspace: Any, line: str, message: str) -> None:
    assert message in shell.text(f"%automl pipeline {line}")


def test_words_are_completed(shell: Shell, workspace: Any) -> None:
    assert "pipeline" in shell.complete("%automl pipe")
    assert {"endpoints", "enable"} <= set(shell.complete("%automl pipeline e"))
    assert "best" in shell.complete("%automl pipeline run b")
    assert "--param" in shell.complete("%automl pipeline run best --p")
    assert "rate=" in shell.complete("%automl pipeline run best --param r")
    assert "best" not in shell.complete("%automl pipeline list b")


def test_runs_of_pipelines_are_listed_with_their_steps(shell: Shell, workspace: Any) -> None:
    ScriptedPipeline(workspace.session, "Pipeline_1").play()
    assert "6 of 8 steps" in shell.text("%automl runs")
    assert "A step before it failed." in shell.text("%automl status Pipeline_1")
