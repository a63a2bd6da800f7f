from dataclasses import replace

import pytest

from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import ConfigError, ConflictError, NotFoundError
from nbautoml.services.runs import request_of_run, run_snapshot, trial_details, trial_scores
from nbautoml.store.session import open_session

RUN = "AutoML_x"


@pytest.fixture
def session(tmp_path, make_workspace):
    with open_session(make_workspace(tmp_path)) as session:
        yield session


def test_snapshot_is_the_fold_of_the_runs_events(session):
    snapshot = run_snapshot(session, RUN)
    assert (snapshot.seq, snapshot.best, snapshot.n_done) == (3, 0, 1)


def test_unknown_run_is_not_an_empty_one(session):
    with pytest.raises(NotFoundError, match="nope"):
        run_snapshot(session, "nope")


def test_details_of_a_trial(session):
    details = trial_details(session, RUN, 0)
    assert details["params"] == {"depth": 3}
    assert details["metrics"] == {"accuracy": 0.5}
    assert details["minimized"] == []


@pytest.mark.parametrize(
    ("asked", "stored", "refused", "expected"),
    [
        (False, False, "", None),
        (False, True, "", {"is_ready": True, "refused": ""}),
        (True, False, "", {"is_ready": False, "refused": ""}),
        (True, True, "Once it could not.", {"is_ready": True, "refused": ""}),
        (
            True,
            False,
            "KNN has no ONNX form.",
            {"is_ready": False, "refused": "KNN has no ONNX form."},
        ),
    ],
)
def test_details_say_whether_there_is_an_onnx_model(session, asked, stored, refused, expected):
    settings = {"config": {"enable_onnx_compatible_models": asked}}
    with session.write() as tx:
        parent = replace(tx.runs.get(RUN), id="AutoML_o", settings=settings)
        tx.runs.create(parent)
        tx.events.append("AutoML_o", [record.event for record in tx.events.read(RUN)], 1.0)
        child = replace(parent, id="AutoML_o_0", parent_id="AutoML_o", number=0)
        tx.runs.create(replace(child, properties={"onnx_refused": refused} if refused else {}))
    if stored:
        session.save_artifact("AutoML_o_0", "outputs/model.onnx", b"onnx")
    assert trial_details(session, "AutoML_o", 0)["onnx"] == expected


def test_one_metric_of_all_trials(session):
    assert trial_scores(session, RUN, "accuracy") == {
        "metrics": ["accuracy"],
        "maximize": True,
        "scores": [[0, 0.5]],
    }
    assert trial_scores(session, RUN, "") == {
        "metrics": ["accuracy"],
        "maximize": True,
        "scores": [],
    }


def test_a_metric_that_no_trial_has_is_told(session):
    with pytest.raises(NotFoundError, match="Did you mean 'accuracy'"):
        trial_scores(session, RUN, "acuracy")


def test_unknown_trial_says_how_many_there_are(session):
    with pytest.raises(NotFoundError, match="no iteration 7; it has 1"):
        trial_details(session, RUN, 7)


@pytest.mark.parametrize(
    ("asked", "payload"),
    [
        ({"kind": "cancel"}, {}),
        ({"kind": "finish_now", "minutes": 3}, {}),
        ({"kind": "pause"}, {}),
        ({"kind": "resume"}, {}),
        ({"kind": "add_minutes", "minutes": 5}, {"minutes": 5.0}),
    ],
)
def test_request_is_written_for_the_controller(session, asked, payload):
    request_of_run(session, RUN, asked, time=7.0)
    with session.read() as tx:
        (request,) = tx.requests.read(RUN)
    assert request.kind is RequestKind(asked["kind"])
    assert (request.payload, request.time) == (payload, 7.0)


@pytest.mark.parametrize("kind", ["cancle", "", None, 3, ["cancel"]])
def test_unknown_kind_is_refused(session, kind):
    with pytest.raises(ConfigError, match="kind of a request must be one of"):
        request_of_run(session, RUN, {"kind": kind}, time=7.0)


def test_kind_has_did_you_mean(session):
    with pytest.raises(ConfigError, match="Did you mean 'cancel'"):
        request_of_run(session, RUN, {"kind": "cancle"}, time=7.0)


@pytest.mark.parametrize("minutes", [None, "5", True, 0, -1, float("nan"), float("inf"), 1e9])
def test_minutes_must_be_a_sensible_number(session, minutes):
    with pytest.raises(ConfigError, match="minutes of a request"):
        request_of_run(session, RUN, {"kind": "add_minutes", "minutes": minutes}, time=7.0)


def test_ended_run_takes_no_requests(session):
    with session.write() as tx:
        tx.runs.set_status(RUN, RunStatus.COMPLETED, time=9.0)
    with pytest.raises(ConflictError, match="it is Completed"):
        request_of_run(session, RUN, {"kind": "cancel"}, time=10.0)
