"""A workspace in memory with one finished run and two children."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.domain.records import RunRecord, SessionAddress
from nbautoml.domain.status import RunStatus
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, create_session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    address = SessionAddress(
        name="w", root=str(tmp_path), store_url="sqlite://", artifact_root=str(tmp_path / "files")
    )
    session = create_session(address)
    yield session
    session.close()


def record(run_id: str, parent: str | None = None, number: int | None = None) -> RunRecord:
    return RunRecord(
        id=run_id,
        experiment="e",
        type="automl.child",
        status=RunStatus.RUNNING,
        created_at=time.time(),
        parent_id=parent,
        number=number,
        settings={"compute_target": "local"},
    )


@pytest.fixture
def run(session: Session) -> Run:
    with session.write() as tx:
        tx.experiments.get_or_create("e")
        tx.runs.create(record("r"))
        tx.runs.create(record("r_0", "r", 0))
        tx.runs.create(record("r_1", "r", 1))
    return Run(Experiment(WorkspaceHandle(session), "e"), "r")
