"""A step takes an earlier result when nothing that counts has changed, and says why, or why not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.data.tabular import from_frame
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.pipelines import keeping, starting
from nbautoml.pipelines.data import DataReference, OutputFileDatasetConfig, PipelineData
from nbautoml.pipelines.frozen import FrozenPipeline
from nbautoml.pipelines.outputs import load_outputs
from nbautoml.pipelines.parameters import PipelineParameter
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.pipeline_run import PipelineRun
from nbautoml.pipelines.reuse import StepKey, what_changed
from nbautoml.pipelines.steps.python_script import PythonScriptStep
from nbautoml.runs.environment import Environment
from nbautoml.runs.run_configuration import RunConfiguration
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session
from tests.unit.pipelines.players import Player, coordinate, reasons, submit

Freeze = Callable[..., FrozenPipeline]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "POLL_SECONDS", 0.01)


@pytest.fixture
def player(tmp_path: Path) -> Player:
    folder = tmp_path / "written"
    folder.mkdir()
    return Player(folder)


@pytest.fixture
def freeze(workspace: WorkspaceHandle, source: Path) -> Freeze:
    """Return what freezes a pipeline: ``make`` writes rows, ``use`` reads them."""

    def make_pipeline(**changes: object) -> FrozenPipeline:
        rows = PipelineData("rows")
        settings: dict[str, object] = {
            "arguments": ["--rate", PipelineParameter("rate", 0.1), rows],
            "outputs": [rows],
            "source_directory": source,
        }
        make = PythonScriptStep("make.py", name="make", **{**settings, **changes})  # type: ignore[arg-type]
        use = PythonScriptStep(
            "use.py", name="use", arguments=[rows], inputs=[rows], source_directory=source
        )
        return Pipeline(workspace, [make, use]).freeze()

    return make_pipeline


def run_it(session: Session, frozen: FrozenPipeline, player: Player, **how: object) -> PipelineRun:
    player.played.clear()
    run = submit(session, frozen, **how)
    assert coordinate(session, run, player).status is RunStatus.COMPLETED
    return run


def test_the_same_again_is_taken_from_the_first_run(
    session: Session, freeze: Freeze, player: Player
) -> None:
    first = run_it(session, freeze(), player)
    second = run_it(session, freeze(), player)

    assert player.played == []
    (made,) = first.find_step_run("make")
    assert reasons(second)["make"] == f"reused from {made.id}"
    (taken,) = second.find_step_run("make")
    assert (taken.id, taken.pipeline_run_id, taken.is_reused) == (made.id, second.id, True)
    assert second.snapshot().steps[0].reused_from == made.id
    assert second.get_pipeline_output("rows").path_on_datastore == f"azureml/{made.id}/rows"


def test_a_third_run_takes_it_from_the_first_too(
    session: Session, freeze: Freeze, player: Player
) -> None:
    first = run_it(session, freeze(), player)
    run_it(session, freeze(), player)
    third = run_it(session, freeze(), player)

    assert reasons(third)["make"] == f"reused from {next(first.get_steps()).id}"


def test_a_changed_script_is_run(
    session: Session, freeze: Freeze, player: Player, source: Path
) -> None:
    first = run_it(session, freeze(), player)
    (source / "make.py").write_text("print('better')")

    second = run_it(session, freeze(), player)

    made = next(first.get_steps()).id
    assert reasons(second)["make"] == f"not reused: script changed since run {made}"
    assert reasons(second)["use"].startswith("not reused: file make.py changed since run ")


def test_another_file_beside_the_script_is_named(
    session: Session, freeze: Freeze, player: Player, source: Path
) -> None:
    run_it(session, freeze(), player)
    (source / "part.py").write_text("a = 1")

    second = run_it(session, freeze(), player)

    assert reasons(second)["make"].startswith("not reused: file part.py changed since run ")


def test_a_changed_parameter_is_named(session: Session, freeze: Freeze, player: Player) -> None:
    run_it(session, freeze(), player)

    second = run_it(session, freeze(), player, parameters={"rate": 0.2})

    assert reasons(second)["make"].startswith("not reused: parameter rate changed since run ")
    # What it wrote is the same, so the next step has nothing new to do.
    assert reasons(second)["use"].startswith("reused from ")
    assert player.played == ["make"]


def test_changed_content_of_a_step_before_is_an_input_that_changed(
    session: Session, freeze: Freeze, player: Player
) -> None:
    run_it(session, freeze(), player)
    player.texts["make"] = "other rows"

    second = run_it(session, freeze(), player, parameters={"rate": 0.2})

    assert reasons(second)["use"].startswith("not reused: input rows changed since run ")


def test_a_value_that_was_there_before_is_taken_from_there(
    session: Session, freeze: Freeze, player: Player
) -> None:
    run_it(session, freeze(), player)
    run_it(session, freeze(), player, parameters={"rate": 0.2})

    run_it(session, freeze(), player)

    assert player.played == []


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"regenerate_outputs": True}, "not reused: all outputs are made anew"),
        ({}, "not reused: allow_reuse of step make is False"),
    ],
)
def test_reuse_can_be_refused(
    session: Session, freeze: Freeze, player: Player, how: dict[str, bool], reason: str
) -> None:
    run_it(session, freeze(), player)

    second = run_it(session, freeze(allow_reuse=bool(how)), player, **how)

    assert reasons(second)["make"].startswith(reason)


def test_a_step_that_is_never_reused_itself_spares_those_after_it(
    session: Session, freeze: Freeze, player: Player
) -> None:
    run_it(session, freeze(allow_reuse=False), player)
    run_it(session, freeze(allow_reuse=False), player)

    assert player.played == ["make"]


def test_outputs_that_are_gone_are_made_again(
    session: Session, freeze: Freeze, player: Player
) -> None:
    first = run_it(session, freeze(), player)
    made = next(first.get_steps())
    path = made.get_output_data("rows").path_on_datastore
    place = Path(made.get_output_data("rows").datastore.resolve(path))
    place.unlink()

    second = run_it(session, freeze(), player)
    assert reasons(second)["make"] == f"not reused: output rows is gone since run {made.id}"

    place = Path(made.get_output_data("rows").datastore.resolve(_place_of(second)))
    place.chmod(0o644)
    place.write_text("damaged")
    third = run_it(session, freeze(), player)
    assert "not reused: output rows was changed since run" in reasons(third)["make"]


def _place_of(run: PipelineRun) -> str:
    return run.get_pipeline_output("rows").path_on_datastore


def test_a_run_that_failed_gives_nothing(session: Session, freeze: Freeze, player: Player) -> None:
    player.failing = frozenset({"make"})
    failed = submit(session, freeze())
    coordinate(session, failed, player)
    player.failing = frozenset()

    second = run_it(session, freeze(), player)

    assert reasons(second)["make"] == "not reused: no run of this step has completed before"


def test_a_run_that_was_cut_short_is_not_taken(
    session: Session, freeze: Freeze, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(session: Session, run_id: str) -> None:
        with session.write() as tx:
            tx.requests.append(run_id, RequestKind.FINISH_NOW, {}, time.time())
        player(session, run_id)

    first = submit(session, freeze())
    coordinate(session, first, play)
    made = next(first.get_steps()).id
    monkeypatch.setattr(starting, "NOTE_SECONDS", 0.0)  # as if that were long ago
    second = run_it(session, freeze(), player)

    assert reasons(second)["make"] == (
        f"not reused: run {made} was asked to finish early, or given more time"
    )
    assert player.played == ["make", "use"]


def _environment(variable: str) -> RunConfiguration:
    config = RunConfiguration()
    config.environment = Environment("training")
    config.environment.environment_variables = {"EPOCHS": variable}
    return config


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ({"version": "1"}, {"version": "2"}, "version changed"),
        ({"params": {"a": 1}}, {"params": {"a": 2}}, "params changed"),
        ({}, {"runconfig": _environment("3")}, "environment changed"),
        (
            {"runconfig": _environment("2")},
            {"runconfig": _environment("3")},
            "environment changed",
        ),
    ],
)
def test_what_else_counts_is_named(
    session: Session,
    freeze: Freeze,
    player: Player,
    before: dict[str, object],
    after: dict[str, object],
    reason: str,
) -> None:
    run_it(session, freeze(**before), player)

    second = run_it(session, freeze(**after), player)

    assert reasons(second)["make"].startswith(f"not reused: {reason} since run ")


def test_a_path_in_a_datastore_counts_by_its_bytes(
    session: Session, workspace: WorkspaceHandle, source: Path, player: Player
) -> None:
    store = Datastore.get_default(workspace)
    store.write_bytes("raw/a.csv", b"a\n1\n")
    reference = DataReference(store, "raw", "raw")
    step = PythonScriptStep("make.py", name="make", inputs=[reference], source_directory=source)
    frozen = Pipeline(workspace, step).freeze()
    run_it(session, frozen, player)
    store.write_bytes("raw/a.csv", b"a\n1\n")
    same = run_it(session, frozen, player)
    store.write_bytes("raw/a.csv", b"a\n2\n")
    other = run_it(session, frozen, player)

    assert reasons(same)["make"].startswith("reused from ")
    assert reasons(other)["make"].startswith("not reused: input raw changed since run ")


def test_a_dataset_counts_by_its_content(
    session: Session, workspace: WorkspaceHandle, source: Path, player: Player
) -> None:
    def frozen(value: int) -> FrozenPipeline:
        rows = from_frame(pd.DataFrame({"a": [value]})).as_named_input("rows")
        step = PythonScriptStep("make.py", name="make", inputs=[rows], source_directory=source)
        return Pipeline(workspace, step).freeze()

    run_it(session, frozen(1), player)
    same = run_it(session, frozen(1), player)
    other = run_it(session, frozen(2), player)

    assert reasons(same)["make"].startswith("reused from ")
    assert reasons(other)["make"].startswith("not reused: input rows changed since run ")


def test_of_two_that_do_the_same_one_waits_for_the_other(
    session: Session, freeze: Freeze, player: Player
) -> None:
    """Two runs of one pipeline are coordinated at the same time; each step is run once."""
    frozen = freeze()
    runs = [submit(session, frozen) for _ in range(2)]
    threads = [
        threading.Thread(target=coordinate, args=(session, run, player), daemon=True)
        for run in runs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(player.played) == ["make", "use"]
    assert [run.get_status() for run in runs] == ["Finished", "Finished"]
    sources = {next(run.get_steps()).id for run in runs}
    assert len(sources) == 1


def test_an_output_at_a_place_of_its_own_counts_as_that_of_the_last_run(
    session: Session, workspace: WorkspaceHandle, source: Path, player: Player
) -> None:
    """A later run writes to the same place, so the earlier one has no result any more."""
    store = Datastore.get_default(workspace)

    def frozen() -> FrozenPipeline:
        clean = OutputFileDatasetConfig("clean", destination=(store, "clean"))
        step = PythonScriptStep(
            "make.py",
            name="make",
            arguments=[PipelineParameter("rate", 1), clean],
            source_directory=source,
        )
        return Pipeline(workspace, step).freeze()

    first = run_it(session, frozen(), player)
    player.texts["make"] = "others"
    run_it(session, frozen(), player, parameters={"rate": 2})

    third = run_it(session, frozen(), player)

    assert "output clean was changed" in reasons(third)["make"]
    made = load_outputs(session, next(first.get_steps()).id)["clean"]
    assert made.path == "clean"


def test_the_first_difference_is_named() -> None:
    parts = {"kind": "script/1", "script": "a.py", "arguments": [1], "settings": {"a": 1}}
    old = StepKey(parts=parts, values={})

    def changed(**new: object) -> str:
        return what_changed(StepKey(parts={**parts, **new}, values={}), old)

    assert changed() == ""
    assert changed(kind="script/2") == "the way its key is made changed"
    assert changed(script="b.py") == "the script's name changed"
    assert changed(arguments=[2]) == "arguments changed"
    assert changed(settings={"a": 2}) == "setting a changed"
