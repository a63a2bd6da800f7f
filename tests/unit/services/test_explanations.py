"""What fronts show of explanations, and what they may ask."""

from __future__ import annotations

import json
import time

import pytest

from nbautoml.automl import explain_run
from nbautoml.automl.artifacts import DASHBOARD
from nbautoml.automl.explain_run import Wanted, add_explanation
from nbautoml.domain.events import LogWritten
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.services import explanations
from nbautoml.services.explanations import (
    explain_trial,
    top_features,
    trial_explanation,
    what_if_of_trial,
)
from nbautoml.store.session import open_session

RUN = "AutoML_x"
CHILD = child_run_id(RUN, 0)
BOARD = {
    "explained_rows": 2,
    "raw": [{"name": "a", "size": 0.3, "loss": 0.1}, {"name": "b", "size": None, "loss": 0.2}],
}


@pytest.fixture
def session(tmp_path, make_workspace):
    with open_session(make_workspace(tmp_path)) as session:
        with session.write() as tx:
            tx.runs.create(
                RunRecord(
                    id=CHILD,
                    experiment="exp",
                    type="automl.child",
                    status=RunStatus.COMPLETED,
                    created_at=1.0,
                    parent_id=RUN,
                    number=0,
                )
            )
        yield session


@pytest.fixture
def launched(monkeypatch):
    ids = []
    monkeypatch.setattr(explain_run, "launch", lambda session, run_id: ids.append(run_id))
    return ids


def store(session, board=BOARD):
    session.save_artifacts(CHILD, {DASHBOARD: json.dumps(board).encode()})


def move(session, run_id, status, reason=""):
    with session.write() as tx:
        tx.runs.set_status(run_id, status, reason=reason, time=time.time())


def test_how_an_explanation_stands(session):
    assert trial_explanation(session, RUN, 0) == {
        "n": 0,
        "state": "none",
        "text": "",
        "explanation": None,
    }
    run_id = add_explanation(session, RUN, CHILD, Wanted())
    assert trial_explanation(session, RUN, 0)["state"] == "waiting"
    move(session, run_id, RunStatus.RUNNING)
    with session.write() as tx:
        tx.events.append(run_id, [LogWritten(level="INFO", message="Permuting columns.")], 2.0)
    answer = trial_explanation(session, RUN, 0)
    assert (answer["state"], answer["text"]) == ("running", "Permuting columns.")
    move(session, run_id, RunStatus.FAILED, "It broke.")
    answer = trial_explanation(session, RUN, 0)
    assert (answer["state"], answer["text"]) == ("failed", "It broke.")


def test_the_latest_explanation_is_shown_while_another_one_is_made(session):
    store(session)
    assert trial_explanation(session, RUN, 0)["state"] == "done"
    add_explanation(session, RUN, CHILD, Wanted())
    answer = trial_explanation(session, RUN, 0)
    assert (answer["state"], answer["explanation"]) == ("waiting", BOARD)


def test_an_explanation_is_asked_for(session, launched, monkeypatch):
    with session.write() as tx:
        run = tx.runs.get(RUN)
    assert run.settings == {}
    monkeypatch.setattr(explain_run, "_check_task", lambda run: None)
    assert explain_trial(session, RUN, 0, {"rows": 50})["state"] == "waiting"
    assert launched == [f"{CHILD}_explain0"]
    with pytest.raises(ConfigError, match="rows of an explanation"):
        explain_trial(session, RUN, 0, {"rows": "many"})


def test_unknown_trials_are_told(session):
    for call in (trial_explanation, lambda *a: explain_trial(*a, {})):
        with pytest.raises(NotFoundError, match="no iteration 7"):
            call(session, RUN, 7)
    with pytest.raises(NotFoundError, match="no iteration 7"):
        what_if_of_trial(session, RUN, 7, {})


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"changes": {"a": 1}}, "row of a what-if question"),
        ({"row": -1, "changes": {"a": 1}}, "got -1"),
        ({"row": True, "changes": {"a": 1}}, "got True"),
        ({"row": 0}, "changes of a what-if question"),
        ({"row": 0, "changes": {}}, "got {}"),
        ({"row": 0, "changes": {"a": [1]}}, "The cell of 'a'"),
    ],
)
def test_wrong_questions_are_refused(session, asked, words):
    store(session)
    with pytest.raises(ConfigError, match=words):
        what_if_of_trial(session, RUN, 0, asked)


def test_a_question_needs_an_explanation_first(session, monkeypatch):
    asked = {"row": 0, "changes": {"a": 1}}
    with pytest.raises(NotFoundError, match="not explained yet"):
        what_if_of_trial(session, RUN, 0, asked)
    store(session)
    with pytest.raises(ConfigError, match="Did you mean 'a'"):
        what_if_of_trial(session, RUN, 0, {"row": 0, "changes": {"aa": 1}})
    said = [{"prediction": "no"}, {"prediction": "yes"}]
    monkeypatch.setattr(explanations, "ask_what_if", lambda *a: said)
    answer = what_if_of_trial(session, RUN, 0, asked)
    assert answer == {"before": {"prediction": "no"}, "after": {"prediction": "yes"}}


def test_top_features_are_those_with_a_value(session):
    assert top_features(session, CHILD, 5) == []
    store(session)
    assert top_features(session, CHILD, 5) == [("a", 0.3)]
    store(session, BOARD | {"explained_rows": 0})
    assert top_features(session, CHILD, 1) == [("a", 0.1)]
