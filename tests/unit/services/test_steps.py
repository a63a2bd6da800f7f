"""A pipeline's run as a view shows it: its steps, its picture, its words, frames of changes."""

from __future__ import annotations

import json
import time

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.snapshot import RunSnapshot, SnapshotFold
from nbautoml.domain.status import RunStatus
from nbautoml.services.logged import run_view
from nbautoml.services.runs import request_of_run, run_snapshot
from nbautoml.services.steps import MAX_REASON_CHARACTERS, steps_text
from nbautoml.services.view import view, view_frames
from nbautoml.store.session import open_memory_session
from nbautoml.testing.scripted_pipeline import CHURN, ScriptedPipeline, many_steps

RUN = "Pipeline_1"


def steps(*after: tuple[int, ...]) -> tuple[ev.PipelineStep, ...]:
    return tuple(
        ev.PipelineStep(number=n, name=f"s{n}", step_kind="PythonScriptStep", after=before)
        for n, before in enumerate(after)
    )


class Log:
    """Events of a pipeline's run, a second apart."""

    def __init__(self, graph: tuple[ev.PipelineStep, ...]) -> None:
        self.fold = SnapshotFold(RUN)
        self.add(ev.StatusChanged(status=RunStatus.RUNNING))
        self.add(ev.RunDescribed(what="pipeline", experiment="churn", text="who leaves"))
        self.add(ev.GraphDescribed(steps=graph))

    def add(self, event: ev.Event) -> None:
        seq = self.fold.seq + 1
        self.fold.apply(ev.EventRecord(run_id=RUN, seq=seq, time=1000.0 + seq, event=event))

    def change(self, number: int, status: RunStatus, **more: str) -> None:
        self.add(ev.StepChanged(number=number, name=f"s{number}", status=status, **more))

    def build(self) -> RunSnapshot:
        return self.fold.build()


@pytest.fixture
def log() -> Log:
    return Log(steps((), (0,), (0,), (1, 2)))


def test_a_view_has_a_row_a_step_and_the_places_of_all(log):
    log.change(0, RunStatus.RUNNING, run_id="p_0")
    shown = view(log.build(), now=1010.0)
    assert shown["steps"][0] == {
        "n": 0,
        "name": "s0",
        "kind": "PythonScriptStep",
        "status": "Running",
        "run": "p_0",
        "started_at": 1004.0,
    }
    assert shown["steps"][3]["after"] == [1, 2]
    assert shown["graph"]["places"] == [[0, 0.5], [1, 0.0], [1, 1.0], [2, 0.5]]
    assert shown["header"]["kind"] == "pipeline"
    assert shown["header"]["work"] == "who leaves"


def test_other_runs_have_no_steps():
    shown = view(RunSnapshot(run_id="AutoML_1"), now=1.0)
    assert "steps" not in shown
    assert "graph" not in shown
    assert shown["header"]["steps"] is None


def test_the_header_says_how_far_it_is(log):
    log.change(0, RunStatus.COMPLETED, reused_from="earlier_0")
    log.change(1, RunStatus.RUNNING, run_id="p_1")
    log.change(2, RunStatus.RUNNING, run_id="p_2")
    header = view(log.build(), now=1010.0)["header"]
    assert header["steps"] == [1, 4]
    assert header["text"] == "1 of 4 steps done · s1, s2 at work"
    assert header["progress"] == 0.25


def test_the_words_name_a_few_of_many_that_are_at_work():
    log = Log(steps(*[()] * 6))
    for number in range(5):
        log.change(number, RunStatus.RUNNING, run_id=f"p_{number}")
    assert steps_text(log.build().steps) == "0 of 6 steps done · s0, s1, s2 and 2 more at work"


@pytest.mark.parametrize(
    ("status", "reason", "text"),
    [
        (RunStatus.COMPLETED, "", "Completed: 2 steps, 1 of them reused"),
        (RunStatus.FAILED, "Step s1 failed.", "Failed: Step s1 failed."),
    ],
)
def test_the_end_is_told_in_words(status, reason, text):
    log = Log(steps((), (0,)))
    log.change(0, RunStatus.COMPLETED, reused_from="earlier_0")
    log.change(1, status, run_id="p_1")
    log.add(ev.StatusChanged(status=status, reason=reason))
    assert view(log.build(), now=1010.0)["header"]["text"] == text


def test_a_frame_has_only_the_steps_that_changed(log):
    before = log.build()
    log.change(0, RunStatus.RUNNING, run_id="p_0")
    after = log.build()
    (frame,) = view_frames(after, since=before.seq, now=1010.0, previous=before)
    assert [step["n"] for step in frame["steps"]] == [0]
    assert "graph" not in frame
    log.add(ev.LogWritten(level="INFO", message="nothing of a step"))
    (frame,) = view_frames(log.build(), since=after.seq, now=1011.0, previous=after)
    assert "steps" not in frame


def test_a_graph_that_is_told_late_comes_with_all_steps():
    log = Log(())
    before = log.build()
    log.add(ev.GraphDescribed(steps=steps((), (0,))))
    (frame,) = view_frames(log.build(), since=before.seq, now=1010.0, previous=before)
    assert len(frame["steps"]) == len(frame["graph"]["places"]) == 2


def test_a_view_that_comes_back_gets_all_steps_with_their_places(log):
    seen = log.build().seq
    log.change(1, RunStatus.RUNNING, run_id="p_1")
    (frame,) = view_frames(log.build(), since=seen, now=1010.0)
    assert len(frame["steps"]) == len(frame["graph"]["places"]) == 4


def test_the_end_of_a_long_reason_is_kept(log):
    log.change(0, RunStatus.FAILED, run_id="p_0", reason="x" * 5000 + "ValueError: no")
    reason = view(log.build(), now=1.0)["steps"][0]["reason"]
    assert len(reason) == MAX_REASON_CHARACTERS
    assert reason.endswith("ValueError: no")


@pytest.fixture
def session():
    with open_memory_session() as session:
        yield session


def test_a_whole_run_is_shown_with_what_became_of_each_step(session):
    assert ScriptedPipeline(session, RUN).play() is RunStatus.FAILED
    shown = run_view(session, run_snapshot(session, RUN), now=time.time())
    state = {step["name"]: step["status"] for step in shown["steps"]}
    assert state["fetch"] == state["train"] == "Completed"
    assert state["check <drift>"] == "Failed"
    assert state["report"] == "Canceled"
    assert shown["header"]["steps"] == [6, len(CHURN)]
    assert shown["logged"]["children"]["n"] == 6
    json.dumps(shown, allow_nan=False)


class StoppedAtOnce(ScriptedPipeline):
    """Somebody cancels it when its first step has begun."""

    def _turn(self, number: int) -> None:
        super()._turn(number)
        request_of_run(session=self._session, run_id=RUN, request={"kind": "cancel"}, time=1.0)


def test_it_can_be_stopped_and_what_ran_is_canceled(session):
    assert StoppedAtOnce(session, RUN, many_steps(4)[:1]).play() is RunStatus.CANCELED
    assert {step.status for step in run_snapshot(session, RUN).steps} == {RunStatus.CANCELED}


def test_sixty_steps_stay_small_and_quick(session):
    ScriptedPipeline(session, RUN, many_steps(60)).play()
    snapshot = run_snapshot(session, RUN)
    began = time.process_time()
    shown = view(snapshot, now=time.time())
    assert time.process_time() - began < 0.25
    assert len(json.dumps(shown)) < 30_000
