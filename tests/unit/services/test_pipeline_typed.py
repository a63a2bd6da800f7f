"""Names and parameters as people type them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.pipeline_typed import (
    find_published,
    find_schedule,
    published_names,
    typed_parameters,
)
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for
from tests.unit.pipelines.published_cases import PARAMETERS, publish, stand_in

DEFAULTS = {"rate": 0.1, "city": "Ulm", "rows": [1, 2], "is_full": False}


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    stand_in(monkeypatch)
    with create_session(address_for("w", tmp_path)) as session:
        yield session


def test_an_endpoint_goes_before_a_pipeline_of_its_name(session):
    workspace = WorkspaceHandle(session)
    one = publish(workspace, "train")
    assert find_published(session, "train")[0] == "pipeline"
    endpoint = PipelineEndpoint.publish(workspace, "train", None, one)
    kind, row = find_published(session, "train")
    assert (kind, row["id"], row["parameters"]) == ("endpoint", endpoint.id, PARAMETERS)
    assert find_published(session, one.id)[1]["name"] == "train"
    assert published_names(session) == ["train"]


def test_of_pipelines_of_one_name_the_newest_active_one_is_meant(session):
    workspace = WorkspaceHandle(session)
    first, second = publish(workspace, "train"), publish(workspace, "train")
    assert find_published(session, "train")[1]["id"] == second.id
    second.disable()
    assert find_published(session, "train")[1]["id"] == first.id


def test_what_is_not_there_gets_a_hint(session):
    with pytest.raises(NotFoundError, match=r"pipeline\.publish"):
        find_published(session, "train")
    publish(WorkspaceHandle(session), "train")
    with pytest.raises(NotFoundError, match="Did you mean 'train'"):
        find_published(session, "trian")
    with pytest.raises(NotFoundError, match="No schedule is called 'x'"):
        find_schedule(session, "x")


def test_values_are_read_as_their_defaults_are():
    typed = ["rate=2", "city=7", "rows=[3]", "is_full=true", "other=x=y"]
    assert typed_parameters(typed, DEFAULTS) == {
        "rate": 2,
        "city": "7",
        "rows": [3],
        "is_full": True,
        "other": "x=y",
    }


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["rate"], "name=value"),
        (["=3"], "name=value"),
        (["rate=1", "rate=2"], "given twice"),
        (["rate=much"], "rate must be written as 0.1 is; got much."),
        (["rows="], r"rows must be written as \[1, 2\] is; got nothing."),
    ],
)
def test_what_cannot_be_read_is_said(typed, message):
    with pytest.raises(ConfigError, match=message):
        typed_parameters(typed, DEFAULTS)
