"""Pipelines with real processes: data passed on, results taken again, and every way to be lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest

from nbautoml.data.dataset import Dataset
from nbautoml.data.datastore import Datastore
from nbautoml.domain.records import RunRecord
from nbautoml.errors import TrainingError
from nbautoml.pipelines.data import DataReference, OutputFileDatasetConfig, PipelineData
from nbautoml.pipelines.parameters import DataPathComputeBinding, PipelineParameter
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.pipeline_run import PipelineRun
from nbautoml.pipelines.published import PublishedPipeline
from nbautoml.pipelines.steps.python_script import CommandStep, PythonScriptStep
from nbautoml.runs.recovery import recover_runs
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for

pytestmark = pytest.mark.integration

WAIT_SECONDS = 120.0

PREPARE = """
import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int)
parser.add_argument("--out")
args = parser.parse_args()
os.makedirs(args.out, exist_ok=True)
with open(os.path.join(args.out, "rows.csv"), "w") as file:
    file.write("a,b\\n" + "".join(f"{n},{n * n}\\n" for n in range(args.rows)))
assert os.environ["AZUREML_DATAREFERENCE_prepared"] == args.out
print("rate is", os.environ["AML_PARAMETER_rate"])
"""
USE = """
import sys
from pathlib import Path
from nbautoml import Run
run = Run.get_context()
rows = run.input_datasets["table"].to_pandas_dataframe()
assert run.input_datasets["files"] == sys.argv[1]
assert len((Path(sys.argv[1]) / "rows.csv").read_text().splitlines()) == len(rows) + 1
run.log("total", int(rows["b"].sum()))
run.parent.log("total", int(rows["b"].sum()))
Path(sys.argv[2], "total.csv").write_text(f"total\\n{rows['b'].sum()}\\n")
"""
KINDS = """
import sys
from pathlib import Path
from nbautoml import Dataset, Run
folder, file, dataset_id, out = sys.argv[1:]
workspace = Run.get_context().experiment.workspace
rows = Dataset.get_by_id(workspace, dataset_id).to_pandas_dataframe()
assert workspace.get_default_datastore().name == "workspaceblobstore"
assert Run.get_context().input_datasets["rows"].id == dataset_id
print((Path(folder) / "one.txt").read_text(), Path(file).read_text(), len(rows))
(Path(folder) / "one.txt").write_text("changed in the copy")
(Path(out) / "total.txt").write_text(str(rows["a"].sum()))
"""
LONG = """
import sys, time
from pathlib import Path
Path(sys.argv[1]).write_text("half")
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = create_session(address_for("w", tmp_path / "w"))
    yield session
    with session.read() as tx:
        owners = [r.owner for r in tx.runs.list(include_children=True) if r.owner]
        live = [r.owner for r in tx.runs.list(include_children=True) if not r.status.is_terminal]
    for owner in owners:
        if owner in live and psutil.pid_exists(owner.pid):
            os.kill(owner.pid, signal.SIGKILL)
    session.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, text in {"prepare.py": PREPARE, "use.py": USE, "long.py": LONG}.items():
        (folder / name).write_text(text)
    return folder


def two_steps(session: Session, source: Path) -> Pipeline:
    prepared = PipelineData("prepared", pipeline_output_name="rows")
    total = OutputFileDatasetConfig("total").register_on_complete("totals")
    table = prepared.as_dataset().parse_delimited_files()
    prepare = PythonScriptStep(
        "prepare.py",
        name="prepare",
        arguments=["--rows", PipelineParameter("n_rows", 4), "--out", prepared],
        outputs=[prepared],
        params={"rate": 0.5},
        source_directory=source,
    )
    use = PythonScriptStep(
        "use.py",
        name="use",
        arguments=[prepared.as_input("files"), total],
        inputs=[table.as_named_input("table")],
        source_directory=source,
    )
    return Pipeline(WorkspaceHandle(session), [prepare, use])


def one_long_step(session: Session, source: Path) -> Pipeline:
    half = PipelineData("half")
    step = PythonScriptStep(
        "long.py", name="long", arguments=[half], outputs=[half], source_directory=source
    )
    return Pipeline(WorkspaceHandle(session), step)


def wait_for(check: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not check():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.05)


def record_of(session: Session, run_id: str) -> RunRecord:
    with session.read() as tx:
        return tx.runs.get(run_id)


