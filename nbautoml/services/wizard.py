"""The form that makes a run: what it offers, the table it shows, its source, and its start.

What needs pandas or the settings' declaration is asked of another process
(`nbautoml.services.wizard_process`); here paths and workspaces are checked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.compute.target import LOCAL
from nbautoml.domain.records import SessionAddress
from nbautoml.errors import ConfigError, NotAllowedError, NotFoundError
from nbautoml.runs.asked_process import AskedProcess
from nbautoml.services.catalog import catalog
from nbautoml.services.sessions import SessionPool
from nbautoml.services.table_files import table_files
from nbautoml.services.workspaces import allowed_workspace, known_workspaces
from nbautoml.workspace.config_file import find_config, name_for, read_config

MODULE = "nbautoml.services.wizard_process"
DATA_SECONDS = 600.0
"""The longest time for reading a table."""
FILE, DATASET = "file", "dataset"
_FOUND = "Workspace.from_config()"


class Wizard:
    """Serves the form; any thread may call it.

    Parameters
    ----------
    root : pathlib.Path
        The server's folder: files and new workspaces are below it.
    pool : SessionPool
        Lends open workspaces.
    """

    def __init__(self, root: Path, pool: SessionPool) -> None:
        self._root = root.resolve()
        self._pool = pool
        # Checks while a person types come every second; they find everything loaded.
        self._process = AskedProcess(MODULE)

    def options(self, workspace: str, folder: str) -> dict[str, Any]:
        """Return what the form offers.

        Parameters
        ----------
        workspace : str
            Root folder of a workspace; empty for the one that a notebook in `folder` finds.
        folder : str
            Where the notebook is, below the server's folder.

        Returns
        -------
        dict
            ``form`` (see `form_declaration`); ``workspaces`` and the chosen ``workspace`` (None
            where there is none), with ``name`` and ``root``; ``datasets`` and ``computes`` of it;
            ``files`` that look like tables.

        Raises
        ------
        NotAllowedError
            When the workspace or the folder is not for this server.
        """
        place = self._below(folder)
        form = self._process.ask({"ask": "form"})
        address = self._address(workspace, place)
        held: dict[str, Any] = {"datasets": [], "computes": [{"name": LOCAL, "kind": LOCAL}]}
        if address is not None:
            with self._pool.lend(address) as session:
                held = catalog(session)
        known = {a.root: a for a in (*([address] if address else []), *known_workspaces())}
        return {
            "form": form,
            "workspaces": [_named(a) for a in known.values()],
            "workspace": None if address is None else _named(address),
            "datasets": held["datasets"],
            "computes": held["computes"],
            "files": table_files(self._root, place, form["suffixes"]),
        }

    def data(self, workspace: str, folder: str, source: str) -> dict[str, Any]:
        """Return what the form shows of a table.

        Parameters
        ----------
        workspace, folder : str
            As in `options`.
        source : str
            ``file:PATH`` below the server's folder, or ``dataset:NAME[:VERSION]``.

        Raises
        ------
        NotFoundError
            When there is no such file or dataset.
        DatasetError
            When it cannot be read.
        """
        question = {"ask": "data", **self._question(workspace, folder, source)}
        # A process that ends gives back the memory that the table took.
        with AskedProcess(MODULE, timeout_seconds=DATA_SECONDS) as process:
            found: dict[str, Any] = process.ask(question)
            return found

    def code(self, workspace: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the source of the run that a form describes.

        Parameters
        ----------
        workspace : str
            As in `options`.
        asked : mapping
            ``source`` and ``folder`` as in `data`; ``form`` (see `read_draft`).

        Returns
        -------
        dict
            ``setup``, ``cell`` and ``python`` (None while something has to be corrected),
            ``problems`` with ``field`` and ``message``, and the ``experiment``.
        """
        question = {"ask": "code", **self._described(workspace, asked)}
        answer: dict[str, Any] = self._process.ask(question)
        return answer

    def start(self, workspace: str, asked: Mapping[str, Any]) -> dict[str, str]:
        """Submit the run that a form describes; parameters as in `code`.

        Without a workspace one is made in the notebook's folder, as a cell would do.

        Returns
        -------
        dict of str to str
            ``run_id``, and ``workspace``, its root folder.

        Raises
        ------
        ConfigError
            When something has to be corrected.
        """
        question = {"ask": "run", **self._described(workspace, asked)}
        with AskedProcess(MODULE, timeout_seconds=DATA_SECONDS) as process:
            started: dict[str, str] = process.ask(question)
            return started

    def close(self) -> None:
        """End the process that answers."""
        self._process.close()

    def _described(self, workspace: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        form = asked.get("form")
        if not isinstance(form, Mapping):
            raise ConfigError(f"form must be a mapping; got {form!r:.100}.")
        folder, source = str(asked.get("folder") or ""), str(asked.get("source") or "")
        return {"form": dict(form), **self._question(workspace, folder, source)}

    def _question(self, workspace: str, folder: str, source: str) -> dict[str, Any]:
        """Return what each question says: the data, the workspace and the folder."""
        place = self._below(folder)
        address = self._address(workspace, place)
        kind, _, rest = source.partition(":")
        if kind not in {FILE, DATASET} or not rest:
            raise ConfigError(f"source must be 'file:PATH' or 'dataset:NAME'; got {source!r}.")
        named = {"kind": DATASET, "name": rest}
        word = rest
        if kind == FILE:
            file = self._below(rest)
            named = {"kind": FILE, "path": str(file)}
            word = _relative(file, place)
        home = self._home(address, place)
        return {
            "source": named,
            "word": word,
            "address": None if address is None else asdict(address),
            "folder": str(place),
            "name": name_for(place),
            "home": home,
            # A cell makes the workspace by itself where there is none.
            "cell_home": _FOUND if address is None else home,
        }

    def _below(self, path: str) -> Path:
        """Return where something below the server's folder is.

        Raises
        ------
        NotAllowedError
            When it is elsewhere, also behind a link.
        """
        if "\0" in path:
            raise NotAllowedError(f"{path!r} is no path.")
        place = (self._root / path.lstrip("/")).resolve()
        if not place.is_relative_to(self._root):
            raise NotAllowedError(
                f"{path} is not below the server's folder {self._root}. Read such data in a "
                "notebook, for example with Dataset.Tabular.from_delimited_files."
            )
        return place

    def _address(self, workspace: str, folder: Path) -> SessionAddress | None:
        if workspace:
            return allowed_workspace(workspace, below=self._root)
        root = _root_found(folder)
        try:
            return None if root is None else allowed_workspace(root, below=self._root)
        except (NotAllowedError, NotFoundError, ConfigError):
            return None

    def _home(self, address: SessionAddress | None, folder: Path) -> str:
        """Return Python for the workspace in a notebook that lies in `folder`."""
        if address is None:
            name = name_for(folder)
            return f"Workspace.create({name!r}, exist_ok=True)"
        if _root_found(folder) == address.root:
            return _FOUND
        root = Path(address.root)
        is_near = root.is_relative_to(self._root)
        written = _relative(root, folder) if is_near else root.as_posix()
        return f"Workspace.from_config({written!r})"


def _root_found(folder: Path) -> str | None:
    """Return the root of the workspace that code in a folder finds by itself."""
    try:
        return read_config(find_config(folder)).address.root
    except (NotFoundError, ConfigError):
        return None


def _relative(path: Path, folder: Path) -> str:
    """Return how code in a folder writes a path; one that begins with ``~`` is written out."""
    written = Path(os.path.relpath(path, folder)).as_posix()
    return path.as_posix() if written.startswith("~") else written


def _named(address: SessionAddress) -> dict[str, str]:
    return {"name": address.name, "root": address.root}
