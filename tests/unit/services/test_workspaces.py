import json
from pathlib import Path

import pytest

from nbautoml.domain.records import SessionAddress
from nbautoml.errors import NotAllowedError, NotFoundError
from nbautoml.services.workspaces import (
    MAX_KNOWN,
    allowed_workspace,
    home_folder,
    known_workspaces,
    remember_workspace,
    workspace_at,
)
from nbautoml.workspace.config_file import FACTS, WorkspaceFile, address_for, write_config


def test_nothing_is_known_at_first():
    assert known_workspaces() == ()


def test_remembered_workspaces_are_known_latest_first(tmp_path, make_workspace):
    first, second = make_workspace(tmp_path / "a"), make_workspace(tmp_path / "b")
    remember_workspace(first)
    remember_workspace(second)
    assert known_workspaces() == (second, first)
    remember_workspace(first)
    assert known_workspaces() == (first, second)


def test_workspace_whose_folder_is_gone_is_left_out(tmp_path, make_workspace):
    remember_workspace(make_workspace(tmp_path / "a"))
    (tmp_path / "a" / ".nbautoml" / "config.json").unlink()
    assert known_workspaces() == ()


def test_list_stays_small_and_holds_no_url(tmp_path, own_home):
    for i in range(MAX_KNOWN + 5):
        url = "postgresql+psycopg://me:secret@host/db"
        remember_workspace(address_for("ws", tmp_path / f"ws-{i}", store_url=url))
    text = (own_home / "workspaces.json").read_text()
    assert "secret" not in text
    assert len(json.loads(text)["workspaces"]) == MAX_KNOWN


@pytest.mark.parametrize("content", ["", "[]", "null", '{"workspaces": 3}', '{"workspaces": [3]}'])
def test_broken_list_is_an_empty_one(own_home, content):
    own_home.mkdir()
    (own_home / "workspaces.json").write_text(content)
    assert known_workspaces() == ()


def test_home_that_cannot_be_written_is_no_error(tmp_path, make_workspace, monkeypatch):
    file = tmp_path / "a-file"
    file.write_text("")
    monkeypatch.setenv("NBAUTOML_HOME", str(file / "below"))
    remember_workspace(make_workspace(tmp_path / "a"))
    assert known_workspaces() == ()


def test_home_is_in_the_users_folder_by_default(monkeypatch):
    monkeypatch.delenv("NBAUTOML_HOME")
    assert home_folder() == Path.home() / ".nbautoml"


def test_workspace_at_takes_only_that_folder(tmp_path, make_workspace):
    address = make_workspace(tmp_path)
    (tmp_path / "below").mkdir()
    assert workspace_at(tmp_path) == address
    with pytest.raises(NotFoundError, match="no workspace in the folder"):
        workspace_at(tmp_path / "below")


def test_known_workspace_is_allowed_wherever_it_is(tmp_path, make_workspace):
    address = make_workspace(tmp_path / "a")
    remember_workspace(address)
    assert allowed_workspace(address.root, below=tmp_path / "server") == address


def test_workspace_below_the_server_is_allowed(tmp_path, make_workspace):
    address = make_workspace(tmp_path / "server" / "project")
    assert allowed_workspace(address.root, below=tmp_path / "server") == address


def test_other_workspaces_are_refused_with_the_way_out(tmp_path, make_workspace):
    address = make_workspace(tmp_path / "a")
    with pytest.raises(NotAllowedError, match=r"Open it once in Python"):
        allowed_workspace(address.root, below=tmp_path / "server")


@pytest.mark.parametrize("root", ["", "relative/folder", "../up", "/with\0nul"])
def test_only_absolute_paths_name_a_workspace(tmp_path, root):
    with pytest.raises(NotAllowedError, match="absolute path"):
        allowed_workspace(root, below=tmp_path)


def test_links_and_dots_do_not_lead_out(tmp_path, make_workspace):
    outside = make_workspace(tmp_path / "outside")
    server = tmp_path / "server"
    server.mkdir()
    (server / "link").symlink_to(outside.root)
    for root in (f"{server}/link", f"{server}/../outside"):
        with pytest.raises(NotAllowedError):
            allowed_workspace(root, below=server)


def test_unknown_folder_must_not_send_the_server_to_another_store(tmp_path):
    root = tmp_path / "server" / "cloned"
    root.mkdir(parents=True)
    address = SessionAddress(
        name="ws",
        root=str(root),
        store_url="postgresql+psycopg://elsewhere/db",
        artifact_root=str(root / ".nbautoml" / "artifacts"),
    )
    file = WorkspaceFile(address=address, facts=FACTS)
    write_config(file, root / ".nbautoml" / "config.json")
    with pytest.raises(NotAllowedError):
        allowed_workspace(str(root), below=tmp_path / "server")
    remember_workspace(address)
    assert allowed_workspace(str(root), below=tmp_path / "server") == address
