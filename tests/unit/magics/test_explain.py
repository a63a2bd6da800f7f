"""``%automl explain``: which model is meant, what is asked for, what is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nbautoml
from nbautoml.automl import explain_run
from nbautoml.automl.explanation import Explanation, explanation_files
from nbautoml.domain import events as ev
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus, TrialOutcome
from tests.unit.magics.conftest import Shell

CELL = "%%automl df --no-widget\nlabel: died\ntask: classification"


def found(**changes: Any) -> Explanation:
    values: dict[str, Any] = {
        "id": "e1",
        "features": ["age", "sex"],
        "global_importance_values": [0.25, 0.5],
        "method": "Shapley values of columns, by sampling",
        "is_raw": True,
        "model_task": "classification",
        "values": np.zeros((1, 7, 2)),
        "permutation_importance": {"sex": 0.125},
        "num_examples": 7,
        "notes": ["Time ended."],
    }
    return Explanation(**(values | changes))


@pytest.fixture
def child(shell: Shell) -> str:
    """Submit a run, and write a finished child into its log; return the child's id."""
    shell.run(CELL)
    run = shell.ip.user_ns["run"]
    child_id = child_run_id(run.id, 0)
    with run.session.write() as tx:
        tx.events.append(run.id, list(_events()), 1000.0)
        tx.runs.create(
            RunRecord(
                id=child_id,
                experiment=run.experiment.name,
                type="automl.child",
                status=RunStatus.COMPLETED,
                created_at=1.0,
                parent_id=run.id,
                number=0,
                display_name="LightGBM",
            )
        )
    return child_id


def _events() -> tuple[ev.Event, ...]:
    return (
        ev.RunConfigured(
            task="classification",
            primary_metric="accuracy",
            label="died",
            dataset="d",
            experiment="e",
            compute="local",
            n_workers=1,
        ),
        ev.TrialFinished(
            number=0,
            key="k",
            outcome=TrialOutcome.COMPLETED,
            pipeline="LightGBM",
            family="LightGBM",
            params={},
            n_folds=2,
            folds_done=2,
            seconds=1.0,
            score=0.5,
        ),
    )


def store(shell: Shell, child: str, explanation: Explanation) -> None:
    shell.ip.user_ns["run"].session.save_artifacts(child, explanation_files(explanation))


@pytest.mark.parametrize("word", ["", "run", "child"])
def test_an_explanation_is_shown(shell: Shell, child: str, word: str) -> None:
    store(shell, child, found())
    text = shell.text(f"%automl explain {child if word == 'child' else word}")
    lines = [line.split() for line in text.splitlines() if line.startswith(("sex", "age"))]
    assert [(line[0], line[1], line[-1]) for line in lines] == [
        ("sex", "0.5", "0.125"),
        ("age", "0.25", "█" * 10),
    ]
    assert "LightGBM: Shapley values of columns, by sampling over 7 rows." in text
    assert "Time ended." in text


def test_engineered_features_are_shown_when_asked_for(shell: Shell, child: str) -> None:
    store(shell, child, found())
    store(shell, child, found(id="e2", features=["sex_f", "age"], is_raw=False))
    assert "sex_f" in shell.text("%automl explain --engineered")
    assert "sex_f" not in shell.text("%automl explain")


def test_what_is_not_explained_yet_is_explained_first(
    shell: Shell, child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def launch(session: Any, run_id: str) -> None:
        with session.read() as tx:
            asked.append(tx.runs.get(run_id).settings["n_rows"])
        session.save_artifacts(child, explanation_files(found(created_at=float(len(asked)))))
        with session.write() as tx:
            tx.runs.set_status(run_id, RunStatus.COMPLETED, time=2.0)

    monkeypatch.setattr(explain_run, "launch", launch)
    assert "Explaining LightGBM…" in shell.text("%automl explain")
    assert "Explaining" not in shell.text("%automl explain --rows 7")
    assert "Explaining" in shell.text("%automl explain --rows 9")
    assert asked == [explain_run.ROWS, 9]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("--rows", "--rows of %automl explain takes a number"),
        ("--rows 0", "got '0'"),
        ("--row 5", "no word '--row'. Did you mean '--rows'?"),
        ("run other", "takes one run or model; got 'run' and 'other'"),
        ("nothing", "'nothing' is no variable that holds a run"),
    ],
)
def test_mistakes_are_one_message(shell: Shell, child: str, words: str, answer: str) -> None:
    text = shell.text(f"%automl explain {words}")
    assert answer in text
    assert "Traceback" not in text


def test_words_are_completed(shell: Shell, child: str) -> None:
    assert "run" in shell.complete("%automl explain ")
    assert shell.complete("%automl explain --r") == ["--rows"]
    assert nbautoml.ExplanationClient is not None
