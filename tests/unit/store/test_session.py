"""Opening and making workspaces."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from nbautoml.domain.records import SessionAddress
from nbautoml.errors import ConflictError, StoreError
from nbautoml.store.session import create_session, open_memory_session, open_session


@pytest.fixture
def address(tmp_path: Path) -> SessionAddress:
    return SessionAddress(
        name="w",
        root=str(tmp_path / "project"),
        store_url="sqlite:///.nbautoml/workspace.db",
        artifact_root=".nbautoml/artifacts",
    )


def test_relative_places_lie_in_the_root(address: SessionAddress, tmp_path: Path) -> None:
    with create_session(address) as session:
        assert session.address.store_url == f"sqlite:///{tmp_path}/project/.nbautoml/workspace.db"
        assert session.address.artifact_root == f"{tmp_path}/project/.nbautoml/artifacts"
        assert session.root == tmp_path / "project"
        assert session.state_dir == tmp_path / "project" / ".nbautoml"
        assert (session.state_dir / "workspace.db").is_file()


def test_an_address_travels(address: SessionAddress) -> None:
    with create_session(address) as session:
        travelled = pickle.loads(pickle.dumps(session.address))

    with open_session(travelled) as again:
        assert again.address == session.address


def test_a_workspace_that_moved_still_has_its_files(
    address: SessionAddress, tmp_path: Path
) -> None:
    with create_session(address) as session:
        session.save_artifact("run", "a", b"content")
    Path(address.root).rename(tmp_path / "moved")

    with open_session(replace(address, root=str(tmp_path / "moved"))) as session:
        assert session.load_artifact("run", "a").read_bytes() == b"content"


@pytest.mark.parametrize("function", [create_session, open_session])
def test_a_store_belongs_to_one_workspace(address: SessionAddress, function: object) -> None:
    create_session(address).close()

    with pytest.raises(ConflictError, match="'w', not 'other'"):
        function(replace(address, name="other"))  # type: ignore[operator]


def test_a_missing_workspace_says_how_to_make_one(address: SessionAddress) -> None:
    with pytest.raises(StoreError, match=r"Workspace\.create\(name, exist_ok=True\)"):
        open_session(address)
    assert not Path(address.root).exists()


def test_an_empty_file_is_no_workspace(address: SessionAddress) -> None:
    state = Path(address.root) / ".nbautoml"
    state.mkdir(parents=True)
    (state / "workspace.db").touch()

    with pytest.raises(StoreError, match="holds no workspace"):
        open_session(address)


def test_a_workspace_in_memory_is_not_opened_twice() -> None:
    with open_memory_session() as session, pytest.raises(StoreError, match="in memory"):
        open_session(session.address)


def test_a_folder_that_cannot_be_made_is_told(address: SessionAddress, tmp_path: Path) -> None:
    (tmp_path / "project").write_text("a file")

    with pytest.raises(StoreError, match="cannot be made"):
        create_session(address)


def test_a_full_disk_is_told_by_the_name_of_the_file(
    address: SessionAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with create_session(address) as session:
        monkeypatch.setattr("nbautoml.store.artifacts.os.fsync", fail)
        with pytest.raises(StoreError, match=r"model\.pkl of run.*No space left.*free space"):
            session.save_artifact("run", "model.pkl", b"x")
        with session.read() as reader:
            assert reader.artifacts.list("run") == []


def test_the_clock_is_the_session_s(address: SessionAddress) -> None:
    with create_session(address, clock=lambda: 42.0) as session:
        record = session.save_artifact("run", "a", b"x")
        with session.write() as tx:
            experiment = tx.experiments.get_or_create("e")

    assert (record.created_at, experiment.created_at) == (42.0, 42.0)
