"""The fold of events into a run's state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.snapshot import RunSnapshot, SnapshotFold
from nbautoml.domain.status import RunStatus, TrialOutcome

RUN = "AutoML_x"


def configured(metric: str = "accuracy") -> ev.RunConfigured:
    return ev.RunConfigured(
        task="classification",
        primary_metric=metric,
        label="y",
        dataset="d",
        experiment="e",
        compute="local",
        n_workers=2,
    )


def started(number: int) -> ev.TrialStarted:
    return ev.TrialStarted(
        number=number, pipeline="LightGBM", family="LightGBM", params={}, n_folds=2
    )


def finished(
    number: int, score: float | None, outcome: TrialOutcome = TrialOutcome.COMPLETED
) -> ev.TrialFinished:
    return ev.TrialFinished(
        number=number,
        key=f"k{number}",
        outcome=outcome,
        pipeline="LightGBM",
        family="LightGBM",
        params={},
        n_folds=2,
        folds_done=2,
        seconds=1.0,
        score=score,
    )


def fold_of(*events: ev.Event) -> RunSnapshot:
    fold = SnapshotFold(RUN)
    fold.apply_all(
        ev.EventRecord(run_id=RUN, seq=i, time=100.0 + i, event=e) for i, e in enumerate(events, 1)
    )
    return fold.build()


def test_best_is_highest_for_a_metric_to_maximize() -> None:
    state = fold_of(configured(), finished(0, 0.8), finished(1, 0.9), finished(2, 0.85))
    assert state.best == 1


def test_best_is_lowest_for_a_metric_to_minimize() -> None:
    metric = "normalized_root_mean_squared_error"
    state = fold_of(configured(metric), finished(0, 0.2), finished(1, 0.1), finished(2, 0.15))
    assert state.best == 1


def test_failed_and_scoreless_trials_are_never_best() -> None:
    state = fold_of(
        configured(),
        finished(0, 0.99, TrialOutcome.TIME_LIMIT),
        finished(1, None),
        finished(2, 0.1),
    )
    assert state.best == 2


def test_counts_follow_trials() -> None:
    state = fold_of(
        configured(),
        started(0),
        started(1),
        started(2),
        finished(0, 0.5),
        finished(1, None, TrialOutcome.FAILED),
    )
    assert (state.n_running, state.n_done, state.n_failed) == (1, 2, 1)


def test_ranking_puts_completed_before_running_before_failed() -> None:
    state = fold_of(
        configured(),
        started(0),
        finished(1, None, TrialOutcome.FAILED),
        finished(2, 0.5),
        finished(3, 0.6),
    )
    assert [t.number for t in state.ranked()] == [3, 2, 0, 1]


def test_an_event_taken_in_before_is_dropped() -> None:
    fold = SnapshotFold(RUN)
    record = ev.EventRecord(run_id=RUN, seq=1, time=1.0, event=configured())
    assert [fold.apply(record), fold.apply(record)] == [True, False]


def test_a_gap_between_events_is_refused() -> None:
    fold = SnapshotFold(RUN)
    with pytest.raises(ValueError, match="event 2 came after event 0"):
        fold.apply(ev.EventRecord(run_id=RUN, seq=2, time=1.0, event=configured()))


def test_open_trials_are_closed_when_the_run_ends() -> None:
    state = fold_of(configured(), started(0), ev.StatusChanged(status=RunStatus.CANCELED))
    assert state.trials[0].outcome is TrialOutcome.CANCELED
    assert (state.n_running, state.n_done, state.ended_at) == (0, 1, 103.0)


def test_a_trial_started_again_after_a_lost_controller_counts_once() -> None:
    state = fold_of(
        configured(),
        started(0),
        ev.StatusChanged(status=RunStatus.STARTING, reason="again"),
        started(0),
        finished(0, 0.7),
    )
    assert (state.n_running, state.n_done, state.n_failed, state.best) == (0, 1, 0, 0)


def test_a_trial_tried_again_after_a_lost_worker_has_not_failed() -> None:
    lost = finished(0, None, TrialOutcome.WORKER_LOST)
    state = fold_of(configured(), started(0), lost, started(0), finished(0, 0.7))
    assert (state.n_running, state.n_done, state.n_failed, state.best) == (0, 1, 0, 0)


def test_a_continued_run_keeps_its_trials_and_goes_on() -> None:
    first = (
        ev.StatusChanged(status=RunStatus.RUNNING),
        replace(configured(), deadline=150.0),
        finished(0, 0.8),
        replace(finished(1, 0.9), is_ensemble=True),
        ev.StatusChanged(status=RunStatus.COMPLETED),
    )
    again = ev.StatusChanged(status=RunStatus.NOT_STARTED, reason="Going on.")
    waiting = fold_of(*first, again)
    assert (waiting.ended_at, waiting.deadline, waiting.n_done) == (None, None, 2)
    assert waiting.status is RunStatus.NOT_STARTED
    more = (
        configured(),
        finished(2, 0.7),
        replace(finished(3, 0.95), is_ensemble=True),
        ev.StatusChanged(status=RunStatus.COMPLETED),
    )
    state = fold_of(*first, again, *more)
    assert [t.number for t in state.trials if t.is_ensemble] == [1, 3]
    assert (state.best, state.n_done, state.n_failed) == (3, 4, 0)
    assert (state.started_at, state.ended_at) == (101.0, 110.0)


def ensemble(number: int, score: float, *, is_best: bool) -> ev.TrialFinished:
    return replace(finished(number, score), is_ensemble=True, is_best=is_best)


def test_an_ensemble_says_itself_whether_it_is_best() -> None:
    trials = (configured(), finished(0, 0.8), finished(1, 0.9))
    assert fold_of(*trials, ensemble(2, 0.89, is_best=True)).best == 2
    assert fold_of(*trials, ensemble(2, 0.95, is_best=False)).best == 1
    two = (ensemble(2, 0.89, is_best=True), ensemble(3, 0.88, is_best=False))
    assert fold_of(*trials, *two).best == 2


def test_an_ensemble_of_fewer_trials_does_not_outlive_one_that_lost() -> None:
    first = (configured(), finished(0, 0.8), ensemble(1, 0.82, is_best=True))
    lost = (finished(2, 0.7), finished(3, 0.9), ensemble(4, 0.85, is_best=False))
    assert fold_of(*first, *lost).best == 3
    won = (finished(2, 0.7), ensemble(3, 0.81, is_best=True))
    assert fold_of(*first, *won).best == 3


def test_unknown_events_keep_the_numbers_without_gaps() -> None:
    state = fold_of(configured(), ev.from_payload("from_the_future", {"a": 1}), finished(0, 0.5))
    assert (state.seq, state.best) == (3, 0)


@pytest.mark.parametrize("event", [configured(), started(3), finished(1, 0.5)])
def test_events_survive_json(event: ev.Event) -> None:
    assert ev.from_payload(event.kind, ev.to_payload(event)) == event


def test_payloads_have_no_nan() -> None:
    payload = ev.to_payload(finished(0, float("nan")))
    assert payload["score"] is None


def test_a_guardrail_reported_again_replaces_the_first() -> None:
    def report(state: ev.GuardrailState) -> ev.GuardrailReported:
        return ev.GuardrailReported(name="g", state=state, description="d")

    state = fold_of(report(ev.GuardrailState.PASSED), report(ev.GuardrailState.ALERTED))
    assert [g.state for g in state.guardrails] == [ev.GuardrailState.ALERTED]


def test_a_pause_moves_the_deadline_by_its_length() -> None:
    configured_until = replace(configured(), deadline=150.0)
    before = (configured_until, ev.StatusChanged(status=RunStatus.RUNNING))
    pause = ev.StatusChanged(status=RunStatus.PAUSED)  # at 103
    paused = fold_of(*before, pause, started(0), pause)
    assert (paused.status, paused.paused_at, paused.deadline) == (RunStatus.PAUSED, 103.0, 150.0)
    resumed = fold_of(*before, pause, started(0), pause, before[1])  # at 106
    assert (resumed.paused_at, resumed.deadline) == (None, 153.0)


def test_more_time_moves_the_deadline() -> None:
    state = fold_of(configured(), ev.DeadlineChanged(deadline=500.0))
    assert state.deadline == 500.0


GRAPH = ev.GraphDescribed(
    steps=(
        ev.PipelineStep(number=0, name="prepare", step_kind="PythonScriptStep", outputs=("rows",)),
        ev.PipelineStep(
            number=1, name="train", step_kind="AutoMLStep", after=(0,), inputs=("rows",)
        ),
    )
)


def step(number: int, status: RunStatus, **more: str) -> ev.StepChanged:
    return ev.StepChanged(number=number, name=f"s{number}", status=status, **more)


def test_steps_of_a_pipeline_have_a_state_each_with_its_times() -> None:
    state = fold_of(
        GRAPH,
        step(0, RunStatus.RUNNING, run_id="r0"),
        step(0, RunStatus.COMPLETED, run_id="r0"),
        step(1, RunStatus.RUNNING, run_id="r1"),
    )
    first, second = state.steps
    assert (first.status, first.run_id) == (RunStatus.COMPLETED, "r0")
    assert (first.started_at, first.ended_at) == (102.0, 103.0)
    assert (second.status, second.started_at, second.ended_at) == (RunStatus.RUNNING, 104.0, None)
    assert second.step.after == (0,)


def test_a_step_that_is_never_begun_has_no_start() -> None:
    state = fold_of(GRAPH, step(1, RunStatus.CANCELED, reason="prepare failed."))
    assert (state.steps[1].started_at, state.steps[1].ended_at) == (None, 102.0)


def test_a_reused_step_says_from_where() -> None:
    state = fold_of(GRAPH, step(0, RunStatus.COMPLETED, run_id="r0", reused_from="old"))
    assert state.steps[0].reused_from == "old"


def test_a_graph_told_once_more_keeps_the_states_of_its_steps() -> None:
    state = fold_of(GRAPH, step(0, RunStatus.COMPLETED, run_id="r0"), GRAPH)
    assert [s.status for s in state.steps] == [RunStatus.COMPLETED, RunStatus.NOT_STARTED]


def test_the_end_of_a_run_ends_the_steps_that_are_open() -> None:
    state = fold_of(
        GRAPH,
        step(0, RunStatus.COMPLETED, run_id="r0"),
        step(1, RunStatus.RUNNING, run_id="r1"),
        ev.StatusChanged(status=RunStatus.FAILED, reason="Lost."),
    )
    assert [s.status for s in state.steps] == [RunStatus.COMPLETED, RunStatus.CANCELED]


@pytest.mark.parametrize("event", [GRAPH, step(0, RunStatus.FAILED, reason="no", run_id="r")])
def test_events_of_pipelines_come_back_from_their_payload(event: ev.Event) -> None:
    assert event == ev.from_payload(event.kind, ev.to_payload(event))


def test_fields_of_a_step_that_newer_code_wrote_are_dropped() -> None:
    payload = ev.to_payload(GRAPH)
    payload["steps"][0]["colour"] = "blue"
    assert ev.from_payload(GRAPH.kind, payload) == GRAPH
