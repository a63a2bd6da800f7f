"""The workspaces that this user has opened: where a server may look for runs.

The list is a small JSON file, ``workspaces.json`` in the folder named by the environment
variable ``NBAUTOML_HOME``, else in ``~/.nbautoml``. It holds names and folders only; where a
workspace keeps its records is read from the workspace's own file, so no secret is copied.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.domain.records import SessionAddress
from nbautoml.errors import ConfigError, NotAllowedError, NotFoundError
from nbautoml.workspace.config_file import CONFIG_NAMES, address_for, read_config

HOME_VARIABLE = "NBAUTOML_HOME"
FILE_NAME = "workspaces.json"
MAX_KNOWN = 200


def home_folder() -> Path:
    """Return the folder of the user's own settings."""
    return Path(os.environ.get(HOME_VARIABLE) or Path.home() / ".nbautoml")


def known_workspaces() -> tuple[SessionAddress, ...]:
    """Return the workspaces that were opened here, the latest first.

    Those whose folder or file is gone are left out.
    """
    found: list[SessionAddress] = []
    for entry in _read_list():
        try:
            found.append(workspace_at(Path(entry["root"])))
        except (NotFoundError, ConfigError):
            continue
    return tuple(found)


def remember_workspace(address: SessionAddress) -> None:
    """Put a workspace at the head of the list, so that servers of this user find it.

    A home folder that cannot be written is no reason to stop: then only workspaces below a
    server's own folder are found.

    Parameters
    ----------
    address : SessionAddress
        The workspace.
    """
    root = str(Path(address.root).resolve())
    entries = _read_list()
    if entries and entries[0] == {"name": address.name, "root": root}:
        return
    others = [entry for entry in entries if entry["root"] != root]
    content = [{"name": address.name, "root": root}, *others][:MAX_KNOWN]
    file = home_folder() / FILE_NAME
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"workspaces": content}, indent=2) + "\n", encoding="utf-8")
        temporary.replace(file)
    except OSError:
        return


def workspace_at(root: Path) -> SessionAddress:
    """Return the address of the workspace in exactly this folder.

    Raises
    ------
    NotFoundError
        When the folder holds none.
    ConfigError
        When its file cannot be read.
    """
    root = root.resolve()
    for name in CONFIG_NAMES:
        file = root / name
        if file.is_file():
            address = read_config(file).address
            if Path(address.root).resolve() == root:
                return address
    raise NotFoundError(f"There is no workspace in the folder {root}.")


def allowed_workspace(root: str, *, below: Path) -> SessionAddress:
    """Return the address of a workspace that a server may open for its user.

    That is one the user has opened in Python, or one below the server's folder that keeps its
    records in its own file: a folder from elsewhere must not send the server to another place.

    Parameters
    ----------
    root : str
        Absolute path of the workspace's folder, as a notebook's output names it.
    below : pathlib.Path
        The server's folder.

    Raises
    ------
    NotAllowedError
        When it is neither.
    NotFoundError
        When there is no workspace.
    """
    if "\0" in root or not Path(root).is_absolute():
        raise NotAllowedError(f"workspace must be the absolute path of a folder; got {root!r}.")
    folder = Path(root).resolve()
    if any(entry["root"] == str(folder) for entry in _read_list()):
        return workspace_at(folder)
    if not folder.is_relative_to(below.resolve()):
        raise _unknown(folder)
    address = workspace_at(folder)
    if address != address_for(address.name, folder):
        raise _unknown(folder)
    return address


def _unknown(folder: Path) -> NotAllowedError:
    return NotAllowedError(
        f"The workspace {folder} is not on the list of workspaces that you have opened here. "
        f"Open it once in Python, for example with Workspace.from_config({str(folder)!r}) and "
        "RunDetails(run).show()."
    )


def _read_list() -> list[dict[str, str]]:
    """Return the entries of the list; a missing or broken file is an empty list."""
    try:
        content: Any = json.loads((home_folder() / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    entries = content.get("workspaces") if isinstance(content, Mapping) else None
    return [
        {"name": str(entry.get("name", "")), "root": str(entry["root"])}
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping) and entry.get("root")
    ]
