"""Routes about one dataset and one model: reading, changing, removing."""

import io
import json
import zipfile
from urllib.parse import quote

import pytest
from tornado.httpclient import HTTPClientError

from nbautoml.compute.clusters import DaskCluster
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.domain.records import ComputeRecord
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import open_session

V1 = ("nbautoml", "v1")


@pytest.fixture
def workspace(tmp_path, make_workspace):
    address = make_workspace(tmp_path / "project")
    remember_workspace(address)
    with open_session(address) as session:
        with session.write() as tx:
            tx.datasets.register("heart", id="d-1", definition={}, fingerprint="f", n_rows=3)
            owner = tx.models.register("churn").owner_id
        session.save_artifacts(owner, {"outputs/model.pkl": b"1", "über uns.txt": b"2"})
    return address


@pytest.fixture
def call(jp_fetch, workspace):
    """Return a function that asks about a thing of the workspace."""

    def ask(*path, method="GET", body=None):
        text = None if body is None else json.dumps(body)
        params = {"workspace": workspace.root}
        return jp_fetch(*V1, *path, params=params, method=method, body=text)

    return ask


async def status_of(request):
    with pytest.raises(HTTPClientError) as caught:
        await request
    return caught.value.code


async def test_a_dataset_is_read_changed_and_unregistered(call, workspace):
    content = {"profile": {"n_rows": 3, "columns": []}}
    with open_session(workspace) as session:
        session.save_artifact("dataset:f", "view/content-1.json", json.dumps(content).encode())
    path = ("datasets", "d-1")
    assert json.loads((await call(*path)).body)["name"] == "heart"
    assert json.loads((await call(*path, "content")).body) == content
    changed = await call(*path, method="PATCH", body={"description": "new"})
    assert json.loads(changed.body)["description"] == "new"
    gone = await call(*path, method="DELETE")
    assert json.loads(gone.body) == {"name": "heart", "versions": 1}
    assert await status_of(call(*path, method="DELETE")) == 404


async def test_a_model_is_read_changed_and_deleted(call):
    path = ("models", "churn", "versions", "1")
    assert json.loads((await call("models", "churn")).body)["versions"][0]["version"] == 1
    assert len(json.loads((await call(*path)).body)["files"]) == 2
    changed = await call(*path, method="PATCH", body={"tags": {"a": "b"}})
    assert json.loads(changed.body)["tags"] == {"a": "b"}
    gone = await call(*path, method="DELETE")
    assert json.loads(gone.body) == {"name": "churn", "version": 1, "left": 0}
    assert await status_of(call("models", "churn")) == 404


async def test_a_compute_target_is_read_scaled_and_deleted(call, workspace):
    options = DaskCluster.provisioning_configuration(max_nodes=3, cores=1).options
    record = ComputeRecord(
        name="big",
        kind="AmlCompute",
        options=ClusterBackend.record_options(options),
        created_at=1.0,
    )
    with open_session(workspace) as session, session.write() as tx:
        tx.computes.put(record)
    path = ("computes", "big")
    assert json.loads((await call(*path)).body)["scale"]["max_nodes"] == 3
    scaled = await call(*path, method="PATCH", body={"max_nodes": 4})
    assert json.loads(scaled.body)["scale"]["max_nodes"] == 4
    assert json.loads((await call(*path, "log")).body)["text"] == ""
    assert await status_of(call(*path, method="PATCH", body={"max_nodes": "many"})) == 400
    stopped = await call(*path, "stop", method="POST", body={})
    assert json.loads(stopped.body)["is_started"] is False
    assert json.loads((await call(*path, method="DELETE")).body) == {"name": "big"}
    assert await status_of(call(*path)) == 404
    assert await status_of(call("computes", "local", method="DELETE")) == 404


async def test_a_model_is_sent_as_an_archive(call):
    response = await call("models", "churn", "versions", "1", "archive")
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="churn-1.zip"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    with zipfile.ZipFile(io.BytesIO(response.body)) as found:
        assert {found.read(name) for name in found.namelist()} == {b"1", b"2"}


async def test_a_file_keeps_its_name_whatever_its_letters(call):
    name = "über uns.txt"
    response = await call("models", "churn", "versions", "1", "files", name)
    assert response.body == b"2"
    assert response.headers["Content-Disposition"] == (
        f"attachment; filename=\"_ber_uns.txt\"; filename*=UTF-8''{quote(name)}"
    )


@pytest.mark.parametrize("name", ["none.txt", "../../etc/passwd", '"\r\nX: y'])
async def test_what_a_model_does_not_have_is_not_sent(call, name):
    assert await status_of(call("models", "churn", "versions", "1", "files", name)) == 404


@pytest.mark.parametrize("body", ["", "[]", '{"name": "x"}', '{"tags": 3}'])
async def test_wrong_changes_are_refused(jp_fetch, workspace, body):
    for path in (("datasets", "d-1"), ("models", "churn", "versions", "1")):
        params = {"workspace": workspace.root}
        request = jp_fetch(*V1, *path, params=params, method="PATCH", body=body)
        assert await status_of(request) == 400


async def test_nothing_is_deleted_in_a_workspace_that_nobody_opened(
    jp_fetch, make_workspace, tmp_path
):
    strange = make_workspace(tmp_path / "strange")
    request = jp_fetch(
        *V1,
        *("models", "m", "versions", "1"),
        params={"workspace": strange.root},
        method="DELETE",
    )
    assert await status_of(request) == 403
