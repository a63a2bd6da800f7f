"""The child runs of a run, as a front lists them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from nbautoml.errors import NotFoundError
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.children import MOST_METRICS, run_children
from nbautoml.services.logged import SAVED_CHILDREN, run_view
from nbautoml.store.session import Session, open_session


@pytest.fixture
def run(tmp_path: Path, make_workspace) -> Iterator[Run]:
    with open_session(make_workspace(tmp_path)) as session:
        run = Experiment(WorkspaceHandle(session), "depths").start_logging()
        yield run
        run.complete()


def test_a_run_without_children_has_an_empty_list(run: Run) -> None:
    assert run_children(run.session, run.id) == {"n": 0, "metrics": [], "rows": []}


def test_children_come_newest_first_with_the_last_value_of_each_metric(run: Run) -> None:
    with run.child_run("shallow") as first:
        first.log("loss", 0.5)
        first.log("loss", 0.25)
        first.log("solver", "lbfgs")
    second = run.child_run("deep")
    second.log("accuracy", math.nan)
    found = run_children(run.session, run.id)
    assert (found["n"], found["metrics"]) == (2, ["accuracy", "loss"])
    newest, oldest = found["rows"]
    assert (newest["name"], newest["number"], newest["values"]) == ("deep", 1, [None, None])
    assert (newest["status"], newest["is_live"], newest["ended_at"]) == ("Running", True, None)
    assert (oldest["id"], oldest["type"], oldest["values"]) == (
        first.id,
        "interactive",
        [None, 0.25],
    )
    assert oldest["ended_at"] >= oldest["started_at"]
    second.complete()


def test_a_child_without_a_name_goes_by_its_tags_else_by_its_id(run: Run) -> None:
    (tagged,) = run.create_children(tag_key="depth", tag_values=[3])
    (plain,) = run.create_children(count=1)
    names = {row["id"]: row["name"] for row in run_children(run.session, run.id)["rows"]}
    assert names == {tagged.id: "depth: 3", plain.id: plain.id}


def test_the_metrics_that_most_children_have_get_a_column(run: Run) -> None:
    for depth in range(2):
        with run.child_run() as child:
            child.log("z_loss", depth)
            for i in range(MOST_METRICS + 5):
                child.log(f"only_{depth}_{i:02d}", i)
    found = run_children(run.session, run.id)
    assert len(found["metrics"]) == MOST_METRICS
    assert found["metrics"][-1] == "z_loss"
    assert all(len(row["values"]) == MOST_METRICS for row in found["rows"])


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """Collect what is asked of the store."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_more: object) -> None:
        asked.append(text)

    engine = session.engine._engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def test_a_thousand_children_are_asked_for_with_few_statements(run: Run) -> None:
    children = run.create_children(count=1_000)
    with statements(run.session) as asked:
        found = run_children(run.session, run.id)
    assert len(asked) < 20
    assert [row["id"] for row in found["rows"]] == [child.id for child in reversed(children)]


def test_a_saved_output_keeps_the_newest_and_says_how_many_there_are(run: Run) -> None:
    run.create_children(count=SAVED_CHILDREN + 3)
    shown = run_view(run.session, run.snapshot(), now=1.0)["logged"]["children"]
    assert shown["n"] == SAVED_CHILDREN + 3
    assert [row["number"] for row in shown["rows"]] == list(range(SAVED_CHILDREN + 2, 2, -1))


def test_children_of_a_run_that_is_not_there_are_not_found(run: Run) -> None:
    with pytest.raises(NotFoundError):
        run_children(run.session, "nothing")
