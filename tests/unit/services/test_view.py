import json
import math
import time

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.snapshot import RunSnapshot, SnapshotFold
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.services.view import (
    MAX_FRAME_ROWS,
    duration_text,
    first_line,
    view,
    view_frames,
    view_header,
    view_trial,
    view_trial_details,
)

RUN = "AutoML_5f0c9d6e-6a34-4c5b-9d6d-0a1b2c3d4e5f"


class Log:
    """A run's events with their numbers and times; `build` folds them."""

    def __init__(self) -> None:
        self.fold = SnapshotFold(RUN)
        self.time = 1000.0

    def add(self, *events: ev.Event) -> "Log":
        for event in events:
            record = ev.EventRecord(run_id=RUN, seq=self.fold.seq + 1, time=self.time, event=event)
            self.fold.apply(record)
            self.time += 1.0
        return self

    def build(self) -> RunSnapshot:
        return self.fold.build()


def configured(**changes):
    values = {
        "task": "classification",
        "primary_metric": "AUC_weighted",
        "label": "DEATH_EVENT",
        "dataset": "heart-failure:1",
        "experiment": "heart-failure",
        "compute": "local",
        "n_workers": 2,
        "max_iterations": 60,
        "timeout_seconds": 300.0,
        "deadline": 1300.0,
    }
    return ev.RunConfigured(**(values | changes))


def started(number, **changes):
    values = {
        "pipeline": "StandardScalerWrapper, LightGBM",
        "family": "LightGBM",
        "params": {"learning_rate": 0.1},
        "n_folds": 5,
    }
    return ev.TrialStarted(number=number, **(values | changes))


def finished(number, score, **changes):
    values = {
        "key": f"k{number}",
        "outcome": TrialOutcome.COMPLETED,
        "pipeline": "StandardScalerWrapper, LightGBM",
        "family": "LightGBM",
        "params": {"learning_rate": 0.1},
        "n_folds": 5,
        "folds_done": 5,
        "seconds": 2.0,
        "score_std": 0.012345678912345,
    }
    return ev.TrialFinished(number=number, score=score, **(values | changes))


def running(*events):
    return Log().add(ev.StatusChanged(status=RunStatus.RUNNING), configured(), *events)


def test_header_of_a_run_without_events():
    header = view_header(RunSnapshot(run_id=RUN), now=1.0)
    assert header["text"] == "Waiting to start"
    assert header["is_live"] is True
    assert header["progress"] is None
    assert header["ends"] == ""
    assert header["metric"] is None
    assert header["compute"] is None


def test_text_names_the_oldest_running_trial_and_its_fold():
    log = running(finished(0, 0.8), started(1), started(2))
    log.add(ev.FoldFinished(number=1, fold=0, score=0.7, seconds=1.0))
    assert view_header(log.build(), now=1010.0)["text"] == (
        "Iteration 2 of 60 · training StandardScalerWrapper, LightGBM, fold 2 of 5 · 1 more at work"
    )


def test_text_without_an_iteration_limit_or_folds():
    log = Log().add(
        ev.StatusChanged(status=RunStatus.RUNNING),
        configured(max_iterations=None),
        started(0, n_folds=1),
    )
    assert view_header(log.build(), now=0.0)["text"] == (
        "Iteration 1 · training StandardScalerWrapper, LightGBM"
    )


def test_text_of_a_phase_is_the_runs_own_words_or_ours():
    log = running(ev.PhaseChanged(phase=ev.Phase.ENSEMBLE))
    assert view_header(log.build(), now=0.0)["text"] == "Building ensembles"
    log.add(ev.PhaseChanged(phase=ev.Phase.ENSEMBLE, text="Weighing 12 models"))
    assert view_header(log.build(), now=0.0)["text"] == "Weighing 12 models"


def test_text_between_two_trials_keeps_the_count():
    log = running(ev.PhaseChanged(phase=ev.Phase.MODEL_SELECTION), finished(0, 0.8))
    assert view_header(log.build(), now=0.0)["text"] == "Iteration 2 of 60 · choosing what to train"


def test_text_says_stopping_while_a_trial_still_runs():
    log = running(started(0), ev.StatusChanged(status=RunStatus.CANCEL_REQUESTED))
    assert view_header(log.build(), now=0.0)["text"] == "Stopping"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([ev.StatusChanged(status=RunStatus.FAILED, reason="No rows.")], "Failed: No rows."),
        ([ev.StatusChanged(status=RunStatus.COMPLETED)], "Completed after 1 iteration"),
    ],
)
def test_text_of_an_ended_run(events, expected):
    header = view_header(running(finished(0, 0.5), *events).build(), now=0.0)
    assert header["text"] == expected
    assert header["is_live"] is False


