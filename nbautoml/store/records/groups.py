"""All groups of records in one transaction."""

from __future__ import annotations

from nbautoml.store.records.api_tokens import (
    ApiTokenReads,
    ApiTokenWrites,
    SubmissionReads,
    SubmissionWrites,
)
from nbautoml.store.records.artifacts import ArtifactReads, ArtifactWrites
from nbautoml.store.records.computes import ComputeReads, ComputeWrites
from nbautoml.store.records.datasets import DatasetReads, DatasetWrites
from nbautoml.store.records.datastores import DatastoreReads, DatastoreWrites
from nbautoml.store.records.deployments import DeploymentReads, DeploymentWrites
from nbautoml.store.records.events import EventReads, EventWrites
from nbautoml.store.records.experiments import ExperimentReads, ExperimentWrites
from nbautoml.store.records.metrics import MetricReads, MetricWrites
from nbautoml.store.records.models import ModelReads, ModelWrites
from nbautoml.store.records.pipeline_endpoints import PipelineEndpointReads, PipelineEndpointWrites
from nbautoml.store.records.pipelines import (
    PublishedPipelineReads,
    PublishedPipelineWrites,
    StepResultReads,
    StepResultWrites,
)
from nbautoml.store.records.requests import RequestReads, RequestWrites
from nbautoml.store.records.runs import RunReads, RunWrites
from nbautoml.store.records.schedules import ScheduleReads, ScheduleWrites
from nbautoml.store.records.scope import Scope
from nbautoml.store.records.service_processes import ServiceProcessReads, ServiceProcessWrites


class Reader:
    """Reads one state of the workspace.

    Parameters
    ----------
    scope : Scope
        The transaction; what is read belongs together.
    """

    def __init__(self, scope: Scope) -> None:
        self.datastores = DatastoreReads(scope)
        self.datasets = DatasetReads(scope)
        self.computes = ComputeReads(scope)
        self.experiments = ExperimentReads(scope)
        self.runs = RunReads(scope)
        self.metrics = MetricReads(scope)
        self.events = EventReads(scope)
        self.requests = RequestReads(scope)
        self.artifacts = ArtifactReads(scope)
        self.models = ModelReads(scope)
        self.deployments = DeploymentReads(scope)
        self.published_pipelines = PublishedPipelineReads(scope)
        self.pipeline_endpoints = PipelineEndpointReads(scope)
        self.schedules = ScheduleReads(scope)
        self.step_results = StepResultReads(scope)
        self.api_tokens = ApiTokenReads(scope)
        self.submissions = SubmissionReads(scope)
        self.service_processes = ServiceProcessReads(scope)


class Writer:
    """Reads and writes in one transaction: all of it happens, or nothing.

    An error ends the transaction: let it leave the ``with`` block.

    Parameters
    ----------
    scope : Scope
        The transaction.
    """

    def __init__(self, scope: Scope) -> None:
        self.datastores = DatastoreWrites(scope)
        self.datasets = DatasetWrites(scope)
        self.computes = ComputeWrites(scope)
        self.experiments = ExperimentWrites(scope)
        self.runs = RunWrites(scope)
        self.metrics = MetricWrites(scope)
        self.events = EventWrites(scope)
        self.requests = RequestWrites(scope)
        self.artifacts = ArtifactWrites(scope)
        self.models = ModelWrites(scope)
        self.deployments = DeploymentWrites(scope)
        self.published_pipelines = PublishedPipelineWrites(scope)
        self.pipeline_endpoints = PipelineEndpointWrites(scope)
        self.schedules = ScheduleWrites(scope)
        self.step_results = StepResultWrites(scope)
        self.api_tokens = ApiTokenWrites(scope)
        self.submissions = SubmissionWrites(scope)
        self.service_processes = ServiceProcessWrites(scope)
