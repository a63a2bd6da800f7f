"""A pipeline's run begins what may begin, ends what shall end, and finds its steps again."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nbautoml.domain.events import StepChanged
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import NotFoundError, TrainingError
from nbautoml.pipelines import keeping
from nbautoml.pipelines.data import PipelineData
from nbautoml.pipelines.frozen import FrozenPipeline
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.resolved import step_run_id
from nbautoml.pipelines.step_run import StepRun
from nbautoml.pipelines.steps.python_script import PythonScriptStep
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session
from tests.unit.pipelines.players import Player, coordinate, reasons, states, submit


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "POLL_SECONDS", 0.01)


@pytest.fixture
def player(tmp_path: Path) -> Player:
    folder = tmp_path / "written"
    folder.mkdir()
    return Player(folder)


@pytest.fixture
def diamond(workspace: WorkspaceHandle, source: Path) -> FrozenPipeline:
    """Return a pipeline in which ``left`` and ``right`` lie between ``first`` and ``last``."""
    rows, a, b = (PipelineData(name) for name in ("rows", "a", "b"))

    def step(name: str, reads: list[PipelineData], writes: list[PipelineData]) -> PythonScriptStep:
        return PythonScriptStep(
            "make.py",
            name=name,
            arguments=[name],
            inputs=reads,
            outputs=writes,
            source_directory=source,
        )

    steps = [
        step("first", [], [rows]),
        step("left", [rows], [a]),
        step("right", [rows], [b]),
        step("last", [a, b], []),
    ]
    return Pipeline(workspace, steps).freeze()


def test_steps_run_in_the_order_of_their_data(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    run = submit(session, diamond)

    ending = coordinate(session, run, player)

    assert ending.status is RunStatus.COMPLETED
    assert player.played[0] == "first"
    assert set(player.played[1:3]) == {"left", "right"}
    assert player.played[3:] == ["last"]
    assert set(states(run).values()) == {"Completed"}


def test_steps_with_nothing_between_them_run_at_the_same_time(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    class Meeting(Player):
        def _play(self, session: Session, record: RunRecord) -> None:
            if record.display_name in ("left", "right"):
                both.wait(5.0)  # broken, and an error, unless the other one comes
            super()._play(session, record)

    both = threading.Barrier(2)

    ending = coordinate(session, submit(session, diamond), Meeting(player.folder))

    assert ending.status is RunStatus.COMPLETED
    assert not both.broken


def test_no_more_run_at_the_same_time_than_there_are_processors(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    run = submit(session, diamond)

    coordinate(session, run, player, n_slots=1)

    with session.read() as tx:
        children = {r.display_name: r for r in tx.runs.list(parent_id=run.id)}
    left, right = sorted((children["left"], children["right"]), key=lambda r: r.created_at)
    assert left.ended_at is not None
    assert left.ended_at <= right.created_at


def test_a_failed_step_ends_the_run(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    player.failing = frozenset({"left"})
    run = submit(session, diamond)

    ending = coordinate(session, run, player, n_slots=1)

    assert ending.status is RunStatus.FAILED
    assert ending.reason == "Step left failed: no rows"
    assert states(run)["last"] == "Canceled"
    assert reasons(run)["last"] == "Step left did not complete."
    with pytest.raises(TrainingError, match="Step left failed: no rows"):
        run.wait_for_completion(show_output=False)


def test_what_does_not_need_a_failed_step_may_go_on(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    player.failing = frozenset({"left"})
    run = submit(session, diamond, continue_on_step_failure=True)

    ending = coordinate(session, run, player, n_slots=1)

    assert ending.status is RunStatus.FAILED
    assert states(run) == {
        "first": "Completed",
        "left": "Failed",
        "right": "Completed",
        "last": "Canceled",
    }


def test_a_failed_step_cancels_those_that_run(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    player.failing = frozenset({"left"})
    player.waiting = frozenset({"right"})
    run = submit(session, diamond)

    coordinate(session, run, player)

    assert states(run)["right"] == "Canceled"


def test_a_step_that_somebody_cancels_ends_the_run(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    player.waiting = frozenset({"first"})
    run = submit(session, diamond)
    wait = threading.Event()

    def cancel() -> None:
        end = time.monotonic() + 10
        while not run.find_step_run("first") and time.monotonic() < end:
            wait.wait(0.02)
        run.find_step_run("first")[0].cancel()

    threading.Thread(target=cancel, daemon=True).start()
    ending = coordinate(session, run, player)

    assert ending.status is RunStatus.CANCELED
    assert ending.reason == "Canceled steps: first, left, right, last."


def test_all_that_failed_is_named(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    player.failing = frozenset({"left", "right"})
    run = submit(session, diamond, continue_on_step_failure=True)

    ending = coordinate(session, run, player, n_slots=1)

    assert ending.reason == "Step left failed: no rows. Failed too: right."


def test_a_mistake_of_ours_in_a_step_is_its_reason(
    session: Session, diamond: FrozenPipeline
) -> None:
    def broken(session: Session, run_id: str) -> None:
        raise KeyError("a mistake")

    ending = coordinate(session, submit(session, diamond), broken)

    assert ending.reason == "Step first failed: KeyError: 'a mistake'"


def test_cancel_reaches_the_steps(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    player.waiting = frozenset({"left", "right"})
    run = submit(session, diamond)

    def cancel() -> None:
        end = time.monotonic() + 10
        while len(player.played) < 3 and time.monotonic() < end:
            threading.Event().wait(0.02)
        with session.write() as tx:
            tx.requests.append(run.id, RequestKind.CANCEL, {}, time.time())

    threading.Thread(target=cancel, daemon=True).start()
    ending = coordinate(session, run, player)

    assert ending.status is RunStatus.CANCELED
    assert states(run) == {
        "first": "Completed",
        "left": "Canceled",
        "right": "Canceled",
        "last": "Canceled",
    }


def test_a_second_coordinator_runs_no_step_again(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    """The first one was lost when its log said that ``first`` has completed."""
    earlier = submit(session, replace(diamond, steps=diamond.steps[:1]))
    coordinate(session, earlier, player)
    run = submit(session, replace(diamond, steps=diamond.steps[:2]), regenerate_outputs=True)
    done = [s.id for s in earlier.get_steps()][0]
    with session.write() as tx:
        ended = StepChanged(number=0, name="first", status=RunStatus.COMPLETED, run_id=done)
        tx.events.append(run.id, [ended], time.time())

    ending = coordinate(session, run, player, is_resumed=True)

    assert ending.status is RunStatus.COMPLETED
    assert player.played == ["first", "left"]
    assert [step.id for step in run.find_step_run("first")] == [done]


def test_a_second_coordinator_cancels_what_the_first_one_began(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    """The first one was lost after ``left`` had failed, with ``right`` at work."""
    first, left, right = (replace(s, after=()) for s in diamond.steps[:3])
    run = submit(session, replace(diamond, steps=(first, left, replace(right, inputs=()))))
    with session.write() as tx:
        for number, name, status in ((0, "first", "Completed"), (1, "left", "Failed")):
            ended = StepChanged(number=number, name=name, status=RunStatus(status), run_id=name)
            tx.events.append(run.id, [ended], time.time())
        parent = tx.runs.get(run.id)
        row = replace(
            parent, id=step_run_id(run.id, right), parent_id=run.id, number=2, settings={}
        )
        tx.runs.create(row)

    ending = coordinate(session, run, player, is_resumed=True)

    assert ending.status is RunStatus.FAILED
    assert player.played == []
    assert states(run)["right"] == "Canceled"
    with session.read() as tx:
        assert tx.runs.get(row.id).status is RunStatus.CANCELED


def test_a_step_that_is_at_work_is_waited_for(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    """The row of the step is there, as a coordinator that was lost has made it."""
    one = replace(diamond, steps=diamond.steps[:1])
    run = submit(session, one)
    begun = threading.Event()

    def launch_once(session: Session, run_id: str) -> None:
        begun.set()

    first = threading.Thread(target=coordinate, args=(session, run, launch_once), daemon=True)
    first.start()
    assert begun.wait(10)
    with session.read() as tx:
        (child,) = tx.runs.list(parent_id=run.id)

    player(session, child.id)
    first.join(10)

    assert player.played == ["first"]
    assert run.get_status() == "Finished"
    assert run.status == "Completed"


def test_a_step_that_cannot_begin_has_failed(
    session: Session, diamond: FrozenPipeline, player: Player
) -> None:
    def refuse(session: Session, run_id: str) -> None:
        raise NotFoundError("There is no process.")

    ending = coordinate(session, submit(session, diamond), refuse)

    assert ending.status is RunStatus.FAILED
    assert "There is no process." in ending.reason


def test_steps_and_their_outputs_are_found_by_name(
    session: Session, diamond: FrozenPipeline, player: Player, tmp_path: Path
) -> None:
    run = submit(session, diamond)
    coordinate(session, run, player)

    (step,) = run.find_step_run("first")

    assert isinstance(step, StepRun)
    assert step.pipeline_run_id == run.id
    assert step.get_status() == "Finished"
    assert list(step.get_outputs()) == ["rows"]
    data = step.get_output("rows").get_port_data_reference()
    assert data._path_on_datastore == f"azureml/{step.id}/rows"
    assert data.download(tmp_path / "copy") == 1
    assert (tmp_path / "copy" / data.path_on_datastore).read_text() == "the same"
    assert [s.name for s in run.get_steps()] == ["first", "left", "right", "last"]
    assert [c.name for c in run.get_children() if isinstance(c, StepRun)] == [
        "last",
        "right",
        "left",
        "first",
    ]
    assert step.get_stdout_log() == step.get_stderr_log() == step.get_job_log() == ""
    assert step.wait_for_completion(show_output=False) == "Finished"
    assert step.get_details_with_logs()["logFiles"].keys() == {
        "logs/nbautoml/outputs.json",
        "logs/nbautoml/reuse.json",
    }
    with pytest.raises(NotFoundError, match="no step 'frist'. Did you mean 'first'"):
        run.find_step_run("frist")
    with pytest.raises(NotFoundError, match="no output 'row'. Did you mean 'rows'"):
        run.get_pipeline_output("row")
    with pytest.raises(NotFoundError, match="has no output 'columns'"):
        step.get_output_data("columns")


def test_waiting_ends_when_its_time_is_over(session: Session, diamond: FrozenPipeline) -> None:
    run = submit(session, diamond)

    assert run.wait_for_completion(show_output=False, timeout_seconds=0) == "NotStarted"
    assert run.find_step_run("first") == []
    with pytest.raises(NotFoundError, match="has not written 'rows'"):
        run.get_pipeline_output("rows")


def test_what_happens_is_printed(
    session: Session,
    diamond: FrozenPipeline,
    player: Player,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = submit(session, diamond)
    coordinate(session, run, player)

    assert run.wait_for_completion() == "Finished"

    lines = capsys.readouterr().out.splitlines()
    assert "first: Running not reused: no run of this step has completed before" in lines
    assert lines[-1] == "Completed"
