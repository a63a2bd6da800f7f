"""The work of a script run: a copy of its source, its process, its output and its files."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any  # Any: settings are JSON values

from nbautoml.domain.events import (
    DeadlineChanged,
    LogWritten,
    OutputWritten,
)
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.runs import files
from nbautoml.runs.by_hand import TOLD_FAILURE
from nbautoml.runs.child_process import environment
from nbautoml.runs.controller import set_status
from nbautoml.runs.details import run_snapshot
from nbautoml.runs.process_group import ProcessGroup, end_noted
from nbautoml.runs.script_output import OutputReader, failure_of, tail_of
from nbautoml.runs.snapshot import restore_snapshot
from nbautoml.runs.work import Ending, WorkContext
from nbautoml.store.artifacts import check_name

OUTPUT = "user_logs/std_log.txt"
"""The file with all that the script wrote, in the SDK's name."""
KEPT_FOLDERS = ("outputs", "logs")
"""Folders of the script's working directory whose files are stored with the run."""

_POLL_SECONDS = 0.1
_STORE_SECONDS = 5.0
_REASON_CHARS = 16_000
_INLINE = "module://"
_LOST = (
    "The run's process was lost while its script was at work. A script is not started a second "
    "time by itself: it may not be made for that. Submit it again."
)


class ScriptWork:
    """Runs one script; made in the run's controller process.

    Parameters
    ----------
    context : WorkContext
        The run.
    """

    def __init__(self, context: WorkContext) -> None:
        self._context = context
        self._settings: Mapping[str, Any] = context.run.settings
        self._folder = context.scratch / "source"
        self._output = context.scratch / "std_log.txt"
        self._note = context.scratch / "process.json"
        self._kept = KeptFiles(context, self._folder)
        self._reader = OutputReader(
            self._output,
            lambda text: context.emit(OutputWritten(text=text)),
            lambda text: context.emit(LogWritten(level="WARNING", message=text)),
        )
        self._deadline: float | None = None

    def run(self) -> Ending:
        """Run the script to its end, or to that of its time, or until it is canceled."""
        if self._context.is_resumed:
            end_noted(self._note)
            self._close()
            return Ending(status=RunStatus.FAILED, reason=_LOST)
        self._prepare()
        with self._output.open("ab") as output:
            group = ProcessGroup(
                self._command(),
                env=self._environment(),
                folder=self._folder,
                output=output,
                note=self._note,
            )
        set_status(self._context, RunStatus.RUNNING)
        try:
            ending = self._follow(group)
        finally:
            group.end()
            self._close()
        return ending

    def _prepare(self) -> None:
        settings = self._settings
        for note in settings["notes"]:
            self._context.emit(LogWritten(level="WARNING", message=note))
        restore_snapshot(self._context.session, settings["snapshot"], self._folder)
        for name in KEPT_FOLDERS:
            (self._folder / name).mkdir(exist_ok=True)
        limit = settings["max_run_duration_seconds"]
        if limit is not None:
            self._deadline = self._context.now() + limit
            described = run_snapshot(self._context.session, self._context.run.id).described
            assert described is not None  # since it was submitted
            self._context.emit(replace(described, deadline=self._deadline))

    def _follow(self, group: ProcessGroup) -> Ending:
        stored_at = time.monotonic()
        while (code := group.wait(_POLL_SECONDS)) is None:
            self._reader.read()
            if self._is_canceled():
                return Ending(status=RunStatus.CANCELED, reason="Canceled on request.")
            if self._deadline is not None and self._context.now() >= self._deadline:
                limit = self._settings["max_run_duration_seconds"]
                reason = f"Stopped at its time limit (max_run_duration_seconds={limit:g})."
                return Ending(status=RunStatus.CANCELED, reason=reason)
            if time.monotonic() - stored_at > _STORE_SECONDS:
                self._kept.store_settled()
                stored_at = time.monotonic()
        return self._ending(code)

    def _is_canceled(self) -> bool:
        for request in self._context.control.poll():
            if request.kind is RequestKind.CANCEL:
                return True
            if request.kind is RequestKind.ADD_MINUTES and self._deadline is not None:
                self._deadline += 60.0 * request.minutes
                self._context.emit(DeadlineChanged(deadline=self._deadline))
        return False

    def _ending(self, code: int) -> Ending:
        """Return how the run ends with a script that ended by itself."""
        with self._context.session.read() as tx:
            told = tx.runs.get(self._context.run.id).properties.get(TOLD_FAILURE)
        if told is not None:
            return Ending(status=RunStatus.FAILED, reason=told)
        if code == 0:
            return Ending(status=RunStatus.COMPLETED)
        said = failure_of(tail_of(self._output, _REASON_CHARS))
        words = f"{how_it_ended(code)}: {said}" if said else f"{how_it_ended(code)}."
        return Ending(status=RunStatus.FAILED, reason=words)

    def _close(self) -> None:
        """Take in the last of output and files."""
        self._reader.read(is_last=True)
        self._kept.store_all()
        if self._output.is_file():
            files.store(self._context.session, self._context.run.id, {OUTPUT: self._output})

    def _command(self) -> str | list[str]:
        command, script = self._settings["command"], self._settings["script"]
        if script is not None:
            return [self._python(), "-u", script, *command]
        return command if isinstance(command, str) else list(command)

    def _python(self) -> str:
        return str(self._settings["python"] or sys.executable)

    def _environment(self) -> dict[str, str]:
        """Return the script's environment; ``python`` in a command is the run's interpreter."""
        run_id = self._context.run.id
        env = environment(self._context.session, run_id)
        if self._settings["python"] is not None:
            # Another interpreter has packages of its own.
            env.pop("PYTHONPATH")
        if env.get("MPLBACKEND", "").startswith(_INLINE):  # a kernel's, which draws into cells
            env["MPLBACKEND"] = "Agg"
        bin_folder = str(Path(self._python()).parent)
        env |= {
            "AZUREML_RUN_ID": run_id,
            "PATH": os.pathsep.join([bin_folder, env.get("PATH", os.defpath)]),
        }
        stated = self._settings["environment"] or {}
        variables: dict[str, str] = stated.get("environment_variables", {})
        return env | variables


