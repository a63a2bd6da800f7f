"""Pipelines that run without the code that made them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.errors import ConfigError, ConflictError, NotFoundError
from nbautoml.pipelines.frozen import FrozenPipeline
from nbautoml.pipelines.published import PublishedPipeline
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import open_memory_session
from tests.unit.pipelines.published_cases import PARAMETERS, STEPS, Submitted, publish, stand_in


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    with open_memory_session(root=str(tmp_path)) as session:
        yield WorkspaceHandle(session)


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    return stand_in(monkeypatch)


def test_a_published_pipeline_tells_what_was_said(workspace: WorkspaceHandle) -> None:
    made = publish(workspace, "train", description="nightly", version="1.0", tags={"a": "b"})

    found = PublishedPipeline.get(workspace, id=made.id)

    assert (found.name, found.description, found.version) == ("train", "nightly", "1.0")
    assert (found.status, found.tags, found.properties) == ("Active", {"a": "b"}, {})
    assert (found.total_run_steps, found.get_step_names()) == (2, ["prepare", "train"])
    assert (found.parameters, found.continue_on_step_failure) == (PARAMETERS, False)
    assert FrozenPipeline.from_json(found.get_graph()).steps == STEPS
    assert found.graph_id == found.id


def test_its_address_names_it(workspace: WorkspaceHandle) -> None:
    made = publish(workspace)

    assert made.endpoint.endswith(f"/PipelineRuns/PipelineSubmit/{made.id}")
    assert made.endpoint.startswith("http://127.0.0.1:")


def test_a_name_finds_the_newest(workspace: WorkspaceHandle) -> None:
    publish(workspace, "train", version="1")
    publish(workspace, "train", version="2")

    assert PublishedPipeline.get(workspace, name="train").version == "2"


@pytest.mark.parametrize("given", [{}, {"id": "a", "name": "b"}])
def test_either_an_id_or_a_name_is_needed(
    workspace: WorkspaceHandle, given: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="either id= or name="):
        PublishedPipeline.get(workspace, **given)


def test_what_is_not_there_is_told(workspace: WorkspaceHandle) -> None:
    publish(workspace, "train")
    with pytest.raises(NotFoundError, match="Did you mean 'train'"):
        PublishedPipeline.get(workspace, name="trian")
    with pytest.raises(NotFoundError, match="'x'"):
        PublishedPipeline.get(workspace, id="x")


def test_lists_leave_out_what_is_disabled(workspace: WorkspaceHandle) -> None:
    kept, gone = publish(workspace, "kept"), publish(workspace, "gone")
    gone.disable()

    assert [one.id for one in PublishedPipeline.list(workspace)] == [kept.id]
    assert [one.id for one in PublishedPipeline.get_all(workspace)] == [kept.id]
    assert len(PublishedPipeline.list(workspace, active_only=False)) == 2


def test_a_pipeline_without_a_name_is_refused(workspace: WorkspaceHandle) -> None:
    with pytest.raises(ConfigError, match="needs a name"):
        publish(workspace, " ")


def test_submitting_starts_what_was_frozen(
    workspace: WorkspaceHandle, submitted: Submitted
) -> None:
    made = publish(workspace, continue_on_step_failure=True)

    made.submit(workspace, "exp", {"rate": 0.5})
    made.submit(workspace, "exp", continue_on_step_failure=False)

    first, second = submitted.calls
    assert (first["experiment"], first["steps"]) == ("exp", ("prepare", "train"))
    assert (first["parameters"], first["continue_on_step_failure"]) == ({"rate": 0.5}, True)
    assert first["properties"] == {"azureml.pipelineid": made.id, "azureml.runType": "SDK"}
    assert (second["parameters"], second["continue_on_step_failure"]) == ({}, False)


def test_an_experiment_submits_it_with_tags(
    workspace: WorkspaceHandle, submitted: Submitted
) -> None:
    made = publish(workspace)
    given = {"pipeline_parameters": {"rate": 2}, "regenerate_outputs": True}

    Experiment(workspace, "exp").submit(made, tags={"a": "b"}, **given)

    [call] = submitted.calls
    assert (call["experiment"], call["parameters"]) == ("exp", {"rate": 2})
    assert (call["tags"], call["regenerate_outputs"]) == ({"a": "b"}, True)
    with pytest.raises(ConfigError, match="no setting 'pipeline_version'"):
        Experiment(workspace, "exp").submit(made, pipeline_version="1")


def test_the_output_of_a_run_is_shown_when_asked_for(
    workspace: WorkspaceHandle, submitted: Submitted
) -> None:
    Experiment(workspace, "exp").submit(publish(workspace), show_output=True)

    assert submitted.shown == [True]


def test_a_disabled_pipeline_is_not_submitted_until_it_is_enabled(
    workspace: WorkspaceHandle, submitted: Submitted
) -> None:
    made = publish(workspace, "train")
    made.disable()
    with pytest.raises(ConflictError, match=r"'train' is disabled.*\.enable\(\)"):
        made.submit(workspace, "exp")
    assert submitted.calls == []

    made.enable()
    made.submit(workspace, "exp")
    assert len(submitted.calls) == 1


def test_an_experiment_needs_a_name_that_can_be_one(
    workspace: WorkspaceHandle, submitted: Submitted
) -> None:
    with pytest.raises(ConfigError, match="cannot be called"):
        publish(workspace).submit(workspace, "a/b")


@pytest.mark.parametrize("place", ["", "graph.json"])
def test_a_graph_is_saved(workspace: WorkspaceHandle, tmp_path: Path, place: str) -> None:
    made = publish(workspace, "train")

    saved = Path(made.save(tmp_path / place))

    assert saved == tmp_path / (place or "train.json")
    content = json.loads(saved.read_text())
    assert (content["id"], content["graph"]) == (made.id, made.get_graph())


def test_a_graph_is_saved_in_the_working_directory(
    workspace: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Path(publish(workspace, "train").save()) == tmp_path / "train.json"


def test_names_are_escaped_in_a_notebook(workspace: WorkspaceHandle) -> None:
    made = publish(workspace, "<b>train</b>")

    assert "&lt;b&gt;train" in made._repr_html_()
    assert made.id in repr(made)
