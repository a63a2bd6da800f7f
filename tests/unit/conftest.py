"""A made-up run in a workspace of its own, for the tests of what shows runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.records import RunRecord, SessionAddress
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.store.session import create_session, open_session
from nbautoml.workspace.config_file import FACTS, WorkspaceFile, address_for, write_config


@pytest.fixture
def make_workspace() -> Callable[..., SessionAddress]:
    """Return a function that makes a workspace in a folder, with one run in it."""

    def make(root: Path, *, run_id: str = "AutoML_x") -> SessionAddress:
        address = address_for("ws", root)
        with create_session(address) as session, session.write() as tx:
            tx.experiments.get_or_create("exp")
            tx.runs.create(
                RunRecord(
                    id=run_id,
                    experiment="exp",
                    type="automl",
                    status=RunStatus.RUNNING,
                    created_at=1.0,
                )
            )
            tx.events.append(run_id, list(EVENTS), 1000.0)
        file = WorkspaceFile(address=address, facts=FACTS)
        write_config(file, root / ".nbautoml" / "config.json")
        return address

    return make


@pytest.fixture
def append_events() -> Callable[..., None]:
    """Return a function that appends events to a run, as its controller would."""

    def append(address: SessionAddress, run_id: str, *events: ev.Event) -> None:
        with open_session(address) as session, session.write() as tx:
            tx.events.append(run_id, list(events), 1001.0)

    return append


EVENTS: tuple[ev.Event, ...] = (
    ev.StatusChanged(status=RunStatus.RUNNING),
    ev.RunConfigured(
        task="classification",
        primary_metric="accuracy",
        label="y",
        dataset="d:1",
        experiment="exp",
        compute="local",
        n_workers=1,
    ),
    ev.TrialFinished(
        number=0,
        key="k0",
        outcome=TrialOutcome.COMPLETED,
        pipeline="LightGBM",
        family="LightGBM",
        params={"depth": 3},
        n_folds=2,
        folds_done=2,
        seconds=1.0,
        score=0.5,
        metrics={"accuracy": 0.5},
    ),
)
