import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.errors import NotFoundError
from nbautoml.services.logs import log_lines, run_log
from nbautoml.store.session import open_session

RUN = "AutoML_x"


@pytest.fixture
def session(tmp_path, make_workspace):
    with open_session(make_workspace(tmp_path)) as session:
        yield session


def trial(outcome, **changes):
    given = {"number": 4, "key": "k", "pipeline": "A, LightGBM", "family": "LightGBM"}
    return ev.TrialFinished(
        **{**given, "params": {}, "n_folds": 2, "folds_done": 2, "seconds": 1.25, **changes},
        outcome=outcome,
    )


def text_of(event):
    (line,) = log_lines([ev.EventRecord(run_id=RUN, seq=1, time=1.0, event=event)])
    return line["level"], line["text"]


def test_the_log_of_a_run_has_its_events_in_order(session):
    log = run_log(session, RUN)
    assert (log["seq"], [line["seq"] for line in log["lines"]]) == (3, [1, 2, 3])
    assert [line["time"] for line in log["lines"]] == [1000.0] * 3
    assert log["lines"][2]["text"].startswith("Iteration 0 (LightGBM) ended after 1.0 s: 0.5")


def test_only_what_is_new_is_told(session):
    assert [line["seq"] for line in run_log(session, RUN, after=2)["lines"]] == [3]
    assert run_log(session, RUN, after=3) == {"seq": 3, "lines": []}


def test_unknown_run_is_not_an_empty_log(session):
    with pytest.raises(NotFoundError):
        run_log(session, "nope")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            trial(TrialOutcome.COMPLETED, score=0.987654),
            ("INFO", "Iteration 4 (A, LightGBM) ended after 1.2 s: 0.98765."),
        ),
        (
            trial(TrialOutcome.MEMORY_LIMIT, error="It asked for 900 MB."),
            ("WARNING", "Iteration 4 (A, LightGBM): MemoryLimit. It asked for 900 MB."),
        ),
        (
            trial(TrialOutcome.CANCELED, error="Too far from the best."),
            ("INFO", "Iteration 4 (A, LightGBM): Canceled. Too far from the best."),
        ),
        (
            ev.StatusChanged(status=RunStatus.FAILED, reason="No rows."),
            ("ERROR", "Failed. No rows."),
        ),
        (
            ev.GuardrailReported(
                name="Leak", state=ev.GuardrailState.ALERTED, description="Look at x."
            ),
            ("WARNING", "Leak: Alerted. Look at x."),
        ),
        (
            ev.PhaseChanged(phase=ev.Phase.ENSEMBLE, text="Choosing."),
            ("INFO", "EnsembleSelection: Choosing."),
        ),
        (ev.PhaseChanged(phase=ev.Phase.SETUP, text=""), ("INFO", "Setup")),
        (ev.LogWritten(level="DEBUG", message="x"), ("DEBUG", "x")),
        (ev.DeadlineChanged(deadline=5.0), ("INFO", "The run was given more time.")),
        (
            ev.DeadlineChanged(deadline=5.0, is_clock_set=True),
            ("INFO", "The clock of the run's machine was set; the time left is the same."),
        ),
        (
            ev.RunDescribed(what="pipeline", experiment="e", text="Monthly."),
            ("INFO", "Runs a pipeline. Monthly."),
        ),
        (
            ev.GraphDescribed(
                steps=tuple(
                    ev.PipelineStep(number=n, name=f"s{n}", step_kind="PythonScriptStep")
                    for n in range(7)
                )
            ),
            ("INFO", "Steps: s0, s1, s2, s3, s4 and 2 more."),
        ),
        (
            ev.StepChanged(number=0, name="prepare", status=RunStatus.COMPLETED, reused_from="old"),
            ("INFO", "Step prepare: Completed. Outputs of old."),
        ),
        (
            ev.StepChanged(number=1, name="train", status=RunStatus.FAILED, reason="No rows."),
            ("ERROR", "Step train: Failed. No rows."),
        ),
    ],
)
def test_each_event_has_its_words(event, expected):
    assert text_of(event) == expected


def test_folds_and_workers_say_nothing():
    event = ev.WorkersChanged(n_workers=2, n_busy=1, memory_bytes=5)
    assert log_lines([ev.EventRecord(run_id=RUN, seq=1, time=1.0, event=event)]) == []
