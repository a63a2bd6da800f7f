"""Headers for the REST service, as the SDK's classes give them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nbautoml import InteractiveLoginAuthentication, ServicePrincipalAuthentication, Workspace
from nbautoml.errors import NotFoundError
from nbautoml.workspace import authentication
from nbautoml.workspace.api_tokens import find_token


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return Workspace.create("w", path=tmp_path)


def token_of(header: dict[str, str]) -> str:
    scheme, _, token = header["Authorization"].partition(" ")
    assert (scheme, list(header)) == ("Bearer", ["Authorization"])
    return token


def test_the_workspace_of_the_folder_is_meant(workspace: Workspace) -> None:
    token = token_of(InteractiveLoginAuthentication(force=True).get_authentication_header())

    found = find_token(workspace.session, token, now=time.time())
    assert found is not None
    assert found.scopes == ("read", "runs:submit")
    assert found.expires_at == pytest.approx(time.time() + 3600.0, abs=30.0)


def test_a_token_is_used_until_it_is_about_to_end(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = InteractiveLoginAuthentication(workspace=workspace)
    first = auth.get_token()
    assert auth.get_token() == first

    now = time.time()
    monkeypatch.setattr(authentication.time, "time", lambda: now + 3400.0)
    assert auth.get_token() != first


def test_without_a_workspace_there_is_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NotFoundError):
        InteractiveLoginAuthentication().get_authentication_header()


def test_a_program_sends_the_token_that_it_was_given() -> None:
    auth = ServicePrincipalAuthentication("tenant", "id", " nba_0_secret ")

    assert auth.get_authentication_header() == {"Authorization": "Bearer nba_0_secret"}


def test_a_password_of_azure_is_not_sent(workspace: Workspace) -> None:
    auth = ServicePrincipalAuthentication("tenant", "id", "secret", workspace=workspace)

    token = token_of(auth.get_authentication_header())
    assert "secret" not in token
    assert find_token(workspace.session, token, now=time.time()) is not None
