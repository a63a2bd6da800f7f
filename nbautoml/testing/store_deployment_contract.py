"""What every store must do with deployments; a part of `nbautoml.testing.store_contract`."""

# ruff: noqa: D102 - the name of a test says what holds

from __future__ import annotations

from dataclasses import replace

import pytest

from nbautoml.domain.records import DeploymentRecord
from nbautoml.errors import ConflictError, WebserviceNotFoundError
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session
from nbautoml.testing.store_cases import N_PER_THREAD, N_THREADS, in_threads


class DeploymentContract:
    """Deployments: one of a name, revisions given out once."""

    def test_a_deployment_comes_back_as_it_went_in(self, session: Session) -> None:
        record = DeploymentRecord(
            name="heart",
            kind="ACI",
            created_at=1.5,
            updated_at=2.5,
            revision=3,
            models=("heart:1", "side:2"),
            settings={"host": "127.0.0.1", "threads": 1},
            description="about",
            tags={"a": "b"},
            properties={"c": "d"},
            port=4567,
            owner=this_process(),
        )
        other = DeploymentRecord(name="other", kind="Local", created_at=9.0, updated_at=9.0)
        with session.write() as tx:
            tx.deployments.create(record)
            tx.deployments.create(other)

        with session.read() as reader:
            assert reader.deployments.get("heart") == record
            assert reader.deployments.list() == [other, record]
            assert reader.deployments.using("side:2") == ["heart"]
            assert reader.deployments.using("side:1") == []

    def test_a_name_of_a_deployment_is_used_once(self, session: Session) -> None:
        record = DeploymentRecord(name="d", kind="ACI", created_at=1.0, updated_at=1.0)
        with session.write() as tx:
            tx.deployments.create(record)
        with pytest.raises(ConflictError, match="overwrite=True"), session.write() as tx:
            tx.deployments.create(replace(record, kind="Local"))

        with session.read() as reader:
            assert reader.deployments.get("d").kind == "ACI"

    def test_revisions_are_given_out_once(self, session: Session) -> None:
        with session.write() as tx:
            tx.deployments.create(
                DeploymentRecord(name="d", kind="ACI", created_at=1.0, updated_at=1.0)
            )
        found: list[int] = []

        def take(_number: int) -> None:
            for _ in range(N_PER_THREAD):
                with session.write() as tx:
                    found.append(tx.deployments.next_revision("d"))

        in_threads(take)

        assert sorted(found) == list(range(1, N_THREADS * N_PER_THREAD + 1))

    def test_a_change_leaves_the_revision_and_the_beginning(self, session: Session) -> None:
        record = DeploymentRecord(name="d", kind="ACI", created_at=1.0, updated_at=1.0, revision=4)
        with session.write() as tx:
            tx.deployments.create(record)
            tx.deployments.next_revision("d")
            changed = tx.deployments.update(replace(record, created_at=8.0, port=5))

        assert (changed.revision, changed.created_at, changed.port) == (5, 1.0, 5)
        assert changed.updated_at > 1.0

    def test_a_missing_deployment_is_told(self, session: Session) -> None:
        gone = DeploymentRecord(name="heart", kind="ACI", created_at=1.0, updated_at=1.0)
        with session.write() as tx:
            tx.deployments.create(gone)
            tx.deployments.delete("heart")
            tx.deployments.delete("heart")
        with session.read() as reader, pytest.raises(WebserviceNotFoundError, match="none yet"):
            reader.deployments.get("heart")
        with pytest.raises(WebserviceNotFoundError), session.write() as tx:
            tx.deployments.update(gone)
        with pytest.raises(WebserviceNotFoundError), session.write() as tx:
            tx.deployments.next_revision("heart")
