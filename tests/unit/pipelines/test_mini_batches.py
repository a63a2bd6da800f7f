"""Data are cut into parts, a script is called with each, and what it cannot do is counted."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nbautoml.data.tabular import from_frame
from nbautoml.errors import ConfigError, NotAvailableError, NotFoundError
from nbautoml.pipelines import mini_batches as subject
from nbautoml.pipelines.data import OutputFileDatasetConfig, PipelineData
from nbautoml.pipelines.mini_batches import (
    call_script,
    lines_of,
    parse,
    parts_of_files,
    parts_of_table,
    size_in_bytes,
)
from nbautoml.pipelines.parameters import PipelineParameter
from nbautoml.pipelines.pipeline import Pipeline
from nbautoml.pipelines.steps.parallel_run import ParallelRunConfig, ParallelRunStep
from nbautoml.runs.environment import Environment
from nbautoml.runs.workspace_handle import WorkspaceHandle

ROWS = pd.DataFrame({"a": np.arange(100.0)})
NAMED = from_frame(ROWS).as_named_input("rows")


@pytest.mark.parametrize(
    ("text", "size"), [("10", 10), ("1k", 1024), ("100KB", 102_400), ("1GB", 2**30)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "ten", "10 TB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="'100KB'"):
        size_in_bytes(text)


def test_a_table_is_cut_without_losing_a_row() -> None:
    parts = list(parts_of_table(ROWS, "240B"))  # a row has 8 bytes

    assert [len(part) for part in parts] == [30, 30, 30, 10]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), ROWS)
    assert [part.index[0] for part in parts] == [0, 0, 0, 0]
    assert len(list(parts_of_table(ROWS, "1B"))) == len(ROWS)
    assert list(parts_of_table(ROWS.head(0), None)) == []


def test_files_are_counted(tmp_path: Path) -> None:
    for name in "cab":
        (tmp_path / f"{name}.txt").write_text(name)

    assert [[Path(p).stem for p in part] for part in parts_of_files(tmp_path, "2")] == [
        ["a", "b"],
        ["c"],
    ]
    assert len(list(parts_of_files(tmp_path / "a.txt", None))) == 1
    with pytest.raises(ConfigError, match="is their number; got '1MB'"):
        list(parts_of_files(tmp_path, "1MB"))
    with pytest.raises(NotFoundError, match="no files"):
        list(parts_of_files(tmp_path / "none", None))


def test_rows_become_lines() -> None:
    assert lines_of(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})) == ["1 x", "2 y"]
    assert lines_of(["a: 1", 3]) == ["a: 1", "3"]
    assert lines_of(np.array([0.5])) == ["0.5"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return a script that a process of the pool would have loaded."""
    made = SimpleNamespace(run=lambda part: part)
    monkeypatch.setitem(sys.modules, subject._SCRIPT, made)  # type: ignore[arg-type]
    return made


def test_items_without_a_result_have_failed(script: SimpleNamespace) -> None:
    script.run = lambda part: part[:2]

    result = call_script([1, 2, 3], 3, 5.0)

    assert (result.lines, result.n_failed, result.error) == (("1", "2"), 1, "")


def test_a_part_is_tried_again(script: SimpleNamespace) -> None:
    calls = []

    def run(part: list[int]) -> list[int]:
        calls.append(part)
        if len(calls) < 3:
            raise ValueError("not yet")
        return part

    script.run = run

    assert call_script([1], 3, 5.0).n_failed == 0
    calls.clear()
    result = call_script([1], 2, 5.0)
    assert (result.n_failed, result.error) == (1, "ValueError: not yet")


def test_a_call_that_takes_too_long_has_failed(script: SimpleNamespace) -> None:
    def run(_part: object) -> list[str]:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            pass
        return []

    script.run = run

    assert call_script([1, 2], 1, 0.05).error == "TimeoutError: it took longer than 0.05 s"


def test_options_of_the_script_are_its_own() -> None:
    options = parse(
        ["--entry_script", "s.py", "--inputs", "a,b", "--mini_batch_size", "1KB", "--", "--inputs"]
    )

    assert (options.inputs, options.mini_batch_size) == (["a", "b"], "1KB")
    assert options.script_arguments == ["--inputs"]
    assert options.output is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scripts"
    made.mkdir()
    (made / "score.py").write_text("def run(part):\n    return part\n")
    return made


def test_the_step_is_a_command_with_all_that_was_said(
    workspace: WorkspaceHandle, folder: Path
) -> None:
    environment = Environment("scoring")
    environment.environment_variables = {"A": "1"}
    model = PipelineData("model")
    config = ParallelRunConfig(
        environment=environment,
        entry_script="score.py",
        source_directory=str(folder),
        mini_batch_size=PipelineParameter("size", "1KB"),
        error_threshold=10,
        output_action="append_row",
        compute_target="local",
        node_count=2,
        process_count_per_node=2,
        append_row_file_name="scores.txt",
        environment_variables={"B": "2"},
    )
    step = ParallelRunStep(
        "score",
        config,
        inputs=[NAMED],
        output=PipelineData("scores"),
        side_inputs=[model.as_input("model")],
        arguments=["--model", model.as_input("model")],
        allow_reuse=False,
    )
    model.port.producer = step  # as if it came from somewhere

    words = [next(iter(word.values())) for word in step.arguments]

    assert words[:3] == ["python", "-m", "nbautoml.pipelines.mini_batches"]
    assert step.arguments[words.index("--mini_batch_size") + 1] == {"parameter": "size"}
    assert words[words.index("--inputs") + 1] == "rows"
    assert step.arguments[words.index("--output") + 1] == {"output": "scores"}
    assert step.arguments[-3:] == [{"text": "--"}, {"text": "--model"}, {"input": "model"}]
    settings = step.settings(workspace.session, None)
    assert settings["environment"]["environment_variables"] == {"A": "1", "B": "2"}
    assert environment.environment_variables == {"A": "1"}
    assert not step.allow_reuse


def test_the_folder_of_a_script_is_that_in_which_it_lies(
    workspace: WorkspaceHandle, folder: Path
) -> None:
    config = ParallelRunConfig(entry_script=str(folder / "score.py"))
    step = ParallelRunStep("score", config, [NAMED], OutputFileDatasetConfig("scores"))

    (frozen,) = Pipeline(workspace, step).freeze().steps

    assert frozen.settings["source_directory"] == str(folder)
    assert {"text": "score.py"} in frozen.arguments


def test_what_is_missing_is_told(workspace: WorkspaceHandle, folder: Path) -> None:
    config = ParallelRunConfig(entry_script="scor.py", source_directory=str(folder))

    with pytest.raises(ConfigError, match="needs inputs"):
        ParallelRunStep("score", config, [])
    with pytest.raises(ConfigError, match="needs an output"):
        ParallelRunStep("score", config, [NAMED])
    step = ParallelRunStep("score", config, [NAMED], PipelineData("scores"))
    with pytest.raises(NotFoundError, match=r"no file 'scor.py'"):
        Pipeline(workspace, step).freeze()


def test_settings_that_are_not_built_are_refused() -> None:
    with pytest.raises(ConfigError, match="'append_row' or 'summary_only'"):
        ParallelRunConfig(entry_script="s.py", output_action="rows")
    with pytest.raises(NotAvailableError, match="partition_keys"):
        ParallelRunConfig(entry_script="s.py", partition_keys=["a"])
