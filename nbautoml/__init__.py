"""AutoML that lives in the notebook: workspaces, datasets, live runs, models that stay yours.

The public names; each is imported when it is first used, so that ``import nbautoml`` stays light.

Examples
--------
>>> import nbautoml
>>> "Workspace" in dir(nbautoml)
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbautoml.automl.automl_run import AutoMLRun as AutoMLRun
    from nbautoml.automl.config import AutoMLConfig as AutoMLConfig
    from nbautoml.automl.explanation_client import ExplanationClient as ExplanationClient
    from nbautoml.automl.featurization_config import FeaturizationConfig as FeaturizationConfig
    from nbautoml.compute.clusters import AmlCompute as AmlCompute
    from nbautoml.compute.clusters import DaskCluster as DaskCluster
    from nbautoml.compute.elsewhere import GatewayCluster as GatewayCluster
    from nbautoml.compute.elsewhere import KubernetesCluster as KubernetesCluster
    from nbautoml.compute.elsewhere import RemoteCompute as RemoteCompute
    from nbautoml.compute.elsewhere import SlurmCluster as SlurmCluster
    from nbautoml.compute.elsewhere import SshCluster as SshCluster
    from nbautoml.compute.target import ComputeTarget as ComputeTarget
    from nbautoml.data.consumption import DatasetConsumptionConfig as DatasetConsumptionConfig
    from nbautoml.data.dataset import Dataset as Dataset
    from nbautoml.data.datastore import Datastore as Datastore
    from nbautoml.domain.metrics import get_primary_metrics as get_primary_metrics
    from nbautoml.engine.explain.what_if import what_if as what_if
    from nbautoml.pipelines.data import DataReference as DataReference
    from nbautoml.pipelines.data import OutputFileDatasetConfig as OutputFileDatasetConfig
    from nbautoml.pipelines.data import PipelineData as PipelineData
    from nbautoml.pipelines.data import TrainingOutput as TrainingOutput
    from nbautoml.pipelines.endpoint import PipelineEndpoint as PipelineEndpoint
    from nbautoml.pipelines.parameters import DataPathComputeBinding as DataPathComputeBinding
    from nbautoml.pipelines.parameters import PipelineParameter as PipelineParameter
    from nbautoml.pipelines.pipeline import Pipeline as Pipeline
    from nbautoml.pipelines.pipeline_run import PipelineRun as PipelineRun
    from nbautoml.pipelines.published import PublishedPipeline as PublishedPipeline
    from nbautoml.pipelines.recurrence import ScheduleRecurrence as ScheduleRecurrence
    from nbautoml.pipelines.schedule import Schedule as Schedule
    from nbautoml.pipelines.step_run import AutoMLStepRun as AutoMLStepRun
    from nbautoml.pipelines.step_run import StepRun as StepRun
    from nbautoml.pipelines.steps.automl import AutoMLStep as AutoMLStep
    from nbautoml.pipelines.steps.parallel_run import ParallelRunConfig as ParallelRunConfig
    from nbautoml.pipelines.steps.parallel_run import ParallelRunStep as ParallelRunStep
    from nbautoml.pipelines.steps.python_script import CommandStep as CommandStep
    from nbautoml.pipelines.steps.python_script import PythonScriptStep as PythonScriptStep
    from nbautoml.pipelines.steps.sequence import StepSequence as StepSequence
    from nbautoml.registry.model import Model as Model
    from nbautoml.registry.onnx.inference import OnnxConverter as OnnxConverter
    from nbautoml.registry.onnx.inference import OnnxInferenceHelper as OnnxInferenceHelper
    from nbautoml.runs.conda_dependencies import CondaDependencies as CondaDependencies
    from nbautoml.runs.environment import Environment as Environment
    from nbautoml.runs.experiment import Experiment as Experiment
    from nbautoml.runs.run import Run as Run
    from nbautoml.runs.run_configuration import RunConfiguration as RunConfiguration
    from nbautoml.runs.script import ScriptRunConfig as ScriptRunConfig
    from nbautoml.serving.configs import InferenceConfig as InferenceConfig
    from nbautoml.serving.webservice import AciWebservice as AciWebservice
    from nbautoml.serving.webservice import LocalWebservice as LocalWebservice
    from nbautoml.serving.webservice import Webservice as Webservice
    from nbautoml.widgets.charts import metric_charts as metric_charts
    from nbautoml.widgets.run_details import RunDetails as RunDetails
    from nbautoml.workspace.authentication import (
        InteractiveLoginAuthentication as InteractiveLoginAuthentication,
    )
    from nbautoml.workspace.authentication import (
        ServicePrincipalAuthentication as ServicePrincipalAuthentication,
    )
    from nbautoml.workspace.workspace import Workspace as Workspace

__version__ = "0.1.0"
VERSION = __version__

_HOMES = {
    "AciWebservice": "nbautoml.serving.webservice",
    "AmlCompute": "nbautoml.compute.clusters",
    "AutoMLConfig": "nbautoml.automl.config",
    "AutoMLRun": "nbautoml.automl.automl_run",
    "AutoMLStep": "nbautoml.pipelines.steps.automl",
    "AutoMLStepRun": "nbautoml.pipelines.step_run",
    "CommandStep": "nbautoml.pipelines.steps.python_script",
    "ComputeTarget": "nbautoml.compute.target",
    "CondaDependencies": "nbautoml.runs.conda_dependencies",
    "DaskCluster": "nbautoml.compute.clusters",
    "DataPathComputeBinding": "nbautoml.pipelines.parameters",
    "DataReference": "nbautoml.pipelines.data",
    "Dataset": "nbautoml.data.dataset",
    "DatasetConsumptionConfig": "nbautoml.data.consumption",
    "Datastore": "nbautoml.data.datastore",
    "Environment": "nbautoml.runs.environment",
    "Experiment": "nbautoml.runs.experiment",
    "ExplanationClient": "nbautoml.automl.explanation_client",
    "FeaturizationConfig": "nbautoml.automl.featurization_config",
    "GatewayCluster": "nbautoml.compute.elsewhere",
    "InferenceConfig": "nbautoml.serving.configs",
    "InteractiveLoginAuthentication": "nbautoml.workspace.authentication",
    "KubernetesCluster": "nbautoml.compute.elsewhere",
    "LocalWebservice": "nbautoml.serving.webservice",
    "Model": "nbautoml.registry.model",
    "OnnxConverter": "nbautoml.registry.onnx.inference",
    "OnnxInferenceHelper": "nbautoml.registry.onnx.inference",
    "OutputFileDatasetConfig": "nbautoml.pipelines.data",
    "ParallelRunConfig": "nbautoml.pipelines.steps.parallel_run",
    "ParallelRunStep": "nbautoml.pipelines.steps.parallel_run",
    "Pipeline": "nbautoml.pipelines.pipeline",
    "PipelineData": "nbautoml.pipelines.data",
    "PipelineEndpoint": "nbautoml.pipelines.endpoint",
    "PipelineParameter": "nbautoml.pipelines.parameters",
    "PipelineRun": "nbautoml.pipelines.pipeline_run",
    "PublishedPipeline": "nbautoml.pipelines.published",
    "PythonScriptStep": "nbautoml.pipelines.steps.python_script",
    "RemoteCompute": "nbautoml.compute.elsewhere",
    "Run": "nbautoml.runs.run",
    "RunConfiguration": "nbautoml.runs.run_configuration",
    "RunDetails": "nbautoml.widgets.run_details",
    "Schedule": "nbautoml.pipelines.schedule",
    "ScheduleRecurrence": "nbautoml.pipelines.recurrence",
    "ScriptRunConfig": "nbautoml.runs.script",
    "ServicePrincipalAuthentication": "nbautoml.workspace.authentication",
    "SlurmCluster": "nbautoml.compute.elsewhere",
    "SshCluster": "nbautoml.compute.elsewhere",
    "StepRun": "nbautoml.pipelines.step_run",
    "StepSequence": "nbautoml.pipelines.steps.sequence",
    "TrainingOutput": "nbautoml.pipelines.data",
    "Webservice": "nbautoml.serving.webservice",
    "Workspace": "nbautoml.workspace.workspace",
    "get_primary_metrics": "nbautoml.domain.metrics",
    "metric_charts": "nbautoml.widgets.charts",
    "what_if": "nbautoml.engine.explain.what_if",
}

__all__ = ["VERSION", *sorted(_HOMES)]  # noqa: PLE0604 - the names of _HOMES are strings


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'nbautoml' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Register ``%automl`` and ``%%automl`` (called by ``%load_ext nbautoml``)."""
    importlib.import_module("nbautoml.magics").load_ipython_extension(ip)
