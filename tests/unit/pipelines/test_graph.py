"""Steps become a graph: what each reads and writes, what waits for what, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nbautoml.data.consumption import DatasetConsumptionConfig
from nbautoml.data.datastore import Datastore
from nbautoml.data.tabular import from_frame
from nbautoml.errors import ConfigError, NotAvailableError
from nbautoml.pipelines.data import (
    DataReference,
    OutputFileDatasetConfig,
    PipelineData,
    TrainingOutput,
)
from nbautoml.pipelines.graph import build_graph, problems_of
from nbautoml.pipelines.parameters import DataPathComputeBinding, PipelineParameter
from nbautoml.pipelines.steps.python_script import CommandStep, PythonScriptStep
from nbautoml.pipelines.steps.sequence import StepSequence
from nbautoml.runs.workspace_handle import WorkspaceHandle

Pair = tuple[PythonScriptStep, PythonScriptStep]


def named(name: str) -> PythonScriptStep:
    return PythonScriptStep("s.py", name=name)


def test_a_step_waits_for_the_one_whose_output_it_reads(steps: Pair) -> None:
    make, use = steps

    graph = build_graph([use, make])

    assert [step.name for step in graph.steps] == ["use.py", "make.py"]
    assert graph.after == ((1,), ())
    assert problems_of(graph) == []


def test_steps_that_are_needed_are_found(steps: Pair) -> None:
    make, use = steps
    after = named("after")
    after.run_after(use)

    graph = build_graph(after)

    assert graph.steps == (make, use, after)
    assert graph.after == ((), (0,), (1,))


def test_steps_that_are_found_are_in_the_order_of_what_is_read() -> None:
    data = [PipelineData(name) for name in "abc"]
    makers = [PythonScriptStep("m.py", name=d.name, outputs=[d]) for d in data]
    use = PythonScriptStep("s.py", inputs=data)

    assert build_graph(use).steps == (*makers, use)


def test_a_list_says_nothing_of_the_order() -> None:
    graph = build_graph([named("a"), [named("b"), named("c")]])

    assert graph.after == ((), (), ())


def test_a_sequence_is_an_order_of_steps_and_of_lists_of_steps() -> None:
    graph = build_graph(StepSequence([named("a"), [named("b"), named("c")], named("d")]))

    assert graph.after == ((), (0,), (0,), (1, 2))


def test_steps_that_wait_for_each_other_are_told() -> None:
    a, b = named("a"), named("b")
    a.run_after(b)
    b.run_after(a)

    (problem,) = problems_of(build_graph([a, b]))

    assert problem.startswith("Steps wait for each other: ")
    assert "'a' -> " in problem or "'b' -> " in problem


def test_names_used_twice_are_told() -> None:
    assert problems_of(build_graph([named("a"), named("a")])) == [
        "Two steps are called 'a'; give one another name."
    ]


def test_an_input_that_nobody_makes_is_told() -> None:
    rows = PipelineData("rows")
    step = PythonScriptStep("s.py", arguments=[rows], inputs=[rows])

    (problem,) = problems_of(build_graph([step]))

    assert problem.startswith("Step 's.py' reads 'rows', which no step writes.")


def test_an_argument_that_is_neither_input_nor_output_is_told() -> None:
    step = PythonScriptStep("s.py", arguments=["--in", PipelineData("rows")])

    (problem,) = problems_of(build_graph([step]))

    assert "neither among its inputs nor among its outputs" in problem


def test_an_output_of_two_steps_is_told() -> None:
    rows = PipelineData("rows")
    steps = [PythonScriptStep("s.py", name=name, outputs=[rows]) for name in "ab"]

    assert problems_of(build_graph(steps)) == ["Steps 'a' and 'b' both write 'rows'."]


def test_a_step_that_is_made_again_takes_the_place_of_the_first() -> None:
    """As when a cell of a notebook is run a second time."""
    rows = PipelineData("rows")
    PythonScriptStep("m.py", outputs=[rows])
    use = PythonScriptStep("s.py", inputs=[rows])
    make = PythonScriptStep("m.py", outputs=[rows])

    graph = build_graph(use)

    assert graph.steps == (make, use)
    assert problems_of(graph) == []


def test_a_step_of_the_pipeline_comes_before_one_that_is_not_in_it() -> None:
    rows = PipelineData("rows")
    first = PythonScriptStep("m.py", outputs=[rows])
    use = PythonScriptStep("s.py", inputs=[rows])
    PythonScriptStep("other.py", outputs=[rows])

    assert build_graph([first, use]).steps == (first, use)


def test_the_last_word_on_a_name_of_a_dataset_counts() -> None:
    output = OutputFileDatasetConfig("rows")
    output.register_on_complete("clean", description="old")
    output.register_on_complete("clean", description="new")

    assert [wanted.description for wanted, _ in output.port.register_as] == ["new"]


def test_two_inputs_of_one_name_are_told() -> None:
    first, second = (PipelineData("rows", output_name=name) for name in ("one", "two"))
    make = PythonScriptStep("m.py", outputs=[first, second])
    use = PythonScriptStep("s.py", inputs=[first, second])

    problems = problems_of(build_graph([make, use]))

    assert problems[0].startswith("Step 's.py' has two inputs called 'rows'.")


def test_two_default_values_of_one_parameter_are_told() -> None:
    values = [PipelineParameter("rate", 0.1), PipelineParameter("rate", 0.2)]
    steps = [PythonScriptStep("s.py", name=str(v), arguments=[v]) for v in values]

    (problem,) = problems_of(build_graph(steps))

    assert problem == "Parameter 'rate' has two default values: 0.1 and 0.2."


def test_one_name_of_two_outputs_of_the_pipeline_is_told() -> None:
    outputs = [PipelineData(name, pipeline_output_name="all") for name in "ab"]

    (problem,) = problems_of(build_graph([PythonScriptStep("s.py", outputs=outputs)]))

    assert problem == "2 outputs have the pipeline_output_name 'all'; it names one."


def test_what_is_no_step_is_refused() -> None:
    with pytest.raises(ConfigError, match="got str"):
        build_graph([named("a"), "b"])
    with pytest.raises(ConfigError, match="needs a step"):
        build_graph([])


def test_arguments_become_texts_and_names(steps: Pair) -> None:
    make, use = steps

    assert make.arguments == [{"text": "--out"}, {"output": "rows"}]
    assert use.arguments == [{"text": "--in"}, {"input": "rows"}]


def test_an_output_config_among_the_arguments_is_an_output() -> None:
    folder = OutputFileDatasetConfig("prepared")
    make = PythonScriptStep("m.py", arguments=["--out", folder.as_upload(overwrite=True)])
    use = PythonScriptStep("s.py", arguments=["--in", folder.as_input("rows")])

    graph = build_graph([make, use])

    assert make.arguments == [{"text": "--out"}, {"output": "prepared"}]
    assert make.outputs[0].is_directory
    assert use.arguments == [{"text": "--in"}, {"input": "rows"}]
    assert graph.after == ((), (0,))


def test_an_output_is_read_as_a_table() -> None:
    rows = PipelineData("rows")
    make = PythonScriptStep("m.py", outputs=[rows])
    table = rows.as_dataset().parse_delimited_files(separator=";").keep_columns(["a"])
    use = PythonScriptStep("s.py", inputs=[table.as_named_input("clean")])

    (found,) = use.inputs

    assert found.name == "clean"
    assert found.source.port is make.outputs[0]
    assert found.table is not None
    assert found.table.options["separator"] == ";"
    assert found.table.sources == ()
    assert [step.kind for step in found.table.steps] == ["keep"]


def test_both_parts_of_a_split_are_the_same_at_each_making() -> None:
    data = OutputFileDatasetConfig("rows")
    keys = [
        [part.as_step_input().table for part in data.read_parquet_files().random_split(0.8)]
        for _ in range(2)
    ]

    assert keys[0] == keys[1]
    assert keys[0][0] != keys[0][1]


def test_a_dataset_is_an_input_under_its_name() -> None:
    dataset = from_frame(pd.DataFrame({"a": [1]}))
    step = PythonScriptStep(
        "s.py", arguments=["--rows", dataset.as_named_input("raw")], inputs=[dataset]
    )

    assert [given.name for given in step.inputs] == ["input_1", "raw"]
    assert step.arguments[1] == {"input": "raw"}
    assert isinstance(dataset.as_named_input("raw"), DatasetConsumptionConfig)


def test_a_path_that_is_a_parameter_is_an_input(workspace: WorkspaceHandle) -> None:
    path = Datastore.get_default(workspace).path("raw.csv")
    parameter = PipelineParameter("raw", default_value=path)
    pair = (parameter, DataPathComputeBinding(mode="download"))
    step = PythonScriptStep("s.py", arguments=["--raw", pair], inputs=[pair])

    (found,) = step.inputs

    assert found.name == "raw"
    assert found.is_copy
    assert build_graph([step]).parameters == {"raw": parameter}


def test_a_data_reference_is_an_input(workspace: WorkspaceHandle) -> None:
    store = Datastore.get_default(workspace)
    reference = DataReference(store, "raw", "raw/data.csv").as_download()
    step = PythonScriptStep("s.py", arguments=[reference], inputs=[reference])

    assert step.arguments == [{"input": "raw"}]
    assert step.inputs[0].is_copy


def test_a_plain_parameter_is_no_input() -> None:
    with pytest.raises(ConfigError, match="is an argument, not an input"):
        PythonScriptStep("s.py", inputs=[PipelineParameter("rate", 0.1)])


@pytest.mark.parametrize("value", [object(), 1.5, ("a", "b")])
def test_what_cannot_be_read_is_refused(value: object) -> None:
    with pytest.raises(ConfigError):
        PythonScriptStep("s.py", inputs=[value])


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ConfigError, match="outputs of step 's.py' must be PipelineData"):
        PythonScriptStep("s.py", outputs=["rows"])


def test_words_of_a_command_may_be_data() -> None:
    rows = PipelineData("rows")
    step = CommandStep(["cp", "a.csv", rows], outputs=[rows])

    assert step.name == "cp"
    assert step.arguments == [{"text": "cp"}, {"text": "a.csv"}, {"output": "rows"}]


@pytest.mark.parametrize("name", ["", "a b", "../a", 3])
def test_names_of_data_that_cannot_be_used_are_refused(name: object) -> None:
    with pytest.raises(ConfigError, match="name of PipelineData"):
        PipelineData(name)  # type: ignore[arg-type]


def test_only_the_metrics_and_the_model_of_a_training_are_outputs() -> None:
    with pytest.raises(ConfigError, match="'Metrics' or 'Model'"):
        TrainingOutput("Logs")
    with pytest.raises(NotAvailableError):
        TrainingOutput("Model", iteration=3)


def test_a_destination_is_a_place_in_a_datastore(workspace: WorkspaceHandle) -> None:
    store = Datastore.get_default(workspace)

    port = OutputFileDatasetConfig("a", destination=(store, "clean/{run-id}")).port

    assert (port.datastore, port.path) == (store.name, "clean/{run-id}")
    with pytest.raises(ConfigError, match="destination"):
        OutputFileDatasetConfig("a", destination="clean")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="leads out"):
        OutputFileDatasetConfig("a", destination=(store, "../clean"))


def test_the_name_of_a_script_is_that_of_its_file(source: Path) -> None:
    assert PythonScriptStep("deep/make.py", source_directory=source).name == "make.py"