class KeptFiles:
    """The files that a script leaves in `KEPT_FOLDERS`, stored as they become ready.

    Parameters
    ----------
    context : WorkContext
        The run.
    folder : pathlib.Path
        The script's working directory.
    """

    def __init__(self, context: WorkContext, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self._seen: dict[str, tuple[int, int]] = {}
        self._stored: dict[str, tuple[int, int]] = {}
        self._refused: set[str] = set()

    def store_settled(self) -> None:
        """Store files that are as they were the last time."""
        found = self._find()
        self._store({n: s for n, s in found.items() if self._seen.get(n) == s})
        self._seen = found

    def store_all(self) -> None:
        """Store all that is not stored as it is."""
        self._store(self._find())

    def _find(self) -> dict[str, tuple[int, int]]:
        found = {}
        for folder in KEPT_FOLDERS:
            for path in (self._folder / folder).rglob("*"):
                name = path.relative_to(self._folder).as_posix()
                with suppress(FileNotFoundError):  # the script removes files too
                    if path.is_file() and self._can_keep(name):
                        state = path.stat()
                        found[name] = (state.st_size, state.st_mtime_ns)
        return found

    def _can_keep(self, name: str) -> bool:
        try:
            check_name(name)
        except ConfigError as error:
            if name not in self._refused:
                self._refused.add(name)
                self._context.emit(LogWritten(level="WARNING", message=str(error)))
            return False
        return True

    def _store(self, wanted: Mapping[str, tuple[int, int]]) -> None:
        new = {name: state for name, state in wanted.items() if self._stored.get(name) != state}
        sources: dict[str, Path | bytes] = {name: self._folder / name for name in new}
        try:
            files.store(self._context.session, self._context.run.id, sources)
        except NotFoundError:  # the script removed one meanwhile; there is a next time
            return
        self._stored |= new


def how_it_ended(code: int) -> str:
    """Return what an exit code says.

    Examples
    --------
    >>> how_it_ended(3)
    'The script ended with exit code 3'
    """
    if code >= 0:
        return f"The script ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", as when the machine has too little memory" if name == "SIGKILL" else ""
    return f"The script was ended by {name}{hint}"
