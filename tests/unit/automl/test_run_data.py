"""Which rows a submitted run learns from and tests on, and the row of its test run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml import Run, Workspace
from nbautoml.automl.model_test import MODEL_TEST, TEST_RUN, add_model_test
from nbautoml.automl.run_data import RunData, load_splits, save_splits
from nbautoml.data.dataset import capture
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.engine.validation import read_splits
from nbautoml.store.session import Session


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=tmp_path)
    yield workspace
    workspace.session.close()


@pytest.fixture
def session(workspace: Workspace) -> Session:
    return workspace.session


def frame(n_rows: int = 50) -> pd.DataFrame:
    row = np.arange(n_rows)
    return pd.DataFrame({"row": row, "g": row // 5, "w": row + 1.0, "y": (row % 2).astype(float)})


def data(session: Session, config: dict[str, Any] | None = None, **frames: pd.DataFrame) -> RunData:
    found = {"training_data": frame(), "validation_data": None, "test_data": None} | frames
    ids = {n: None if f is None else capture(session, f, label="").id for n, f in found.items()}
    settings = {"config": config or {}, "task": "classification", "label": "y"}
    return RunData(session, {**settings, **ids, "columns_aside": ["w", "g"]})


def test_without_a_test_all_rows_are_learned_from(session: Session) -> None:
    found = data(session)
    assert not found.has_test
    assert found.training()["row"].tolist() == list(range(50))


def test_rows_for_the_test_are_set_aside(session: Session) -> None:
    found = data(session, {"test_size": 0.2})
    rest, test = found.training(), found.test()
    assert found.has_test
    assert (len(rest), len(test)) == (40, 10)
    assert sorted([*rest["row"], *test["row"]]) == list(range(50))
    assert found.test()["row"].tolist() == test["row"].tolist()


def test_groups_are_set_aside_whole(session: Session) -> None:
    found = data(session, {"test_size": 0.2, "group_column_name": "g"})
    assert not set(found.training()["g"]) & set(found.test()["g"])


def test_test_data_of_its_own_takes_no_row_away(session: Session) -> None:
    found = data(session, test_data=frame(7))
    assert found.has_test
    assert (len(found.training()), len(found.test())) == (50, 7)


@pytest.mark.parametrize(("exclude", "n_valid"), [(True, 5), (False, 8)])
def test_given_validation_rows_come_last(session: Session, exclude: bool, n_valid: int) -> None:
    rows = frame(8)
    rows.loc[:2, "y"] = None
    found = data(session, {"exclude_nan_labels": exclude}, validation_data=rows)
    both, n_found = found.training_and_validation()
    assert (len(both), n_found) == (50 + n_valid, n_valid)


def test_features_are_the_columns_that_a_model_takes(session: Session) -> None:
    assert list(data(session).features().columns) == ["row"]


def test_given_splits_are_kept_with_the_run(session: Session) -> None:
    splits = read_splits([[[0, 2], [1]], [[1, 3], [0, 2]]])
    save_splits(session, "r", splits)
    found = load_splits(session, "r")
    assert [[part.tolist() for part in split] for split in found] == [
        [[0, 2], [1]],
        [[1, 3], [0, 2]],
    ]
    assert load_splits(session, "another") == ()


@pytest.fixture
def automl_run(session: Session) -> RunRecord:
    now = time.time()
    run = RunRecord(id="r", experiment="e", type="automl", status=RunStatus.RUNNING, created_at=now)
    child = RunRecord(
        id="r_0",
        experiment="e",
        type="automl.child",
        status=RunStatus.COMPLETED,
        created_at=now,
        parent_id="r",
        number=0,
    )
    with session.write() as tx:
        tx.experiments.get_or_create("e")
        tx.runs.create(run)
        tx.runs.create(child)
    return run


def test_a_test_run_is_below_the_best_child(workspace: Workspace, automl_run: RunRecord) -> None:
    test_id = add_model_test(workspace.session, automl_run, "r_0")
    (test,) = Run.get(workspace, "r_0").get_children(type=MODEL_TEST)
    assert (test.id, test.get_status()) == (test_id, "NotStarted")
    assert Run.get(workspace, "r").properties[TEST_RUN] == test_id


def test_a_test_that_waits_is_not_added_twice(session: Session, automl_run: RunRecord) -> None:
    first = add_model_test(session, automl_run, "r_0")
    assert add_model_test(session, automl_run, "r_0") == first


def test_a_continued_run_is_tested_again(workspace: Workspace, automl_run: RunRecord) -> None:
    first = add_model_test(workspace.session, automl_run, "r_0")
    with workspace.session.write() as tx:
        tx.runs.set_status(first, RunStatus.RUNNING, time=1.0)
        tx.runs.set_status(first, RunStatus.COMPLETED, time=2.0)
    second = add_model_test(workspace.session, automl_run, "r_0")
    assert second != first
    assert next(Run.get(workspace, "r_0").get_children(type=MODEL_TEST)).id == second