def finish(run: PipelineRun) -> str:
    return run.wait_for_completion(
        show_output=False, timeout_seconds=WAIT_SECONDS, raise_on_error=False
    )


def kill(session: Session, run_id: str) -> None:
    owner = record_of(session, run_id).owner
    assert owner is not None
    os.kill(owner.pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(owner.pid), "the end of the process")


def begun(run: PipelineRun, name: str = "long") -> str:
    """Wait until a step's script has written its first line; return the id of its run."""
    wait_for(lambda: run.find_step_run(name), "the step")
    (step,) = run.find_step_run(name)
    wait_for(lambda: "started" in step.get_stdout_log(), "its script")
    return step.id


def why(run: PipelineRun) -> dict[str, str]:
    return {state.step.name: state.reason for state in run.snapshot().steps}


def test_two_scripts_pass_rows_and_are_not_run_again(
    session: Session, source: Path, tmp_path: Path
) -> None:
    pipeline = two_steps(session, source)
    first = pipeline.submit("totals")

    assert finish(first) == "Finished"
    (use,) = first.find_step_run("use")
    assert use.get_metrics() == {"total": 14}
    assert first.get_metrics() == {"total": 14}
    (prepare,) = first.find_step_run("prepare")
    assert prepare.get_stdout_log() == "rate is 0.5\n"
    assert first.get_pipeline_output("rows").download(tmp_path / "out") == 1
    path = tmp_path / "out" / "azureml" / prepare.id / "prepared" / "rows.csv"
    assert path.read_text().startswith("a,b\n0,0\n1,1\n")
    registered = Dataset.get_by_name(WorkspaceHandle(session), "totals")
    assert registered.to_pandas_dataframe()["total"].tolist() == [14]

    second = pipeline.submit("totals")
    assert finish(second) == "Finished"
    assert why(second) == {
        "prepare": f"reused from {prepare.id}",
        "use": f"reused from {use.id}",
    }

    third = pipeline.submit("totals", pipeline_parameters={"n_rows": 3})
    assert finish(third) == "Finished"
    assert why(third)["prepare"] == f"not reused: parameter n_rows changed since run {prepare.id}"
    assert why(third)["use"].startswith("not reused: input files changed since run ")
    assert third.find_step_run("use")[0].get_metrics() == {"total": 5}


def test_of_two_runs_at_once_one_takes_the_results_of_the_other(
    session: Session, source: Path
) -> None:
    pipeline = two_steps(session, source)

    runs = [pipeline.submit("totals") for _ in range(2)]

    assert [finish(run) for run in runs] == ["Finished", "Finished"]
    for name in ("prepare", "use"):
        made = {run.find_step_run(name)[0].id for run in runs}
        assert len(made) == 1
    with session.read() as tx:
        children = [child for run in runs for child in tx.runs.list(parent_id=run.id)]
    assert len(children) == 2


def test_an_edited_file_and_a_wish_run_steps_again(session: Session, source: Path) -> None:
    pipeline = two_steps(session, source)
    first = pipeline.submit("totals")
    assert finish(first) == "Finished"

    anew = pipeline.submit("totals", regenerate_outputs=True)
    assert finish(anew) == "Finished"
    assert why(anew)["prepare"].endswith("all outputs are made anew (regenerate_outputs)")

    (source / "use.py").write_text(USE + "\nprint('edited')\n")
    edited = pipeline.submit("totals")
    assert finish(edited) == "Finished"
    last = anew.find_step_run("use")[0].id
    assert why(edited)["use"] == f"not reused: script changed since run {last}"
    assert why(edited)["prepare"].startswith("not reused: file use.py changed since run ")
    assert edited.find_step_run("use")[0].get_stdout_log() == "edited\n"


