"""A workspace in memory, and files in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nbautoml.domain.records import SessionAddress
from nbautoml.store.session import Session, create_session


@dataclass(frozen=True)
class FakeWorkspace:
    """Anything with a session is a workspace."""

    session: Session


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own workspaces, caches and maps out of the tests."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NBAUTOML_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("NBAUTOML_URL_MAP", raising=False)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    address = SessionAddress(
        name="w",
        root=str(tmp_path / "ws"),
        store_url="sqlite://",
        artifact_root=str(tmp_path / "ws" / "files"),
    )
    with create_session(address) as session:
        yield session


@pytest.fixture
def workspace(session: Session) -> FakeWorkspace:
    return FakeWorkspace(session)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], str]:
    """Return a function that writes a file and gives its path."""

    def write_file(name: str, content: str | bytes) -> str:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write_file
