from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbautoml.data import Dataset, Datastore
from nbautoml.errors import (
    ConfigError,
    ConflictError,
    DatasetError,
    NotAvailableError,
    NotFoundError,
)

Write = Callable[[str, str | bytes], str]


def test_the_default_datastore_is_a_folder_of_the_workspace(workspace: Any) -> None:
    store = Datastore.get_default(workspace)

    assert (store.name, store.datastore_type) == ("workspaceblobstore", "folder")
    assert (store.container_name, store.account_name) == ("datastore", "local")
    assert store.path("a/b.csv").uri == str(workspace.session.state_dir / "datastore/a/b.csv")
    assert Datastore(workspace).name == Datastore.get(workspace, "workspaceblobstore").name


def test_an_unknown_datastore_brings_the_closest_name(workspace: Any) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'workspaceblobstore'"):
        Datastore(workspace, "workspaceblobstor")


def test_a_folder_goes_in_and_comes_out_the_same(
    workspace: Any, write: Write, tmp_path: Path
) -> None:
    write("in/a.csv", "n\n1\n")
    folder = Path(write("in/sub/b.csv", "n\n2\n")).parent.parent
    store = Datastore.get_default(workspace)

    place = store.upload(str(folder), target_path="here", overwrite=True, show_progress=False)
    n_files = store.download(str(tmp_path / "out"), prefix="here")

    assert str(place) == "workspaceblobstore/here"
    assert n_files == 2
    assert (tmp_path / "out/here/sub/b.csv").read_text() == "n\n2\n"
    assert store.download(str(tmp_path / "other"), prefix="nothing") == 0


def test_files_are_replaced_only_when_asked(workspace: Any, write: Write, tmp_path: Path) -> None:
    store = Datastore.get_default(workspace)
    path = write("a.csv", "n\n1\n")
    store.upload_files([path])
    write("a.csv", "n\n2\n")

    store.upload_files([path])
    assert Path(store.path("a.csv").uri).read_text() == "n\n1\n"
    store.upload_files([path], overwrite=True)
    assert Path(store.path("a.csv").uri).read_text() == "n\n2\n"

    assert store.download(str(tmp_path / "out")) == 1
    assert store.download(str(tmp_path / "out")) == 0
    assert store.download(str(tmp_path / "out"), overwrite=True) == 1


def test_folders_below_a_root_are_kept(workspace: Any, write: Write) -> None:
    path = write("deep/down/a.csv", "n\n1\n")
    store = Datastore.get_default(workspace)

    store.upload_files([path], relative_root=str(Path(path).parents[2]), target_path="t")

    assert Path(store.path("t/deep/down/a.csv").uri).is_file()
    with pytest.raises(ConfigError, match="not below relative_root"):
        store.upload_files([path], relative_root="/nowhere")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "..\\x"])
def test_a_path_cannot_lead_out_of_a_datastore(workspace: Any, path: str) -> None:
    store = Datastore.get_default(workspace)

    with pytest.raises(ConfigError, match="leads out"):
        store.path(path)
    with pytest.raises(ConfigError, match="leads out"):
        Dataset.Tabular.from_delimited_files((store, path))


def test_missing_files_are_named(workspace: Any, tmp_path: Path) -> None:
    store = Datastore.get_default(workspace)

    with pytest.raises(DatasetError, match="nothing.csv does not exist"):
        store.upload_files([str(tmp_path / "nothing.csv")])
    with pytest.raises(DatasetError, match="src_dir must be a folder"):
        store.upload(str(tmp_path / "nowhere"))


def test_any_file_system_can_be_a_datastore(workspace: Any, write: Write) -> None:
    store = Datastore.register(workspace, "far", "memory://bucket-of-a-test/top")

    store.upload_files([write("a.csv", "n\n1\n"), write("b.csv", "n\n2\n")], target_path="d")

    assert (store.datastore_type, store.account_name) == ("memory", "bucket-of-a-test")
    frame = Dataset.Tabular.from_delimited_files((store, "d/*.csv")).to_pandas_dataframe()
    assert frame["n"].tolist() == [1, 2]
    with pytest.raises(DatasetError, match="nothing.csv does not exist"):
        Dataset.Tabular.from_delimited_files((store, "nothing.csv"))


def test_a_name_that_is_taken_needs_leave(workspace: Any, tmp_path: Path) -> None:
    Datastore.register(workspace, "mine", str(tmp_path / "a"))
    with pytest.raises(ConflictError, match="overwrite=True"):
        Datastore.register(workspace, "mine", str(tmp_path / "b"))

    moved = Datastore.register(workspace, "mine", str(tmp_path / "b"), overwrite=True)

    assert moved.path("x").uri == str(tmp_path / "b" / "x")
    assert [s.name for s in Datastore.list(workspace)] == ["mine", "workspaceblobstore"]


def test_another_datastore_can_be_the_default(workspace: Any, tmp_path: Path) -> None:
    Datastore.register(workspace, "mine", str(tmp_path / "a")).set_as_default()

    assert Datastore.get_default(workspace).name == "mine"


def test_what_is_not_built_says_what_to_do(workspace: Any) -> None:
    with pytest.raises(NotAvailableError, match=r"Datastore\.register\(ws, 'az', url\)"):
        Datastore.register_azure_blob_container(workspace, "az", container_name="c")
    with pytest.raises(NotAvailableError, match="overwrite=True"):
        Datastore.get_default(workspace).unregister()
