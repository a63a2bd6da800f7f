"""`PipelineRun`: a handle on a run of a pipeline: its steps, their outputs, its graph."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TextIO  # Any: whatever has .session

from nbautoml.domain.events import EventRecord, StatusChanged, StepChanged
from nbautoml.errors import NotFoundError, did_you_mean
from nbautoml.pipelines.frozen import FrozenPipeline
from nbautoml.pipelines.outputs import load_output
from nbautoml.pipelines.port_data import PortDataReference
from nbautoml.pipelines.published import PublishedPipeline, publish_frozen
from nbautoml.pipelines.reuse import STEP_NAME
from nbautoml.pipelines.step_run import StepRun, sdk_status
from nbautoml.pipelines.submission import PIPELINE_ID
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.types import PIPELINE_RUN

__all__ = ["PipelineRun"]

# Who shows a run at the end of a cell; by its name, because the front ends stand above this part.
_VIEW = ("nbautoml.widgets.run_details", "RunDetails")


class PipelineRun(Run):
    """A run that was started from a `Pipeline`.

    ``PipelineRun(experiment, run_id)`` opens an earlier one.
    """

    def _ipython_display_(self) -> None:
        """Show the live view, as ``RunDetails(run).show()`` does."""
        module, name = _VIEW
        getattr(importlib.import_module(module), name)(self).show()

    @classmethod
    def get(cls, workspace: Any, run_id: str) -> PipelineRun:
        """Return a pipeline's run by its id.

        Raises
        ------
        NotFoundError
            When the workspace has no run of that id, or it is no pipeline's.
        """
        with workspace.session.read() as tx:
            record = tx.runs.get(run_id)
        if record.type != PIPELINE_RUN:
            raise NotFoundError(f"Run {run_id} is no run of a pipeline; its type is {record.type}.")
        return cls(Experiment(workspace, record.experiment), run_id)

    @staticmethod
    def get_pipeline_runs(workspace: Any, pipeline_id: str) -> list[PipelineRun]:
        """Return the runs of a published pipeline, newest first."""
        with workspace.session.read() as tx:
            found = tx.runs.list(type=PIPELINE_RUN, properties={PIPELINE_ID: pipeline_id})
        return [PipelineRun(Experiment(workspace, r.experiment), r.id) for r in found]

    @property
    def status(self) -> str:
        """State of the run as the store has it, such as ``"Completed"``."""
        return self._record().status.value

    def get_status(self) -> str:
        """Return the state of the run; ``"Finished"`` when it has completed, as in the SDK."""
        return sdk_status(self._record().status)

    def get_graph(self) -> FrozenPipeline:
        """Return what is run: the steps, and the default values of parameters."""
        return FrozenPipeline.from_json(self._record().settings["pipeline"])

    def get_steps(self) -> Iterator[StepRun]:
        """Yield the runs of the steps that have begun, in the order of the steps.

        For a step whose result was taken from an earlier run it is that one.
        """
        for state in self.snapshot().steps:
            source = state.reused_from or state.run_id
            if source:
                yield self._step_run(source)

    def get_children(
        self,
        recursive: bool = False,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        type: str | None = None,  # noqa: A002 - the SDK's name
        status: str | None = None,
    ) -> Iterator[Run]:
        """Yield the runs below this one, as `Run.get_children` does; steps as `StepRun`.

        Steps whose results were taken from earlier runs are not below this one: see `get_steps`.
        """
        found = super().get_children(recursive, tags, properties, type, status)
        for run in found:
            yield self._step_run(run.id) if STEP_NAME in run.properties else run

    def find_step_run(self, name: str) -> list[StepRun]:
        """Return the runs of the steps of a name; none for a step that has not begun.

        Raises
        ------
        NotFoundError
            When the pipeline has no step of that name.
        """
        found = [state for state in self.snapshot().steps if state.step.name == name]
        if not found:
            names = self.get_graph().step_names
            raise NotFoundError(
                f"The pipeline has no step {name!r}.{did_you_mean(name, names)} "
                f"Steps: {', '.join(names)}."
            )
        sources = [state.reused_from or state.run_id for state in found]
        return [self._step_run(source) for source in sources if source]

    def get_pipeline_output(self, pipeline_output_name: str) -> PortDataReference:
        """Return an output of the pipeline.

        Parameters
        ----------
        pipeline_output_name : str
            Its ``pipeline_output_name``, or the name of the output of a step.

        Raises
        ------
        NotFoundError
            When the pipeline has no such output, or its step has not completed.
        """
        wanted = pipeline_output_name
        pairs = [(step, output) for step in self.get_graph().steps for output in step.outputs]
        found = [p for p in pairs if p[1].pipeline_output_name == wanted]
        found = found or [p for p in pairs if p[1].name == wanted]
        if not found:
            names = [output.pipeline_output_name or output.name for _, output in pairs]
            raise NotFoundError(
                f"The pipeline has no output {wanted!r}.{did_you_mean(wanted, names)} "
                f"Outputs: {', '.join(names) or 'none'}."
            )
        step, output = found[0]
        state = self.snapshot().steps[step.number]
        source = state.reused_from or state.run_id
        if not source or not state.status.is_terminal:
            raise NotFoundError(
                f"Step {step.name!r} has not written {wanted!r}: it is {state.status.value}."
            )
        return PortDataReference(self.session, load_output(self.session, source, output.name))

    def publish_pipeline(
        self,
        name: str,
        description: str,
        version: str,
        continue_on_step_failure: bool | None = None,
        **_azure: Any,
    ) -> PublishedPipeline:
        """Publish what this run is a run of, with the parameters' values that it had as defaults.

        Parameters
        ----------
        name, description, version : str
            What it is called, what it is for, and what you call this version.
        continue_on_step_failure : bool, optional
            As this run does when nothing is said.
        """
        settings = self._record().settings
        goes_on = continue_on_step_failure
        if goes_on is None:
            goes_on = bool(settings["continue_on_step_failure"])
        return publish_frozen(
            self.experiment.workspace,
            replace(self.get_graph(), parameters=settings["parameters"]),
            name=name,
            description=description,
            version=version,
            continue_on_step_failure=goes_on,
        )

    def wait_for_completion(  # type: ignore[override] # the SDK's PipelineRun returns its state
        self,
        show_output: bool = True,
        timeout_seconds: float = sys.maxsize,
        raise_on_error: bool = True,
    ) -> str:
        """Wait until the run ends, and return its state; an interrupt ends the waiting only.

        Parameters
        ----------
        show_output : bool, default True
            Whether to print how the steps come along.
        timeout_seconds : float
            How long to wait; the state after that time is returned.
        raise_on_error : bool, default True
            Whether a failed run raises.

        Returns
        -------
        str
            ``"Finished"``, ``"Failed"`` or ``"Canceled"``.

        Raises
        ------
        TrainingError
            When the run failed and `raise_on_error` is true.
        """
        self._wait(self._printer(sys.stdout) if show_output else None, timeout_seconds)
        self._raise_if_failed(raise_on_error)
        return self.get_status()

    def _printer(self, stream: TextIO) -> Callable[[EventRecord], None]:
        return partial(_show, stream)

    def _step_run(self, run_id: str) -> StepRun:
        with self.session.read() as tx:
            experiment = tx.runs.get(run_id).experiment
        return StepRun(Experiment(self.experiment.workspace, experiment), run_id, self.id)


def _show(stream: TextIO, record: EventRecord) -> None:
    """Print each change of a step's state, and of the run's."""
    if isinstance(event := record.event, StepChanged):
        stream.write(f"{event.name}: {event.status.value} {event.reason}".rstrip() + "\n")
    elif isinstance(event, StatusChanged):
        stream.write(f"{event.status.value} {event.reason}".rstrip() + "\n")
