"""The workspace and the runs that a notebook means when it does not say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any  # Any: variables of the notebook

import nbautoml
from nbautoml.errors import NotFoundError, did_you_mean
from nbautoml.workspace.config_file import name_for

WORKSPACE_VARIABLES = ("ws", "workspace")
DEFAULT_RUN = "run"


class Home:
    """Finds the workspace and runs of a notebook.

    Parameters
    ----------
    variables : mutable mapping
        The notebook's variables.
    say : callable
        Shows one line to the user.
    """

    def __init__(self, variables: MutableMapping[str, Any], say: Callable[[str], None]) -> None:
        self._variables = variables
        self._say = say
        self._opened: nbautoml.Workspace | None = None

    @property
    def variables(self) -> Mapping[str, Any]:
        """The notebook's variables."""
        return self._variables

    def assign(self, name: str, value: Any) -> None:
        """Give the notebook a variable."""
        self._variables[name] = value

    def workspace(self) -> nbautoml.Workspace:
        """Return the notebook's workspace: a variable, the folder's, or a new one.

        A new one is made in the working directory, and said so.
        """
        known = self.known_workspace()
        if known is not None:
            return known
        name = name_for(Path.cwd())
        self._opened = nbautoml.Workspace.create(name, exist_ok=True)
        self._say(f"Made workspace {name!r}; its files are in {Path.cwd() / '.nbautoml'}.")
        return self._opened

    def known_workspace(self) -> nbautoml.Workspace | None:
        """Return the notebook's workspace where there is one; none is made."""
        for name in WORKSPACE_VARIABLES:
            value = self._variables.get(name)
            if isinstance(value, nbautoml.Workspace):
                return value
        if self._opened is None:
            try:
                self._opened = nbautoml.Workspace.from_config()
            except NotFoundError:
                return None
        return self._opened

    def run(self, word: str = "") -> nbautoml.Run:
        """Return the run that a word names: a variable or an id; the latest when it is empty.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        value = self._variables.get(word or DEFAULT_RUN)
        if isinstance(value, nbautoml.Run):
            return value
        workspace = self.known_workspace()
        if workspace is None:
            raise NotFoundError(
                "There is no workspace here yet, so there are no runs. %%automl makes one."
            )
        if word:
            return self._by_id(workspace, word)
        latest = self.latest_runs(workspace, limit=1)
        if not latest:
            raise NotFoundError(f"Workspace {workspace.name!r} has no runs yet.")
        return latest[0]

    def latest_runs(self, workspace: nbautoml.Workspace, limit: int) -> list[nbautoml.Run]:
        """Return the newest runs of all experiments."""
        with workspace.session.read() as tx:
            records = tx.runs.list(limit=limit)
        return [workspace.get_run(record.id) for record in records]

    def run_names(self) -> list[str]:
        """Return variables that hold runs."""
        found = self._variables.items()
        return [n for n, v in found if isinstance(v, nbautoml.Run) and not n.startswith("_")]

    def _by_id(self, workspace: nbautoml.Workspace, word: str) -> nbautoml.Run:
        with workspace.session.read() as tx:
            ids = [record.id for record in tx.runs.list(limit=1000)]
        matches = [i for i in ids if i == word] or [i for i in ids if i.startswith(word)]
        if len(matches) == 1 or word in matches:
            return workspace.get_run(matches[0])
        if "_" in word and word.rpartition("_")[0] in ids:
            return workspace.get_run(word)
        what = f"{len(matches)} runs have ids that begin so" if matches else "no run has that id"
        hint = did_you_mean(word, [*self.run_names(), *ids])
        raise NotFoundError(f"{word!r} is no variable that holds a run, and {what}.{hint}")
