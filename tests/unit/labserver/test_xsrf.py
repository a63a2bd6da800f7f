"""A page of another site cannot change anything with the cookie of a logged-in user."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from tornado.httpclient import HTTPClientError

from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import open_session


@pytest.fixture
def jp_server_config() -> dict[str, object]:
    """The server as people start it: cookies count, and need their second half."""
    return {"ServerApp": {"jpserver_extensions": {"nbautoml.labserver": True}}}


@pytest.fixture
def workspace(tmp_path, make_workspace):
    address = make_workspace(tmp_path / "project")
    remember_workspace(address)
    with open_session(address) as session, session.write() as tx:
        tx.models.register("churn")
        tx.datasets.register("heart", id="d-1", definition={}, fingerprint="f")
    return address


@pytest.fixture
def log_in(jp_serverapp, http_server_client, jp_base_url):
    """Return a function that logs in as a browser does, and gives the cookies."""

    async def log_in() -> list[str]:
        words = urlencode({"token": jp_serverapp.identity_provider.token})
        page = await http_server_client.fetch(
            f"{jp_base_url}login?{words}", follow_redirects=False, raise_error=False
        )
        found = cookies_of(page)
        assert found, "no cookie was set"
        return found

    return log_in


def cookies_of(page):
    return [value.split(";")[0] for value in page.headers.get_list("Set-Cookie")]


CHANGES = [
    ("DELETE", "models/churn/versions/1", None),
    ("PATCH", "models/churn/versions/1", '{"description": "x"}'),
    ("DELETE", "datasets/d-1", None),
    ("PATCH", "datasets/d-1", '{"description": "x"}'),
    ("POST", "runs/AutoML_x/requests", '{"kind": "cancel"}'),
]


def address_of(jp_base_url, path, workspace):
    return f"{jp_base_url}nbautoml/v1/{path}?{urlencode({'workspace': workspace.root})}"


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
async def test_a_cookie_alone_changes_nothing(
    http_server_client, jp_base_url, workspace, log_in, method, path, body
):
    cookies = await log_in()
    with pytest.raises(HTTPClientError) as caught:
        await http_server_client.fetch(
            address_of(jp_base_url, path, workspace),
            method=method,
            body=body,
            headers={"Cookie": "; ".join(cookies)},
        )
    assert caught.value.code == 403
    with open_session(workspace) as session, session.read() as tx:
        assert tx.models.get("churn").description == ""
        assert tx.datasets.get("heart").description == ""
        assert tx.requests.read("AutoML_x") == []


async def test_a_cookie_with_its_second_half_does(
    http_server_client, jp_base_url, workspace, log_in
):
    cookies = await log_in()
    page = await http_server_client.fetch(f"{jp_base_url}login")  # as one who has not logged in
    both = cookies + cookies_of(page)
    found = re.search(r"_xsrf=([^;]+)", "; ".join(both))
    assert found is not None, both
    response = await http_server_client.fetch(
        address_of(jp_base_url, "models/churn/versions/1", workspace),
        method="DELETE",
        headers={"Cookie": "; ".join(both), "X-XSRFToken": found[1]},
    )
    assert response.code == 200
