"""Which class users get for a type of run, and which work its controller does.

Both are named here as text, so that nothing above this layer is imported until it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbautoml.domain.catalog import Catalog

if TYPE_CHECKING:
    from nbautoml.runs.run import Run
    from nbautoml.runs.work import Work

SCRIPT_RUN = "azureml.scriptrun"
"""Type of a run of a script, as the SDK calls it."""
INTERACTIVE = "interactive"
"""Type of a run that a notebook or a program logs by hand."""
PIPELINE_RUN = "azureml.PipelineRun"
"""Type of a pipeline's run, as the SDK calls it; its steps are its children."""
STEP_RUN = "azureml.StepRun"
"""Type of the run of a pipeline's script."""
SCRIPTS = frozenset({SCRIPT_RUN, STEP_RUN})
"""Types of runs that are over when their script is."""
BY_HAND = SCRIPTS | {INTERACTIVE}
"""Types of runs whose metrics people log themselves."""

RUN_CLASSES: Catalog[type[Run]] = Catalog(
    "run type",
    {
        "automl": "nbautoml.automl.automl_run:AutoMLRun",
        "automl.child": "nbautoml.automl.child_run:ChildRun",
        "automl.model_explain": "nbautoml.automl.explain_run:ExplainRun",
        "automl.model_test": "nbautoml.runs.run:Run",
        SCRIPT_RUN: "nbautoml.runs.run:Run",
        INTERACTIVE: "nbautoml.runs.run:Run",
        PIPELINE_RUN: "nbautoml.pipelines.pipeline_run:PipelineRun",
        STEP_RUN: "nbautoml.pipelines.step_run:StepRun",
    },
    "nbautoml.run_classes",
)

WORKS: Catalog[type[Work]] = Catalog(
    "kind of work",
    {
        "automl": "nbautoml.automl.driver:AutoMLWork",
        "automl.model_explain": "nbautoml.automl.explain_run:ModelExplainWork",
        "automl.model_test": "nbautoml.automl.model_test:ModelTestWork",
        SCRIPT_RUN: "nbautoml.runs.script_work:ScriptWork",
        PIPELINE_RUN: "nbautoml.pipelines.coordinator:PipelineWork",
        STEP_RUN: "nbautoml.pipelines.step_work:StepWork",
    },
    "nbautoml.works",
)
