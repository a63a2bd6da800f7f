"""What all kinds of steps have: a name, inputs, outputs, arguments, and steps before them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, ClassVar  # Any: arguments of a script are values of many kinds

from nbautoml.errors import ConfigError
from nbautoml.pipelines.inputs import accept_input
from nbautoml.pipelines.parameters import PipelineParameter
from nbautoml.pipelines.ports import OutputPort, StepInput
from nbautoml.store.session import Session


class PipelineStep(ABC):
    """A step of a pipeline.

    Parameters
    ----------
    name : str
        Its name, unique in the pipeline.
    inputs, outputs : sequence
        What it reads and writes.
    arguments : sequence, optional
        Its arguments; data among them are inputs, or outputs, of the step.
    params : mapping, optional
        Values that it finds in its environment.
    allow_reuse : bool, default True
        Whether results of an earlier run of the same work may be taken.
    version : str, optional
        A text that counts as part of the step: another one and nothing earlier is reused.

    Raises
    ------
    ConfigError
        When one of them is nothing that a step can read, write or be told.
    """

    kind: ClassVar[str]
    """What its run is: ``"script"`` or ``"automl"``."""

    def __init__(
        self,
        name: str,
        inputs: Iterable[Any] | None,
        outputs: Iterable[Any] | None,
        arguments: Sequence[Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"name of {type(self).__name__} must be a text; got {name!r}.")
        self.name = name
        self.allow_reuse = bool(allow_reuse)
        self.version = "" if version is None else str(version)
        self.problems: list[str] = []
        self.inputs: list[StepInput] = []
        self.outputs: list[OutputPort] = []
        self.parameters: list[PipelineParameter] = []
        self.before: list[PipelineStep] = []
        for given in outputs or ():
            self._add_output(given)
        for given in inputs or ():
            self._add_input(accept_input(given, f"input_{len(self.inputs) + 1}"))
        self.arguments = [self._template(value) for value in arguments or ()]
        self.params = {key: self._template(value) for key, value in (params or {}).items()}

    @abstractmethod
    def settings(self, session: Session, default_source: PurePath | None) -> dict[str, Any]:
        """Return what it does, as JSON with nothing left to be found out but parameters.

        Parameters
        ----------
        session : Session
            The open store: what the step needs is kept in it.
        default_source : pathlib.PurePath or None
            The pipeline's folder of scripts.
        """

    @property
    def compute(self) -> Any:
        """The compute target that was asked for, or its name; None for ``local``."""
        return None

    def run_after(self, step: PipelineStep) -> None:
        """Let this step begin only when another one has completed."""
        if not isinstance(step, PipelineStep):
            raise ConfigError(f"run_after takes a step; got {type(step).__name__}.")
        self.before.append(step)

    def _add_output(self, given: Any) -> OutputPort:
        found = getattr(given, "as_step_output", None)
        if found is None:
            raise ConfigError(
                f"outputs of step {self.name!r} must be PipelineData or OutputFileDatasetConfig; "
                f"got {type(given).__name__}."
            )
        port: OutputPort = found()
        if port not in self.outputs:
            port.name = port.name or f"output_{len(self.outputs) + 1}"
            if port.name in {other.name for other in self.outputs}:
                self.problems.append(f"Step {self.name!r} has two outputs called {port.name!r}.")
            self.outputs.append(port)
            port.producer = self
        return port

    def _add_input(self, found: StepInput) -> str:
        """Add an input unless it is there; return its name."""
        for known in self.inputs:
            if known.name == found.name:
                if known.source != found.source:
                    text = f"Step {self.name!r} has two inputs called {found.name!r}."
                    self.problems.append(f"{text} Name one with as_input(name) or as_named_input.")
                return known.name
        self.inputs.append(found)
        self.parameters += found.parameters
        return found.name

    def _template(self, value: Any) -> dict[str, Any]:
        """Return an argument as JSON: a text, or what takes its place when the step begins."""
        if isinstance(value, PipelineParameter):
            self.parameters.append(value)
            return {"parameter": value.name}
        if isinstance(value, str | int | float | PurePath):
            return {"text": str(value)}
        port = value.as_step_output() if hasattr(value, "as_step_output") else None
        if port is not None:
            return self._port_template(value, port)
        return {"input": self._add_input(accept_input(value, f"input_{len(self.inputs) + 1}"))}

    def _port_template(self, value: Any, port: OutputPort) -> dict[str, Any]:
        if port in self.outputs:
            return {"output": port.name}
        for known in self.inputs:
            if known.source.port is port:
                return {"input": known.name}
        if not hasattr(value, "as_step_input"):  # OutputFileDatasetConfig is an output by itself
            return {"output": self._add_output(value).name}
        self.problems.append(
            f"Step {self.name!r} has the argument {value!r}, which is neither among its inputs nor "
            "among its outputs. Add it there."
        )
        return {"text": port.name}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"