def test_progress_is_the_nearest_limit():
    snapshot = running(finished(0, 0.8)).build()
    assert view_header(snapshot, now=1000.0)["progress"] == pytest.approx(1 / 60, abs=1e-4)
    assert view_header(snapshot, now=1150.0)["progress"] == 0.5
    assert view_header(snapshot, now=9999.0)["progress"] == 1.0


def test_progress_of_a_canceled_run_stays_where_it_ended():
    log = running()
    log.time = 1030.0
    log.add(ev.StatusChanged(status=RunStatus.CANCELED))
    assert view_header(log.build(), now=9999.0)["progress"] == 0.1


def test_progress_of_a_completed_run_is_whole():
    log = running(ev.StatusChanged(status=RunStatus.COMPLETED))
    assert view_header(log.build(), now=1010.0)["progress"] == 1.0


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, "ends at 60 iterations or after 5 min"),
        (
            {"exit_score": 0.95},
            "ends at 60 iterations, after 5 min or when AUC_weighted reaches 0.95",
        ),
        ({"max_iterations": None}, "ends after 5 min"),
        (
            {"max_iterations": None, "timeout_seconds": None, "deadline": None},
            "ends when nothing better is found",
        ),
    ],
)
def test_ends_says_what_ends_the_run(limits, expected):
    log = Log().add(configured(**limits))
    assert view_header(log.build(), now=0.0)["ends"] == expected


def test_ends_counts_added_minutes():
    log = running(ev.DeadlineChanged(deadline=1600.0))
    header = view_header(log.build(), now=0.0)
    assert header["ends"] == "ends at 60 iterations or after 10 min"
    assert header["deadline"] == 1600.0


def test_header_counts_best_compute_data_and_alerts():
    log = running(
        ev.DataDescribed(n_rows=299, n_columns=13, n_folds=5, validation="5 folds"),
        ev.WorkersChanged(n_workers=2, n_busy=1, memory_bytes=600),
        ev.GuardrailReported(name="a", state=ev.GuardrailState.ALERTED, description="d"),
        ev.GuardrailReported(name="b", state=ev.GuardrailState.DONE, description="d"),
        finished(0, 0.8),
        finished(1, 0.9),
        finished(2, None, outcome=TrialOutcome.TIME_LIMIT, folds_done=2),
        started(3),
    )
    header = view_header(log.build(), now=0.0)
    assert header["best"] == {
        "n": 1,
        "score": 0.9,
        "std": 0.012345679,
        "pipeline": "StandardScalerWrapper, LightGBM",
    }
    assert (header["n_done"], header["n_failed"], header["n_running"], header["n_total"]) == (
        3, 1, 1, 4,
    )  # fmt: skip
    assert header["compute"] == {"name": "local", "workers": 2, "busy": 1, "memory_bytes": 600}
    assert header["data"] == {"rows": 299, "columns": 13, "folds": 5, "validation": "5 folds"}
    assert header["alerts"] == 1


def test_compute_before_the_first_worker_report():
    assert view_header(running().build(), now=0.0)["compute"] == {
        "name": "local",
        "workers": 2,
        "busy": None,
        "memory_bytes": None,
    }


def test_row_leaves_out_what_is_not_known():
    row = view_trial(running(started(0)).build().trials[0])
    assert row["status"] == "Running"
    assert not {"score", "std", "seconds", "error", "ensemble"} & row.keys()


def test_row_has_no_number_that_json_cannot_hold():
    trial = running(finished(0, math.nan, score_std=math.inf)).build().trials[0]
    row = view_trial(trial)
    assert "score" not in row and "std" not in row
    json.dumps(view_trial_details(trial), allow_nan=False)


def test_row_of_a_failed_ensemble_has_the_first_line_of_its_error():
    error = "\nValueError: bad\n  File x"
    event = finished(
        0, None, outcome=TrialOutcome.FAILED, error=error, is_ensemble=True, folds_done=0
    )
    trial = running(event).build().trials[0]
    assert view_trial(trial)["error"] == "ValueError: bad"
    assert view_trial(trial)["ensemble"] is True
    assert view_trial_details(trial)["error_full"] == error


def test_details_add_params_metrics_and_folds():
    log = running(started(0), ev.FoldFinished(number=0, fold=0, score=0.5, seconds=1.0))
    log.add(finished(0, 0.5, metrics={"accuracy": 0.6}))
    details = view_trial_details(log.build().trials[0])
    assert details["params"] == {"learning_rate": 0.1}
    assert details["metrics"] == {"accuracy": 0.6}
    assert details["fold_scores"] == [0.5]


def test_long_error_lines_are_cut():
    assert len(first_line("x" * 500)) == 200
    assert first_line("  ") == ""


def test_zero_seconds_in_words():
    assert duration_text(0.2) == "0 s"


