"""Queries that must stay cheap in a run of thousands of trials: they follow an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from nbautoml.domain.records import MetricPoint
from nbautoml.domain.status import RunStatus
from nbautoml.store.session import Session, open_memory_session
from nbautoml.testing.store_cases import add_run, log_line


@pytest.fixture
def session() -> Iterator[Session]:
    with open_memory_session() as session:
        add_run(session, "parent")
        with session.write() as tx:
            tx.events.append("parent", [log_line("x")], 1.0)
        yield session


@contextmanager
def plans(session: Session) -> Iterator[list[str]]:
    """Collect how SQLite carries out what is asked in the block."""
    found: list[str] = []
    engine = session.engine._engine

    def explain(
        connection: sa.Connection, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> None:
        if statement.startswith("SELECT"):
            raw = connection.connection.dbapi_connection
            assert raw is not None
            cursor = raw.cursor()
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.extend(row[3] for row in cursor.fetchall())

    sa.event.listen(engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", explain)


def ask_events(session: Session) -> None:
    with session.read() as reader:
        reader.events.read("parent", after=5)


def ask_children(session: Session) -> None:
    with session.read() as reader:
        reader.runs.list(parent_id="parent", statuses=[RunStatus.RUNNING])


def ask_runs_of_experiment(session: Session) -> None:
    with session.read() as reader:
        reader.runs.list(experiment="experiment", tags={"a": "b"}, limit=10)


def ask_metrics(session: Session) -> None:
    with session.read() as reader:
        reader.metrics.get("parent")
        reader.metrics.last(["parent", "other"])


def ask_files(session: Session) -> None:
    with session.read() as reader:
        reader.artifacts.list("parent", prefix="outputs/")


def change_state(session: Session) -> None:
    with session.write() as tx:
        tx.runs.set_status("parent", RunStatus.RUNNING, time=1.0)
        tx.metrics.log("parent", [MetricPoint(name="a", value=1.0)])


@pytest.mark.parametrize(
    "ask",
    [
        ask_events,
        ask_children,
        ask_runs_of_experiment,
        ask_metrics,
        ask_files,
        change_state,
    ],
)
def test_no_table_is_searched_row_by_row(session: Session, ask: Any) -> None:
    with plans(session) as found:
        ask(session)

    assert found
    assert [step for step in found if step.startswith("SCAN")] == []


def test_events_come_in_order_without_sorting(session: Session) -> None:
    with plans(session) as found:
        ask_events(session)

    assert not any("TEMP B-TREE" in step for step in found)


def test_many_ids_are_asked_for_in_pieces(session: Session) -> None:
    ids = [f"run-{i}" for i in range(40_000)]  # SQLite takes 32,766 in a statement
    with session.read() as reader:
        assert reader.metrics.last(ids) == {run_id: {} for run_id in ids}