def test_data_of_all_kinds_arrive(session: Session, source: Path, tmp_path: Path) -> None:
    workspace = WorkspaceHandle(session)
    store = Datastore.get_default(workspace)
    far = Datastore.register(workspace, "far", (tmp_path / "far").as_uri())
    store.write_bytes("raw/one.txt", b"one")
    store.write_bytes("raw/two.txt", b"two")
    (source / "kinds.py").write_text(KINDS)
    path = PipelineParameter("path", store.path("raw/one.txt"))
    binding = (path, DataPathComputeBinding(mode="mount"))
    rows = Dataset.Tabular.from_pandas_dataframe(pd.DataFrame({"a": [1, 2]}))
    kept = OutputFileDatasetConfig("kept", destination=(far, "{run-id}/{output-name}"))
    step = PythonScriptStep(
        "kinds.py",
        name="kinds",
        arguments=[
            DataReference(store, "folder", "raw", mode="download"),
            binding,
            rows.as_named_input("rows"),
            kept,
        ],
        inputs=[binding],
        source_directory=source,
    )
    read = CommandStep(["ls", kept.as_input("found")], name="read", source_directory=source)
    pipeline = Pipeline(workspace, [step, read])

    run = pipeline.submit("kinds", pipeline_parameters={"path": store.path("raw/two.txt")})

    assert finish(run) == "Finished"
    (kinds,) = run.find_step_run("kinds")
    assert kinds.get_stdout_log() == "one two 2\n"
    assert Path(store.resolve("raw/one.txt")).read_text() == "one"
    place = tmp_path / "far" / kinds.id / "kept" / "total.txt"
    assert place.read_text() == "3"
    assert run.find_step_run("read")[0].get_stdout_log() == "total.txt\n"


def test_a_failed_script_leaves_no_outputs_and_says_why(session: Session, source: Path) -> None:
    (source / "prepare.py").write_text(PREPARE + "\nraise ValueError('no rows')\n")

    run = two_steps(session, source).submit("totals")

    with pytest.raises(TrainingError, match="Step prepare failed.*no rows"):
        run.wait_for_completion(show_output=False)
    (prepare,) = run.find_step_run("prepare")
    assert prepare.get_outputs() == {}
    assert not (session.state_dir / "datastore" / "azureml").exists()
    assert why(run)["use"] == "Step prepare did not complete."


def test_commands_and_steps_beside_a_failed_one_go_on(session: Session, source: Path) -> None:
    said = PipelineData("said")
    steps = [
        CommandStep("exit 3", name="failing", source_directory=source),
        CommandStep(
            ["python", "-c", "import sys; open(sys.argv[1], 'w').write('hello')", said],
            name="saying",
            outputs=[said],
            source_directory=source,
        ),
    ]
    run = Pipeline(WorkspaceHandle(session), steps).submit("e", continue_on_step_failure=True)

    assert finish(run) == "Failed"
    assert "exit code 3" in why(run)["failing"]
    output = run.get_pipeline_output("said")
    assert Path(output.datastore.resolve(output.path_on_datastore)).read_text() == "hello"


def test_cancel_ends_the_script_too(session: Session, source: Path) -> None:
    run = one_long_step(session, source).submit("e")
    step_id = begun(run)

    run.cancel()

    assert finish(run) == "Canceled"
    assert record_of(session, step_id).status.value == "Canceled"
    assert run.find_step_run("long")[0].get_outputs() == {}


def test_a_lost_coordinator_finds_its_step_at_work(session: Session, source: Path) -> None:
    (source / "long.py").write_text(LONG.replace("600", "8") + "\nprint('ended')\n")
    run = one_long_step(session, source).submit("e")
    step_id = begun(run)
    owner = record_of(session, step_id).owner

    kill(session, run.id)
    wait_for(lambda: run.id in recover_runs(session), "the loss to be seen")

    assert finish(run) == "Finished"
    assert run.find_step_run("long")[0].id == step_id
    assert record_of(session, step_id).owner == owner
    assert run.find_step_run("long")[0].get_stdout_log() == "started\nended\n"


def test_a_step_whose_process_is_lost_has_failed(session: Session, source: Path) -> None:
    run = one_long_step(session, source).submit("e")
    step_id = begun(run)

    kill(session, step_id)

    assert finish(run) == "Failed"
    assert "not started a second time by itself" in why(run)["long"]
    assert record_of(session, step_id).status.value == "Failed"


def test_what_is_published_runs_without_the_code_that_made_it(
    session: Session, source: Path
) -> None:
    workspace = WorkspaceHandle(session)
    published = two_steps(session, source).publish("totals", version="1.0")
    for script in source.iterdir():
        script.unlink()

    found = PublishedPipeline.get(workspace, id=published.id)
    run = found.submit(workspace, "nightly", pipeline_parameters={"n_rows": 3})

    assert finish(run) == "Finished"
    assert run.find_step_run("use")[0].get_metrics() == {"total": 5}
    assert [r.id for r in PipelineRun.get_pipeline_runs(workspace, published.id)] == [run.id]
    again = run.publish_pipeline("totals", "the last one", "1.1")
    assert again.parameters == {"n_rows": 3}
