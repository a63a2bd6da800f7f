"""What steps write and read, as the graph sees it: ports, and inputs that refer to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol  # Any: JSON values

from nbautoml.data.definition import Definition
from nbautoml.errors import ConfigError
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.pipelines.steps._base import PipelineStep

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A dataset that an output becomes when its step has completed."""

    name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class OutputPort:
    """Something that one step writes; every object that refers to it holds this same one.

    Parameters
    ----------
    name : str
        Its name among the outputs of its step.
    datastore : str or None
        Where it is kept; None for the pipeline's default.
    path : str or None
        Its folder there; None for a folder of the step's run.
    is_directory : bool
        Whether the folder is made before the step begins.
    pipeline_output_name : str
        Its name among the outputs of the pipeline; empty when it is none.
    training : str
        What an AutoML step writes into it: ``"Metrics"``, ``"Model"``; empty for scripts.
    register_as : tuple
        Datasets that it becomes, each with how it is read (None: by the names of its files).
    producer : PipelineStep or None
        The step that was made last to write it: a cell that is run again makes its step again.
    """

    name: str
    datastore: str | None = None
    path: str | None = None
    is_directory: bool = False
    pipeline_output_name: str = ""
    training: str = ""
    register_as: tuple[tuple[Registration, Definition | None], ...] = ()
    producer: PipelineStep | None = None

    def register(self, wanted: Registration, table: Definition | None) -> None:
        """Let it become a dataset when its step has completed; the last word on a name counts."""
        others = tuple(pair for pair in self.register_as if pair[0].name != wanted.name)
        self.register_as = (*others, (wanted, table))


class Source(Protocol):
    """Where the data of an input come from."""

    @property
    def port(self) -> OutputPort | None:
        """The output that it is, None for data that are there before the pipeline."""

    def freeze(self, session: Session, makers: Mapping[OutputPort, int]) -> dict[str, Any]:
        """Return it as JSON.

        Parameters
        ----------
        session : Session
            The open store.
        makers : mapping of OutputPort to int
            Number of the step that writes an output.
        """


@dataclass(frozen=True, slots=True)
class FromOutput:
    """Data that another step of the pipeline writes."""

    port: OutputPort

    def freeze(self, session: Session, makers: Mapping[OutputPort, int]) -> dict[str, Any]:
        """Return number of the step and name of the output."""
        return {"kind": "output", "step": makers[self.port], "output": self.port.name}


@dataclass(frozen=True, slots=True)
class FromPath:
    """A path in a datastore."""

    datastore: str
    path: str
    port: None = None

    def freeze(self, session: Session, makers: Mapping[OutputPort, int]) -> dict[str, Any]:
        """Return datastore and path."""
        return {"kind": "path", "datastore": self.datastore, "path": self.path}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInput:
    """Data that a step reads, under a name.

    Parameters
    ----------
    name : str
        Its name among the inputs of the step.
    source : Source
        Where the data come from.
    table : Definition or None
        How they are read where the step gets a dataset; None where it gets a path, or where the
        source is a dataset.
    is_copy : bool
        Whether the step gets a copy of the files that it may change.
    parameters : tuple of PipelineParameter
        Parameters that it is made of.
    """

    name: str
    source: Source
    table: Definition | None = None
    is_copy: bool = False
    parameters: tuple[Any, ...] = ()

    def freeze(self, session: Session, makers: Mapping[OutputPort, int]) -> dict[str, Any]:
        """Return the input as JSON."""
        return {
            "name": self.name,
            "source": self.source.freeze(session, makers),
            "table": None if self.table is None else self.table.to_dict(),
            "is_copy": self.is_copy,
        }


class StepData(Protocol):
    """An object that a step may read: it knows which input it is."""

    def as_step_input(self) -> StepInput:
        """Return the input."""


def check_port_name(name: object, of: str) -> str:
    """Return the name of an input or output if it can be one.

    Raises
    ------
    ConfigError
        When it has other signs than letters, digits, ``_``, ``-`` and ``.``.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            f"name of {of} must be made of letters, digits, '_', '-' and '.'; got {name!r}."
        )
    return name
