"""The workspace: made, opened again, and what it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from nbautoml import Dataset, Experiment, Workspace
from nbautoml.errors import ConflictError, NotFoundError

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})


@pytest.fixture
def opened() -> Iterator[list[Workspace]]:
    workspaces: list[Workspace] = []
    yield workspaces
    for workspace in workspaces:
        workspace.session.close()


@pytest.fixture
def create(tmp_path: Path, opened: list[Workspace]) -> Callable[..., Workspace]:
    def make(name: str = "w", **settings: object) -> Workspace:
        workspace = Workspace.create(name, path=tmp_path, **settings)  # type: ignore[arg-type]
        opened.append(workspace)
        return workspace

    return make


def test_the_working_directory_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[Workspace]
) -> None:
    monkeypatch.chdir(tmp_path)
    opened.append(Workspace.create("w"))
    deep = tmp_path / "notebooks" / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    opened.append(Workspace.from_config())
    assert opened[1].name == "w"
    assert opened[1].get_details()["root"] == str(tmp_path.resolve())


def test_what_notebooks_print_is_never_empty(create: Callable[..., Workspace]) -> None:
    ws = create()
    facts = (ws.name, ws.location, ws.subscription_id, ws.resource_group, ws.sku)
    assert all(isinstance(f, str) and f for f in facts)


def test_given_facts_are_kept(create: Callable[..., Workspace], tmp_path: Path) -> None:
    create(subscription_id="s-1", resource_group="rg", location="westeurope")
    again = create(exist_ok=True)
    assert (again.subscription_id, again.resource_group) == ("s-1", "rg")
    assert again.location == "westeurope"


def test_a_workspace_is_not_made_twice(create: Callable[..., Workspace]) -> None:
    create()
    with pytest.raises(ConflictError, match=r"exist_ok=True"):
        create()
    assert create(exist_ok=True).name == "w"


def test_a_folder_holds_one_workspace(create: Callable[..., Workspace]) -> None:
    create()
    with pytest.raises(ConflictError, match="holds workspace 'w'"):
        create("other", exist_ok=True)


def test_azures_arguments_are_accepted(create: Callable[..., Workspace]) -> None:
    assert create(create_resource_group=True, sku="basic", auth=None).sku == "basic"


def test_without_a_file_the_message_names_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match=r"ws = Workspace\.create\("):
        Workspace.from_config()


def test_write_config_leads_here_from_elsewhere(
    create: Callable[..., Workspace], tmp_path: Path, opened: list[Workspace]
) -> None:
    ws = create()
    Experiment(ws, "e")
    other = tmp_path / "elsewhere"
    other.mkdir()
    ws.write_config(other)
    opened.append(Workspace.from_config(other))
    assert opened[-1].get_details()["root"] == str(tmp_path.resolve())


def test_a_file_of_the_sdk_opens_a_local_workspace(tmp_path: Path, opened: list[Workspace]) -> None:
    (tmp_path / "config.json").write_text(
        '{"subscription_id": "s", "resource_group": "rg", "workspace_name": "quick-starts-ws"}'
    )
    opened.append(Workspace.from_config(tmp_path))
    assert (opened[0].name, opened[0].subscription_id) == ("quick-starts-ws", "s")
    opened.append(Workspace.from_config(tmp_path))
    assert opened[1].name == "quick-starts-ws"


def test_mappings_follow_the_workspace(create: Callable[..., Workspace]) -> None:
    ws = create()
    assert (list(ws.datasets), list(ws.experiments), list(ws.models)) == ([], [], [])
    Dataset.Tabular.from_pandas_dataframe(FRAME).register(ws, name="frame")
    assert list(ws.datasets) == ["frame"]
    assert ws.datasets["frame"].to_pandas_dataframe().equals(FRAME)
    assert "frame" in ws.datasets
    assert ws.datasets.get("none") is None


def test_a_missing_name_says_what_there_is(create: Callable[..., Workspace]) -> None:
    ws = create()
    Dataset.Tabular.from_pandas_dataframe(FRAME).register(ws, name="heart")
    with pytest.raises(KeyError, match="Did you mean 'heart'"):
        ws.datasets["haert"]


def test_local_compute_is_always_there(create: Callable[..., Workspace]) -> None:
    ws = create()
    assert list(ws.compute_targets) == ["local"]
    assert ws.compute_targets["local"].name == "local"


def test_the_default_datastore_is_among_the_datastores(create: Callable[..., Workspace]) -> None:
    ws = create()
    assert ws.get_default_datastore().name in ws.datastores


def test_a_run_that_is_not_there_is_refused(create: Callable[..., Workspace]) -> None:
    with pytest.raises(NotFoundError, match="AutoML_none"):
        create().get_run("AutoML_none")


def test_html_escapes_what_users_named(tmp_path: Path, opened: list[Workspace]) -> None:
    opened.append(Workspace.create("<b>w</b>", path=tmp_path))
    assert "<b>w" not in opened[0]._repr_html_()
    assert "&lt;b&gt;w" in opened[0]._repr_html_()
