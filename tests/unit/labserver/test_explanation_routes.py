"""Routes about explanations: what is answered, and what is refused."""

from __future__ import annotations

import json

import pytest
from tornado.httpclient import HTTPClientError

from nbautoml.automl.artifacts import DASHBOARD
from nbautoml.domain.ids import child_run_id
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import open_session

RUN = "AutoML_x"
PATH = ("nbautoml", "v1", "runs", RUN, "trials", "0")


@pytest.fixture
def workspace(tmp_path, make_workspace):
    address = make_workspace(tmp_path / "project")
    remember_workspace(address)
    return address


@pytest.fixture
def query(workspace):
    return {"workspace": workspace.root}


async def test_an_explanation_is_answered(jp_fetch, workspace, query):
    with open_session(workspace) as session:
        board = {"explained_rows": 0, "raw": []}
        files = {DASHBOARD: json.dumps(board).encode()}
        session.save_artifacts(child_run_id(RUN, 0), files)
    response = await jp_fetch(*PATH, "explanation", params=query)
    answer = json.loads(response.body)
    assert (answer["state"], answer["explanation"]) == ("done", board)


async def test_what_is_wrong_is_told(jp_fetch, query):
    for name, body, status in (
        ("explain", {"rows": 0}, 400),
        ("whatif", {"row": 0, "changes": {}}, 400),
        ("whatif", {"row": 0, "changes": {"a": 1}}, 404),
    ):
        with pytest.raises(HTTPClientError) as caught:
            await jp_fetch(*PATH, name, params=query, method="POST", body=json.dumps(body))
        assert caught.value.code == status, name
        error = json.loads(caught.value.response.body)["error"]
        assert error["message"]
