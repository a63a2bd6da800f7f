"""The small file that says which workspace a folder belongs to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.workspace.config_file import (
    FACTS,
    WorkspaceFile,
    address_for,
    find_config,
    read_config,
    write_config,
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    address = address_for("w", tmp_path, store_url="postgresql+psycopg://host/db")
    facts = {**FACTS, "location": "westeurope"}
    path = write_config(
        WorkspaceFile(address=address, facts=facts), tmp_path / ".nbautoml/config.json"
    )
    found = read_config(path)
    assert (found.address, found.facts) == (address, facts)


def test_a_file_elsewhere_leads_back_to_the_root(tmp_path: Path) -> None:
    address = address_for("w", tmp_path / "root")
    target = tmp_path / "elsewhere" / ".nbautoml" / "config.json"
    write_config(WorkspaceFile(address=address, facts=FACTS), target)
    assert read_config(target).address == address


def test_the_search_goes_upward(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"name": "w"}')
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_config(deep) == (tmp_path / "config.json").resolve()


def test_config_files_of_other_programs_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"name": "outer"}')
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "config.json").write_text('{"some": "program"}')
    assert find_config(inner) == (tmp_path / "config.json").resolve()


def test_a_file_that_the_sdk_wrote_is_read(tmp_path: Path) -> None:
    folder = tmp_path / ".azureml"
    folder.mkdir()
    content = {"subscription_id": "s-1", "resource_group": "rg", "workspace_name": "quick-ws"}
    (folder / "config.json").write_text(json.dumps(content))
    found = read_config(find_config(tmp_path))
    assert found.address.name == "quick-ws"
    assert found.address.root == str(tmp_path.resolve())
    assert found.facts["subscription_id"] == "s-1"


def test_where_there_is_none_the_message_names_the_line_to_write(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"Workspace\.create\('my-workspace', exist_ok=True\)"):
        find_config(tmp_path)


def test_a_file_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    with pytest.raises(ConfigError, match="names no workspace"):
        read_config(path)


def test_a_file_that_is_not_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match="cannot be read as a workspace file"):
        read_config(path)


def test_a_password_is_not_written(tmp_path: Path) -> None:
    address = address_for("w", tmp_path, store_url="postgresql+psycopg://me:secret@host/db")
    with pytest.raises(ConfigError, match="store_url_env"):
        write_config(WorkspaceFile(address=address, facts=FACTS), tmp_path / "config.json")
    assert not (tmp_path / "config.json").exists()


def test_the_store_url_can_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"name": "w", "store_url_env": "MY_STORE"}')
    monkeypatch.setenv("MY_STORE", "postgresql+psycopg://me:secret@host/db")
    assert read_config(path).address.store_url == "postgresql+psycopg://me:secret@host/db"
    monkeypatch.delenv("MY_STORE")
    with pytest.raises(ConfigError, match="MY_STORE"):
        read_config(path)
