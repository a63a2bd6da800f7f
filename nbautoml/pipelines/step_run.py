"""`StepRun`: a handle on the run of one step of a pipeline."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any  # Any: details are JSON values

from nbautoml.domain.events import OutputWritten
from nbautoml.domain.status import FINISHED, RunStatus
from nbautoml.pipelines.outputs import load_output, load_outputs
from nbautoml.pipelines.port_data import PortDataReference
from nbautoml.runs import details
from nbautoml.runs.run import Run
from nbautoml.runs.script_work import OUTPUT

if TYPE_CHECKING:
    from nbautoml.runs.experiment import Experiment

__all__ = ["AutoMLStepRun", "StepRun", "StepRunOutput"]


class StepRunOutput:
    """An output of a step's run, under its name.

    Parameters
    ----------
    step_run : StepRun
        The run.
    name : str
        Name of the output.
    """

    def __init__(self, step_run: StepRun, name: str) -> None:
        self._step_run = step_run
        self.name = name

    def get_port_data_reference(self) -> PortDataReference:
        """Return what the step wrote."""
        return self._step_run.get_output_data(self.name)

    def __repr__(self) -> str:
        return f"StepRunOutput(name={self.name!r})"


class StepRun(Run):
    """The run of a step: of a script, or an AutoML run seen as a step.

    Parameters
    ----------
    experiment : Experiment
        The experiment it belongs to.
    step_run_id : str
        Its id.
    pipeline_run_id : str, optional
        The pipeline's run that it is a step of: another than its parent where its result was
        taken; its parent by default.
    node_id : str, optional
        The SDK's argument, of no use here.

    Raises
    ------
    NotFoundError
        When the workspace has no run of that id.
    """

    def __init__(
        self,
        experiment: Experiment,
        step_run_id: str,
        pipeline_run_id: str | None = None,
        node_id: object = None,
        **_azure: Any,
    ) -> None:
        super().__init__(experiment, step_run_id)
        self._pipeline_run_id = pipeline_run_id

    @property
    def name(self) -> str:
        """Name of the step."""
        return self.display_name

    @property
    def pipeline_run_id(self) -> str:
        """Id of the pipeline's run."""
        return self._pipeline_run_id or self._record().parent_id or ""

    @property
    def is_reused(self) -> bool:
        """Whether this is an earlier run whose result the pipeline's run has taken."""
        return self.pipeline_run_id != self._record().parent_id

    @property
    def status(self) -> str:
        """State of the run as the store has it, such as ``"Completed"``."""
        return self._record().status.value

    def get_status(self) -> str:
        """Return the state of the run; ``"Finished"`` when it has completed, as in the SDK."""
        return sdk_status(self._record().status)

    def get_outputs(self) -> dict[str, StepRunOutput]:
        """Return the outputs by name; none before the step has completed."""
        return {name: StepRunOutput(self, name) for name in load_outputs(self.session, self.id)}

    def get_output(self, name: str) -> StepRunOutput:
        """Return one output.

        Raises
        ------
        NotFoundError
            When the run has none of that name.
        """
        load_output(self.session, self.id, name)
        return StepRunOutput(self, name)

    def get_output_data(self, name: str) -> PortDataReference:
        """Return what the step wrote into an output.

        Raises
        ------
        NotFoundError
            When the run has none of that name.
        """
        return PortDataReference(self.session, load_output(self.session, self.id, name))

    def get_stdout_log(self) -> str:
        """Return what the script wrote to both of its streams, so far."""
        if OUTPUT in self.get_file_names():
            path = self.session.load_artifact(self.id, OUTPUT)
            return path.read_text(encoding="utf-8", errors="replace")
        with self.session.read() as tx:
            events = [record.event for record in tx.events.read(self.id)]
        return "".join(f"{e.text}\n" for e in events if isinstance(e, OutputWritten))

    def get_stderr_log(self) -> str:
        """Return the same as `get_stdout_log`: both streams are kept in one file."""
        return self.get_stdout_log()

    def get_job_log(self) -> str:
        """Return the same as `get_stdout_log`."""
        return self.get_stdout_log()

    def get_details_with_logs(self) -> dict[str, Any]:
        """Return the details, with the text of each log in place of its address."""
        found = details.run_details(self.session, self._record())
        found["logFiles"] = {
            name: self.session.load_artifact(self.id, name).read_text(errors="replace")
            for name in found["logFiles"]
        }
        return found

    def wait_for_completion(  # type: ignore[override] # the SDK's StepRun returns its state
        self,
        show_output: bool = True,
        timeout_seconds: float = sys.maxsize,
        raise_on_error: bool = True,
    ) -> str:
        """Wait until the run ends, and return its state; an interrupt ends the waiting only.

        Parameters
        ----------
        show_output : bool, default True
            Whether to print what the script writes.
        timeout_seconds : float
            How long to wait; the state after that time is returned.
        raise_on_error : bool, default True
            Whether a failed run raises.

        Raises
        ------
        TrainingError
            When the run failed and `raise_on_error` is true.
        """
        self._wait(self._printer(sys.stdout) if show_output else None, timeout_seconds)
        self._raise_if_failed(raise_on_error)
        return self.get_status()


class AutoMLStepRun(StepRun):
    """The run of an AutoML step, for those outputs of it that were not asked for by name.

    Parameters
    ----------
    step_run : StepRun
        The step's run, from `PipelineRun.find_step_run`.
    """

    def __init__(self, step_run: StepRun, **_azure: Any) -> None:
        super().__init__(step_run.experiment, step_run.id, step_run.pipeline_run_id)

    def get_default_metrics_output(self) -> StepRunOutput:
        """Return the metrics of all models, as JSON.

        Raises
        ------
        NotFoundError
            When the step was made with ``enable_default_metrics_output=False``.
        """
        return self.get_output(f"default_metrics_{self.name}")

    def get_default_model_output(self) -> StepRunOutput:
        """Return the best model, as a file.

        Raises
        ------
        NotFoundError
            When the step was made with ``enable_default_model_output=False``.
        """
        return self.get_output(f"default_model_{self.name}")


def sdk_status(status: RunStatus) -> str:
    """Return the SDK's word for the state of a pipeline's run, or of a step's.

    Examples
    --------
    >>> sdk_status(RunStatus.COMPLETED), sdk_status(RunStatus.FAILED)
    ('Finished', 'Failed')
    """
    return FINISHED if status is RunStatus.COMPLETED else status.value
