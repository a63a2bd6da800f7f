"""A script is called with parts of a table, or of files, in processes of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from nbautoml.data.tabular import from_frame
from nbautoml.pipelines.data import OutputFileDatasetConfig, PipelineData
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.pipeline_run import PipelineRun
from nbautoml.pipelines.steps.parallel_run import ParallelRunConfig, ParallelRunStep
from nbautoml.pipelines.steps.python_script import CommandStep
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for

pytestmark = pytest.mark.integration

TABLE = """
import argparse, os
def init():
    global plus
    parser = argparse.ArgumentParser()
    parser.add_argument("--plus", type=int)
    plus = parser.parse_known_args()[0].plus
def run(rows):
    if (rows["a"] == 13).any():
        raise ValueError("unlucky")
    rows["sum"] = rows["a"] + plus
    return rows
"""
FILES = """
from pathlib import Path
def run(paths):
    return [f"{Path(path).name}: {len(Path(path).read_text())}" for path in paths]
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with create_session(address_for("w", tmp_path / "w")) as session:
        yield session


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "table.py").write_text(TABLE)
    (folder / "files.py").write_text(FILES)
    return folder


def config(source: Path, script: str, **settings: object) -> ParallelRunConfig:
    given = {"process_count_per_node": 2, "run_max_try": 1, "error_threshold": 0, **settings}
    return ParallelRunConfig(entry_script=script, source_directory=str(source), **given)  # type: ignore[arg-type]


def finish(run: PipelineRun) -> str:
    return run.wait_for_completion(show_output=False, timeout_seconds=120, raise_on_error=False)


def text_of(run: PipelineRun, name: str, file: str = "parallel_run_step.txt") -> str:
    output = run.get_pipeline_output(name)
    return Path(output.datastore.resolve(f"{output.path_on_datastore}/{file}")).read_text()


def score(session: Session, source: Path, rows: int, **settings: object) -> PipelineRun:
    table = from_frame(pd.DataFrame({"a": range(rows)})).as_named_input("table")
    step = ParallelRunStep(
        "score",
        config(source, "table.py", mini_batch_size="40B", **settings),
        inputs=[table],
        output=PipelineData("scores"),
        arguments=["--plus", 100],
    )
    return Pipeline(WorkspaceHandle(session), step).submit("scores")


def test_rows_are_scored_in_their_order(session: Session, source: Path) -> None:
    run = score(session, source, 12, append_row_file_name="scores.txt")

    assert finish(run) == "Finished"
    lines = text_of(run, "scores", "scores.txt").splitlines()
    assert lines == [f"{n} {n + 100}" for n in range(12)]
    assert "12 items, 0 of them failed" in run.find_step_run("score")[0].get_stdout_log()


def test_too_many_failed_rows_fail_the_step(session: Session, source: Path) -> None:
    run = score(session, source, 20, error_threshold=3)

    assert finish(run) == "Failed"
    log = run.find_step_run("score")[0].get_stdout_log()
    assert "5 items have failed, more than error_threshold=3 allows" in log
    assert "ValueError: unlucky" in log


def test_failed_rows_may_be_left_out(session: Session, source: Path) -> None:
    run = score(session, source, 20, error_threshold=-1)

    assert finish(run) == "Finished"
    found = [int(line.split()[0]) for line in text_of(run, "scores").splitlines()]
    assert found == [*range(10), *range(15, 20)]


def test_files_of_a_step_before_are_worked_on(session: Session, source: Path) -> None:
    made = OutputFileDatasetConfig("made")
    words = [
        "python",
        "-c",
        "import sys; [open(f'{sys.argv[1]}/{n}', 'w').write(n) for n in 'abc']",
    ]
    make = CommandStep([*words, made], name="make", source_directory=source)
    count = ParallelRunStep(
        "count",
        config(source, "files.py", mini_batch_size=2),
        inputs=[made.as_input("texts")],
        output=OutputFileDatasetConfig("counts"),
    )

    run = Pipeline(WorkspaceHandle(session), [make, count]).submit("counts")

    assert finish(run) == "Finished"
    assert text_of(run, "counts") == "a: 1\nb: 1\nc: 1\n"