def test_view_keeps_newest_trials_and_the_best():
    log = running(finished(0, 0.99), *(finished(n, 0.5) for n in range(1, 1102)))
    shown = [t["n"] for t in view(log.build(), now=0.0)["trials"]]
    assert shown == [0, *range(102, 1102)]


def test_saved_view_of_a_thousand_trials_is_small_and_loses_no_point():
    log = running(*(finished(n, 0.5 + n / 10_000) for n in range(1000)))
    full = view(log.build(), now=0.0, workspace="/home/me/project", top=50)
    assert [t["n"] for t in full["trials"]] == list(range(950, 1000))
    assert full["series"]["points"][3] == [3, 0.5003, 0, 0]
    assert full["series"]["families"] == ["LightGBM"]
    assert full["series"]["states"] == ["Completed"]
    assert len(full["series"]["points"]) == 950
    assert len(json.dumps(full)) < 60_000


def test_small_saved_view_has_no_series():
    assert "series" not in view(running(finished(0, 0.5)).build(), now=0.0, top=50)


def test_frame_has_only_changed_rows_and_header_keys():
    log = running(finished(0, 0.8), started(1))
    before = log.build()
    log.add(finished(1, 0.9))
    (frame,) = view_frames(log.build(), since=before.seq, now=1010.0, previous=before)
    assert (frame["run"], frame["from"], frame["seq"]) == (RUN, before.seq, before.seq + 1)
    assert [t["n"] for t in frame["trials"]] == [1]
    assert set(frame["header"]) == {"now", "progress", "text", "n_done", "n_running", "best"}
    assert "guardrails" not in frame


def test_frames_put_together_show_the_same_as_a_whole_view():
    log = running()
    before = log.build()
    shown = view(before, now=1.0)
    for number in range(30):
        log.add(started(number), finished(number, 0.5 + number / 100))
        log.add(ev.GuardrailReported(name="g", state=ev.GuardrailState.PASSED, description="d"))
        now = log.build()
        for frame in view_frames(now, since=before.seq, now=1.0 + number, previous=before):
            assert frame["from"] == shown["seq"]
            rows = {t["n"]: t for t in (*shown["trials"], *frame["trials"])}
            shown["header"] |= frame.get("header", {})
            shown["guardrails"] = frame.get("guardrails", shown["guardrails"])
            shown |= {"seq": frame["seq"], "trials": list(rows.values())}
        before = now
    assert shown == view(before, now=30.0)


def test_no_frame_when_nothing_shown_has_changed():
    log = running()
    before = log.build()
    log.add(ev.LogWritten(level="INFO", message="a line"))
    assert view_frames(log.build(), since=before.seq, now=5.0, previous=before) == []


def test_frame_has_guardrails_when_they_changed():
    log = running()
    before = log.build()
    log.add(ev.GuardrailReported(name="g", state=ev.GuardrailState.ALERTED, description="d"))
    (frame,) = view_frames(log.build(), since=before.seq, now=5.0, previous=before)
    assert frame["guardrails"] == [
        {"name": "g", "state": "Alerted", "description": "d", "details": []}
    ]
    assert frame["header"]["alerts"] == 1


def test_frame_for_a_view_that_comes_back_is_whole_but_for_its_rows():
    log = running(finished(0, 0.8), finished(1, 0.9))
    (frame,) = view_frames(log.build(), since=3, now=5.0)
    assert [t["n"] for t in frame["trials"]] == [1]
    assert frame["header"] == view_header(log.build(), now=5.0)
    assert frame["guardrails"] == []


def test_many_changes_are_cut_into_frames_without_gaps():
    log = running(*(finished(n, 0.5) for n in range(1201)))
    frames = view_frames(log.build(), since=2, now=5.0)
    assert [len(f["trials"]) for f in frames] == [MAX_FRAME_ROWS, MAX_FRAME_ROWS, 201]
    assert [f["from"] for f in frames] == [2, *(f["seq"] for f in frames[:-1])]
    assert frames[-1]["seq"] == log.build().seq
    assert ["header" in f for f in frames] == [False, False, True]


def test_trials_changed_by_one_event_stay_in_one_frame():
    log = running(*(started(n) for n in range(300)), *(started(n) for n in range(300, 900)))
    log.add(ev.StatusChanged(status=RunStatus.CANCELED))  # closes all 900
    (frame,) = view_frames(log.build(), since=2, now=5.0)
    assert len(frame["trials"]) == 900


def test_a_row_is_about_two_hundred_bytes():
    trial = running(finished(7, 0.123456789123)).build().trials[0]
    assert len(json.dumps(view_trial(trial), separators=(",", ":"))) < 260


def test_a_thousand_trials_take_milliseconds():
    snapshot = running(*(finished(n, 0.5) for n in range(1000))).build()
    view(snapshot, now=0.0)
    start = time.perf_counter()
    view(snapshot, now=0.0)
    assert time.perf_counter() - start < 0.1  # a few ms on an idle machine
