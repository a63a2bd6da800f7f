"""The work of a step that is a script: its data get paths before, and are kept after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: settings are JSON values

from nbautoml.domain.events import LogWritten
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NbAutoMLError
from nbautoml.pipelines.data import variable_of
from nbautoml.pipelines.frozen import FrozenOutput
from nbautoml.pipelines.outputs import (
    KeptOutput,
    datastore_of,
    fetch,
    keep_output,
    load_output,
    local_path,
    remove_leftovers,
    save_outputs,
)
from nbautoml.pipelines.registering import register_outputs
from nbautoml.pipelines.tables import capture_table
from nbautoml.runs.inputs import INPUT_DATASETS
from nbautoml.runs.script_work import ScriptWork
from nbautoml.runs.work import Ending, WorkContext

PARAMETER_PREFIX = "AML_PARAMETER_"
"""Beginning of the environment variables that hold ``params`` of a step: the SDK's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An input as the script gets it: the text of its argument, and which of the two it is."""

    text: str
    is_dataset: bool


class StepWork(ScriptWork):
    """Runs the script of one step; made in the step's controller process.

    Parameters
    ----------
    context : WorkContext
        The step's run.
    """

    def __init__(self, context: WorkContext) -> None:
        super().__init__(context)
        step = context.run.settings["step"]
        self._inputs: tuple[Mapping[str, Any], ...] = tuple(step["inputs"])
        self._outputs = tuple(FrozenOutput(**output) for output in step["outputs"])
        self._arguments: tuple[Mapping[str, str], ...] = tuple(step["arguments"])
        self._params: Mapping[str, str] = step["params"]
        self._arrived: dict[str, Arrived] = {}
        self._written = context.scratch / "outputs"

    def run(self) -> Ending:
        """Run the script; a run whose process was lost leaves no outputs."""
        if self._context.is_resumed:
            remove_leftovers(self._context.session, self._context.run.id, self._outputs)
        return super().run()

    def _prepare(self) -> None:
        super()._prepare()
        self._arrived = {str(given["name"]): self._arrive(given) for given in self._inputs}
        self._tell_inputs()
        self._written.mkdir(exist_ok=True)
        for output in self._outputs:
            if output.is_directory:
                self._path_of(output).mkdir(exist_ok=True)
        words = [self._argument(argument) for argument in self._arguments]
        is_line = isinstance(self._settings["command"], str)
        self._settings = {**self._settings, "command": " ".join(words) if is_line else words}

    def _arrive(self, given: Mapping[str, Any]) -> Arrived:
        """Fetch an input; return what the script is told of it."""
        session, source, table = self._context.session, given["source"], given["table"]
        if source["kind"] == "dataset":
            return Arrived(text=source["dataset"], is_dataset=True)
        scratch = self._context.scratch / "inputs" / str(given["name"])
        is_copy = bool(given["is_copy"])
        if source["kind"] == "path":
            datastore = datastore_of(session, source["datastore"])
            path = fetch(datastore, source["path"], scratch, is_copy=is_copy)
            return Arrived(text=str(path), is_dataset=False)
        output = load_output(session, source["run"], source["output"])
        if table is not None:
            return Arrived(text=capture_table(session, output, table).id, is_dataset=True)
        path = local_path(session, output, scratch, is_copy=is_copy)
        return Arrived(text=str(path), is_dataset=False)

    def _tell_inputs(self) -> None:
        """Write down what ``run.input_datasets`` gives."""
        found = {
            name: {"dataset" if arrived.is_dataset else "path": arrived.text}
            for name, arrived in self._arrived.items()
        }
        with self._context.session.write() as tx:
            tx.runs.set_properties(self._context.run.id, {INPUT_DATASETS: json.dumps(found)})

    def _argument(self, argument: Mapping[str, str]) -> str:
        ((kind, value),) = argument.items()
        if kind == "input":
            return self._arrived[value].text
        if kind == "output":
            return str(self._path_of(next(o for o in self._outputs if o.name == value)))
        return value

    def _environment(self) -> dict[str, str]:
        found = super()._environment()
        for output in self._outputs:
            found[variable_of(output.name)] = str(self._path_of(output))
        for name, arrived in self._arrived.items():
            found[variable_of(name)] = arrived.text
        return found | {f"{PARAMETER_PREFIX}{name}": text for name, text in self._params.items()}

    def _path_of(self, output: FrozenOutput) -> Path:
        return self._written / output.name

    def _ending(self, code: int) -> Ending:
        ending = super()._ending(code)
        if ending.status is not RunStatus.COMPLETED:
            return ending
        try:
            self._keep()
        except NbAutoMLError as error:
            remove_leftovers(self._context.session, self._context.run.id, self._outputs)
            reason = f"The script ended well, but its outputs could not be kept: {error}"
            return Ending(status=RunStatus.FAILED, reason=reason)
        return ending

    def _keep(self) -> None:
        """Move the outputs to their datastores and write them down."""
        session, run_id = self._context.session, self._context.run.id
        kept: list[KeptOutput] = []
        for output in self._outputs:
            written = self._path_of(output)
            if not written.exists():
                text = f"The script wrote nothing to its output {output.name!r}: it is empty."
                self._context.emit(LogWritten(level="WARNING", message=text))
            kept.append(keep_output(session, run_id, output, written))
        save_outputs(session, run_id, kept)
        for output, made in zip(self._outputs, kept, strict=True):
            for note in register_outputs(session, run_id, output, made):
                self._context.emit(LogWritten(level="WARNING", message=note))
