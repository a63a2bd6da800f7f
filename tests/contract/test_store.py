"""The store's suites on memory, on a SQLite file and on a real PostgreSQL."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.domain.records import SessionAddress
from nbautoml.errors import NotFoundError
from nbautoml.store.session import Session, create_session, open_memory_session
from nbautoml.testing.postgres import postgres_server
from nbautoml.testing.shared_store_contract import SharedStoreContract
from nbautoml.testing.store_contract import StoreContract


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    try:
        with postgres_server() as url:
            yield url
    except NotFoundError as error:
        message = f"THE STORE IS NOT TESTED ON POSTGRESQL. {error}"
        warnings.warn(message, stacklevel=1)
        pytest.skip(message)


@pytest.fixture
def file_address(tmp_path: Path) -> SessionAddress:
    return SessionAddress(
        name="work",
        root=str(tmp_path),
        store_url="sqlite:///.nbautoml/workspace.db",
        artifact_root=".nbautoml/artifacts",
    )


@pytest.fixture
def postgres_address(tmp_path: Path, postgres_url: str) -> SessionAddress:
    return SessionAddress(
        name=f"work-{uuid.uuid4()}",  # a schema of its own
        root=str(tmp_path),
        store_url=postgres_url,
        artifact_root=".nbautoml/artifacts",
    )


class TestMemory(StoreContract):
    @pytest.fixture
    def session(self, tmp_path: Path) -> Iterator[Session]:
        with open_memory_session(root=str(tmp_path)) as session:
            yield session


class TestFile(StoreContract):
    @pytest.fixture
    def session(self, file_address: SessionAddress) -> Iterator[Session]:
        with create_session(file_address) as session:
            yield session


@pytest.mark.integration
class TestPostgres(StoreContract):
    @pytest.fixture
    def session(self, postgres_address: SessionAddress) -> Iterator[Session]:
        with create_session(postgres_address) as session:
            yield session


@pytest.mark.integration
class TestSharedFile(SharedStoreContract):
    @pytest.fixture
    def address(self, file_address: SessionAddress) -> SessionAddress:
        return file_address


@pytest.mark.integration
class TestSharedPostgres(SharedStoreContract):
    @pytest.fixture
    def address(self, postgres_address: SessionAddress) -> SessionAddress:
        return postgres_address
