"""Routes about what a run logged."""

from __future__ import annotations

import json

import pytest
from tornado.httpclient import HTTPClientError

from nbautoml.runs.experiment import Experiment
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import open_session


@pytest.fixture
def place(tmp_path, make_workspace):
    """Return the workspace's folder and the id of a run that logged something."""
    address = make_workspace(tmp_path / "project")
    remember_workspace(address)
    picture = tmp_path / "roc.svg"
    picture.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    with open_session(address) as session:
        run = Experiment(WorkspaceHandle(session), "e").start_logging()
        run.log("loss", 0.5)
        run.log_image("roc", path=picture)
        run.upload_file("outputs/my <model>.pkl", picture)
        with run.child_run("one fold") as child:
            child.log("loss", 0.75)
        run.complete()
    return address.root, run.id


async def get(jp_fetch, place, *path):
    root, run_id = place
    return await jp_fetch("nbautoml", "v1", "runs", run_id, *path, params={"workspace": root})


async def test_what_was_logged_comes_as_json(jp_fetch, place):
    found = json.loads((await get(jp_fetch, place, "logged")).body)
    assert found["values"] == [{"name": "loss", "value": 0.5, "n": 1}]
    assert [f["name"] for f in found["files"]] == ["outputs/my <model>.pkl", "roc.svg"]


async def test_child_runs_come_with_what_they_logged(jp_fetch, place):
    found = json.loads((await get(jp_fetch, place, "children")).body)
    assert (found["n"], found["metrics"]) == (1, ["loss"])
    assert (found["rows"][0]["name"], found["rows"][0]["values"]) == ("one fold", [0.75])


async def test_a_picture_can_be_shown_and_never_is_a_page(jp_fetch, place):
    response = await get(jp_fetch, place, "files", "roc.svg")
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.body.startswith(b"<svg")


async def test_any_other_file_is_to_be_saved(jp_fetch, place):
    response = await get(jp_fetch, place, "files", "outputs/my <model>.pkl")
    assert response.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("name", ["none.png", "../../config.json", "/etc/passwd"])
async def test_only_stored_files_are_there(jp_fetch, place, name):
    with pytest.raises(HTTPClientError) as caught:
        await get(jp_fetch, place, "files", name)
    assert caught.value.code == 404


async def test_the_whole_view_says_what_kind_it_is(jp_fetch, place):
    found = json.loads((await get(jp_fetch, place)).body)
    assert (found["header"]["kind"], found["trials"]) == ("interactive", [])


async def test_requests_that_it_does_not_know_are_conflicts(jp_fetch, tmp_path, place):
    root, _ = place
    from nbautoml.services.workspaces import workspace_at

    with open_session(workspace_at(tmp_path / "project")) as session:
        run = Experiment(WorkspaceHandle(session), "e").start_logging()
        path = ("nbautoml", "v1", "runs", run.id, "requests")
        with pytest.raises(HTTPClientError) as caught:
            await jp_fetch(
                *path, params={"workspace": root}, method="POST", body='{"kind":"pause"}'
            )
        assert caught.value.code == 409
        await jp_fetch(*path, params={"workspace": root}, method="POST", body='{"kind":"cancel"}')
        assert run.get_status() == "Canceled"
