"""Endpoints: versions under a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.errors import ConfigError, ConflictError, NotFoundError
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.pipelines.published import PublishedPipeline
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import open_memory_session
from tests.unit.pipelines.published_cases import Submitted, publish, stand_in


class Draft:
    """A pipeline that is not published yet."""

    def __init__(self, workspace: WorkspaceHandle) -> None:
        self.workspace = workspace

    def publish(self, name: str, description: str | None) -> PublishedPipeline:
        return publish(self.workspace, name, description=description)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    with open_memory_session(root=str(tmp_path)) as session:
        yield WorkspaceHandle(session)


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> Submitted:
    return stand_in(monkeypatch)


@pytest.fixture
def endpoint(workspace: WorkspaceHandle) -> PipelineEndpoint:
    return PipelineEndpoint.publish(workspace, "train", "nightly", publish(workspace, "first"))


def test_the_first_version_is_zero_and_the_default(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint
) -> None:
    found = PipelineEndpoint.get(workspace, name="train")

    assert (found.id, found.description, found.status) == (endpoint.id, "nightly", "Active")
    assert (found.default_version, found.get_default_version()) == ("0", "0")
    assert found.get_pipeline().name == "first"
    assert found.endpoint.endswith(f"/PipelineEndpointSubmit/Id/{endpoint.id}")
    assert found.swaggerurl.endswith("/openapi.json")
    assert PipelineEndpoint.get(workspace, id=endpoint.id).name == "train"


def test_a_version_is_added_beside_the_default(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint
) -> None:
    second = publish(workspace, "second")

    assert endpoint.add(second) == "1"
    assert (endpoint.default_version, endpoint.get_pipeline("1").id) == ("0", second.id)
    versions = [("0", endpoint.get_pipeline("0").id), ("1", second.id)]
    assert endpoint.get_all_versions() == endpoint.list_versions() == versions


def test_a_draft_is_published_as_the_new_default(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint
) -> None:
    assert endpoint.add_default(Draft(workspace)) == "1"

    found = PipelineEndpoint.get(workspace, name="train")
    assert (found.default_version, found.get_pipeline().name) == ("1", "train")


def test_a_default_is_chosen_by_version_or_by_pipeline(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint
) -> None:
    second = publish(workspace, "second")
    endpoint.add(second)

    endpoint.set_default(second)
    assert endpoint.default_version == "1"
    endpoint.set_default_version("0")
    assert PipelineEndpoint.get(workspace, id=endpoint.id).default_version == "0"

    with pytest.raises(NotFoundError, match="no version '7'; it has 0, 1"):
        endpoint.set_default_version("7")
    with pytest.raises(NotFoundError, match="no version of the endpoint 'train'"):
        endpoint.set_default(publish(workspace, "third"))


def test_its_pipelines_are_listed(workspace: WorkspaceHandle, endpoint: PipelineEndpoint) -> None:
    second = publish(workspace, "second")
    endpoint.add(second)
    second.disable()

    assert [one.name for one in endpoint.list_pipelines()] == ["first"]
    assert [one.name for one in endpoint.get_all_pipelines(active_only=False)] == [
        "first",
        "second",
    ]


def test_submitting_runs_the_default_or_a_version(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint, submitted: Submitted
) -> None:
    second = publish(workspace, "second")
    endpoint.add(second)

    endpoint.submit("exp", {"rate": 1})
    endpoint.submit("exp", pipeline_version="1")

    first = endpoint.get_pipeline("0")
    ids = [call["properties"]["azureml.pipelineid"] for call in submitted.calls]
    assert ids == [first.id, second.id]
    assert submitted.calls[0]["parameters"] == {"rate": 1}
    assert submitted.calls[0]["properties"]["azureml.pipelineendpointid"] == endpoint.id
    with pytest.raises(NotFoundError, match="no version '2'"):
        endpoint.submit("exp", pipeline_version="2")


def test_an_experiment_submits_a_version(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint, submitted: Submitted
) -> None:
    endpoint.add(publish(workspace, "second"))

    Experiment(workspace, "exp").submit(endpoint, pipeline_version="1", tags={"a": "b"})

    [call] = submitted.calls
    assert call["properties"]["azureml.pipelineid"] == endpoint.get_pipeline("1").id
    assert (call["tags"], submitted.shown) == ({"a": "b"}, [])


def test_a_disabled_endpoint_or_version_is_not_submitted(
    endpoint: PipelineEndpoint, submitted: Submitted
) -> None:
    endpoint.disable()
    with pytest.raises(ConflictError, match="endpoint 'train' is disabled"):
        endpoint.submit("exp")
    endpoint.enable()
    endpoint.get_pipeline().disable()
    with pytest.raises(ConflictError, match="pipeline 'first' is disabled"):
        endpoint.submit("exp")

    assert submitted.calls == []


def test_an_archived_endpoint_frees_its_name(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint, submitted: Submitted
) -> None:
    endpoint.archive()
    endpoint.archive()
    other = PipelineEndpoint.publish(workspace, "train", None, publish(workspace))

    assert endpoint.name == f"train (archived {endpoint.id[:8]})"
    with pytest.raises(ConflictError, match=r"archived.*reactivate"):
        endpoint.submit("exp")
    with pytest.raises(ConflictError, match="there already"):
        endpoint.reactivate("train")
    endpoint.reactivate("fit")
    assert {one.name for one in PipelineEndpoint.list(workspace)} == {"train", "fit"}
    assert other.status == endpoint.status == "Active"


def test_a_name_is_changed_and_used_once(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint
) -> None:
    endpoint.set_name("fit")

    with pytest.raises(NotFoundError, match="There are: fit"):
        PipelineEndpoint.get(workspace, name="train")
    n_before = len(PublishedPipeline.list(workspace))
    with pytest.raises(ConflictError, match="there already"):
        PipelineEndpoint.publish(workspace, "fit", None, Draft(workspace))
    assert len(PublishedPipeline.list(workspace)) == n_before


def test_lists_are_cut_and_leave_out_what_is_disabled(
    workspace: WorkspaceHandle, endpoint: PipelineEndpoint
) -> None:
    PipelineEndpoint.publish(workspace, "second", None, publish(workspace))
    endpoint.disable()

    assert [one.name for one in PipelineEndpoint.get_all(workspace)] == ["second"]
    assert len(PipelineEndpoint.get_all(workspace, active_only=False)) == 2
    assert len(PipelineEndpoint.list(workspace, active_only=False, max_results=1)) == 1


@pytest.mark.parametrize("name", ["", " a", "a/b", "a?b", "a#b", "a\nb", "x" * 256, None])
def test_a_name_that_cannot_be_one_is_refused(workspace: WorkspaceHandle, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be called"):
        PipelineEndpoint.publish(workspace, name, None, publish(workspace))


def test_only_pipelines_are_versions(endpoint: PipelineEndpoint) -> None:
    with pytest.raises(ConfigError, match="got a str"):
        endpoint.add("pipeline")


@pytest.mark.parametrize("given", [{}, {"id": "a", "name": "b"}])
def test_either_an_id_or_a_name_is_needed(
    workspace: WorkspaceHandle, given: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="either id= or name="):
        PipelineEndpoint.get(workspace, **given)


def test_names_are_escaped_in_a_notebook(workspace: WorkspaceHandle) -> None:
    made = PipelineEndpoint.publish(workspace, "<i>x", None, publish(workspace))

    assert "&lt;i&gt;x" in made._repr_html_()
    assert made.id in repr(made)
