"""Runs that are begun and ended by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nbautoml.domain.events import StatusChanged
from nbautoml.domain.records import Owner
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import ConfigError, ConflictError, NotFoundError
from nbautoml.runs.child_process import RUN_VARIABLE, environment
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.interactive import _beat_once
from nbautoml.runs.recovery import recover_runs
from nbautoml.runs.run import Run
from nbautoml.runs.types import SCRIPT_RUN
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.runs import request_of_run
from nbautoml.store.reaper import this_process
from nbautoml.store.session import Session


@pytest.fixture
def experiment(session: Session) -> Experiment:
    return Experiment(WorkspaceHandle(session), "by-hand")


@pytest.fixture
def started(experiment: Experiment) -> Iterator[Run]:
    run = experiment.start_logging()
    yield run
    run.complete()


def statuses(run: Run) -> list[str]:
    with run.session.read() as tx:
        records = tx.events.read(run.id)
    return [r.event.status.value for r in records if isinstance(r.event, StatusChanged)]


def test_a_run_is_running_at_once_and_completes(started: Run) -> None:
    assert (started.get_status(), started.type) == ("Running", "interactive")
    started.complete()
    assert (started.get_status(), statuses(started)) == ("Completed", ["Running", "Completed"])
    assert started.get_details()["endTimeUtc"]


def test_a_run_fails_with_its_reason(started: Run) -> None:
    started.fail("No rows.", "E7")
    assert started.get_details()["error"] == "E7: No rows."


def test_the_first_end_counts(started: Run) -> None:
    started.cancel()
    started.complete()
    started.fail("late")
    assert started.get_status() == "Canceled"


def test_a_with_block_ends_its_run(experiment: Experiment) -> None:
    with experiment.start_logging() as good:
        good.log("a", 1)
    with pytest.raises(ZeroDivisionError), experiment.start_logging() as bad:
        1 / 0  # noqa: B018
    assert good.get_status() == "Completed"
    assert bad.get_details()["error"] == "ZeroDivisionError: division by zero"


def test_the_experiment_lists_it_by_type(experiment: Experiment, started: Run) -> None:
    assert [r.id for r in experiment.get_runs(type="interactive")] == [started.id]


def test_name_and_tags_are_kept(experiment: Experiment) -> None:
    run = experiment.start_logging(display_name="first try", tags={"n": "1"})
    run.remove_tags(["other"])
    assert (run.display_name, run.tags) == ("first try", {"n": "1"})
    run.remove_tags(["n"])
    assert run.tags == {}
    run.complete()


def test_the_files_of_outputs_are_stored_at_the_end(experiment: Experiment, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    run = experiment.start_logging(outputs=folder)
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("a")
    run.complete()
    assert run.get_file_names() == ["made/deep/a.txt"]
    with pytest.raises(ConfigError, match="outputs must be a folder"):
        experiment.start_logging(outputs=3)  # type: ignore[arg-type]


def test_a_source_folder_is_kept_where_one_is_named(experiment: Experiment, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.py").write_text("print()")
    run = experiment.start_logging(snapshot_directory=source)
    assert run.get_snapshot_id()
    run.restore_snapshot(path=tmp_path / "back")
    assert (tmp_path / "back" / "a.py").read_text() == "print()"
    run.complete()
    bare = experiment.start_logging()
    assert bare.get_snapshot_id() is None
    with pytest.raises(NotFoundError, match="made of no source"):
        bare.restore_snapshot()
    bare.complete()


def test_children_run_below_it_and_end_with_it(started: Run) -> None:
    child = started.child_run("part")
    child.log("a", 1)
    grandchild = child.child_run()
    assert (child.get_status(), child.display_name, child.number) == ("Running", "part", 0)
    assert started.get_metrics(recursive=True) == {child.id: {"a": 1.0}}
    started.complete()
    assert (child.get_status(), grandchild.get_status()) == ("Canceled", "Canceled")


def test_many_children_wait_to_be_started(started: Run) -> None:
    first, second = started.create_children(tag_key="fold", tag_values=[1, 2])
    assert (first.get_status(), second.tags) == ("NotStarted", {"fold": "2"})
    with first:
        assert first.get_status() == "Running"
    second.start()
    second.start()
    assert (first.get_status(), second.get_status()) == ("Completed", "Running")
    more = started.create_children(3)
    assert [child.number for child in (first, second, *more)] == [0, 1, 2, 3, 4]
    with pytest.raises(ConfigError, match="takes count, or tag_key"):
        started.create_children()


def test_a_run_with_a_process_of_its_own_is_not_ended_by_hand(run: Run) -> None:
    with pytest.raises(ConflictError, match="ended by its own process"):
        run.complete()
    assert run.get_status() == "Running"


def test_inside_of_its_script_a_run_ends_with_the_script(
    session: Session, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session.write() as tx:
        record = replace(tx.runs.get("r"), id="s", type=SCRIPT_RUN)
        tx.runs.create(record)
    own = Run(run.experiment, "s")
    with pytest.raises(ConflictError):
        own.complete()
    for name, value in environment(session, "s").items():
        if name.startswith("NBAUTOML"):
            monkeypatch.setenv(name, value)
    own.complete()
    own.fail("no rows")
    assert own.get_status() == "Running"
    assert own.properties["told_failure"] == "no rows"
    assert os.environ[RUN_VARIABLE] == "s"


def test_a_cancel_from_elsewhere_ends_it_at_once(session: Session, started: Run) -> None:
    request_of_run(session, started.id, {"kind": "cancel"}, time=1.0)
    assert started.get_details()["message"] == "Canceled on request."


@pytest.mark.parametrize("kind", ["pause", "finish_now", "resume"])
def test_it_does_not_know_what_only_a_search_can_do(
    session: Session, started: Run, kind: str
) -> None:
    with pytest.raises(ConflictError, match="logged by a notebook or a program"):
        request_of_run(session, started.id, {"kind": kind}, time=1.0)
    with pytest.raises(ConflictError):
        getattr(started, kind)()
    with session.read() as tx:
        assert not [r for r in tx.requests.read(started.id) if r.kind is RequestKind(kind)]


def test_a_run_whose_process_is_gone_has_failed(session: Session, started: Run) -> None:
    child = started.child_run()
    owner = this_process()
    gone = Owner(host=owner.host, pid=2**22 + 7, started_at=1.0)  # above the highest pid
    with session.write() as tx:
        assert tx.runs.claim(started.id, gone, expected=owner)
    assert recover_runs(session) == []
    details = started.get_details()
    assert (details["status"], "ended before run.complete()" in details["error"]) == (
        "Failed",
        True,
    )
    assert child.get_status() == "Canceled"


def test_a_living_run_is_left_alone(session: Session, started: Run) -> None:
    recover_runs(session)
    assert started.get_status() == "Running"


def test_the_heartbeat_ends_with_the_run(session: Session, started: Run) -> None:
    assert _beat_once(session, started.id, this_process())
    started.complete()
    assert not _beat_once(session, started.id, this_process())


def test_waiting_writes_what_a_script_wrote(
    session: Session, started: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    from nbautoml.domain.events import OutputWritten

    with session.write() as tx:
        tx.events.append(started.id, [OutputWritten(text="epoch 1\nepoch 2")], 1.0)
    started.complete()
    started.wait_for_completion(show_output=True)
    assert "epoch 1\nepoch 2\n" in capsys.readouterr().out


def test_the_status_of_a_run_is_of_its_own_kind(started: Run) -> None:
    described = started.snapshot().described
    assert described is not None
    assert (described.what, described.experiment) == ("interactive", "by-hand")
    assert started.snapshot().status is RunStatus.RUNNING
