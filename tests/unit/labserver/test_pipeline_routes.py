"""Routes about published pipelines, endpoints and schedules."""

from __future__ import annotations

import json

import pytest
from tornado.httpclient import HTTPClientError

from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services import pipelines
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import open_session
from tests.unit.pipelines.published_cases import publish, stand_in

V1 = ("nbautoml", "v1")


@pytest.fixture
def workspace(tmp_path, make_workspace, monkeypatch):
    stand_in(monkeypatch)
    address = make_workspace(tmp_path / "project")
    remember_workspace(address)
    return address


@pytest.fixture
def ids(workspace):
    with open_session(workspace) as session:
        handle = WorkspaceHandle(session)
        published = publish(handle, "train")
        endpoint = PipelineEndpoint.publish(handle, "best", None, published)
        endpoint.add(publish(handle, "train better"))
        return published.id, endpoint.id


@pytest.fixture
def call(jp_fetch, workspace):
    """Return a function that asks, and returns what was answered."""

    async def ask(*path, method="GET", body=None):
        text = None if body is None else json.dumps(body)
        params = {"workspace": workspace.root}
        reply = await jp_fetch(*V1, *path, params=params, method=method, body=text)
        return json.loads(reply.body)

    return ask


async def test_a_pipeline_is_read_and_turned_off(call, ids):
    pipeline, _ = ids
    told = await call("pipelines", pipeline)
    assert [step["name"] for step in told["steps"]] == ["prepare", "train"]
    changed = await call("pipelines", pipeline, method="PATCH", body={"enabled": False})
    assert changed["status"] == "Disabled"
    found = await call("catalog")
    assert {one["name"]: one["status"] for one in found["pipelines"]}["train"] == "Disabled"


async def test_an_endpoint_is_read_and_gets_another_default(call, ids):
    _, endpoint = ids
    assert len((await call("endpoints", endpoint))["versions"]) == 2
    changed = await call("endpoints", endpoint, method="PATCH", body={"default_version": "1"})
    assert changed["default_version"] == "1"


async def test_a_run_is_asked_of_a_process_of_its_own(call, ids, monkeypatch):
    asked = []
    monkeypatch.setattr(
        pipelines,
        "_ask",
        lambda _session, what, **more: asked.append((what, more)) or {"run_id": "r"},
    )
    body = {"experiment": "churn", "parameters": {"rate": 0.2}}
    pipeline, endpoint = ids
    assert await call("pipelines", pipeline, "runs", method="POST", body=body) == {"run_id": "r"}
    await call("endpoints", endpoint, "runs", method="POST", body=body)
    assert asked == [
        ("run_pipeline", {"pipeline_id": pipeline, **body}),
        ("run_endpoint", {"endpoint_id": endpoint, "version": None, **body}),
    ]


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [
        (("pipelines", "nothing"), "GET", None, 404),
        (("endpoints", "nothing"), "GET", None, 404),
        (("pipelines", "nothing"), "PATCH", {"enabled": True}, 404),
        (("schedules", "nothing"), "PATCH", {"on": True}, 400),
        (("pipelines", "nothing", "runs"), "POST", {"experiment": 3}, 400),
    ],
)
async def test_what_cannot_be_is_refused(call, path, method, body, status):
    with pytest.raises(HTTPClientError) as caught:
        await call(*path, method=method, body=body)
    assert caught.value.code == status
