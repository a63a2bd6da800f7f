"""The small file that says which workspace a folder belongs to.

``config.json`` holds ``name``, and where they differ from the defaults ``store_url`` and
``artifact_root``. Secrets never go in it: a store URL takes its password from the environment
variable named in ``store_url_env``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: JSON values
from urllib.parse import urlsplit

from nbautoml.domain.records import SessionAddress
from nbautoml.errors import ConfigError, NotFoundError

STATE_FOLDER = ".nbautoml"
CONFIG_NAMES = ("config.json", f"{STATE_FOLDER}/config.json", ".azureml/config.json")
FACTS: Mapping[str, str] = {
    "subscription_id": "local",
    "resource_group": "local",
    "location": "local",
    "sku": "local",
}
"""What notebooks for the SDK print of a workspace, and what stands there without a cloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceFile:
    """What a workspace file says: where the workspace is, and the facts notebooks print."""

    address: SessionAddress
    facts: Mapping[str, str]


def find_config(start: Path) -> Path:
    """Return the nearest workspace file at or above a folder.

    Parameters
    ----------
    start : pathlib.Path
        A folder to search upward from, or the file itself.

    Raises
    ------
    NotFoundError
        When there is none; the message names the line that makes one.
    """
    start = start.expanduser().resolve()
    if start.is_file():
        return start
    for folder in (start, *start.parents):
        for name in CONFIG_NAMES:
            candidate = folder / name
            if candidate.is_file() and _names_a_workspace(candidate):
                return candidate
    raise NotFoundError(
        f"No workspace was found: there is no {CONFIG_NAMES[0]} or {CONFIG_NAMES[1]} in {start} "
        "or a folder above it. Make one with this line: "
        "ws = Workspace.create('my-workspace', exist_ok=True)"
    )


def read_config(path: Path) -> WorkspaceFile:
    """Return what a workspace file says.

    Files that the SDK wrote (``subscription_id``, ``resource_group``, ``workspace_name``) are
    read too: their workspace is the local one of that name.

    Raises
    ------
    ConfigError
        When the file is not JSON, or names no workspace.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a workspace file: {error}") from error
    name = _name_in(content)
    if not name:
        raise ConfigError(f'{path} names no workspace; it needs a line such as "name": "my-ws".')
    folder = path.parent
    root = folder.parent if folder.name in {STATE_FOLDER, ".azureml"} else folder
    root = (folder / content["root"]).resolve() if content.get("root") else root
    address = address_for(
        name,
        root,
        store_url=_store_url(content, path),
        artifact_root=content.get("artifact_root"),
    )
    facts = {key: str(content.get(key) or default) for key, default in FACTS.items()}
    return WorkspaceFile(address=address, facts=facts)


def name_for(folder: Path) -> str:
    """Return what a workspace is called that is made for a folder.

    Examples
    --------
    >>> name_for(Path("/data/my project"))
    'my-project'
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.name).strip("-.") or "workspace"


def address_for(
    name: str, root: Path, *, store_url: str | None = None, artifact_root: str | None = None
) -> SessionAddress:
    """Return the address of a workspace in a folder, with defaults filled in."""
    root = root.resolve()
    state = root / STATE_FOLDER
    return SessionAddress(
        name=name,
        root=str(root),
        store_url=store_url or f"sqlite:///{state / 'workspace.db'}",
        artifact_root=artifact_root or str(state / "artifacts"),
    )


def write_config(file: WorkspaceFile, path: Path) -> Path:
    """Write a workspace file; return its path.

    Raises
    ------
    ConfigError
        When the store's URL holds a password: it would lie in the file for all to read.
    """
    address = file.address
    content: dict[str, Any] = {"name": address.name}
    content |= {k: v for k, v in file.facts.items() if v != FACTS[k]}
    default = address_for(address.name, Path(address.root))
    if address.store_url != default.store_url:
        if urlsplit(address.store_url).password:
            raise ConfigError(
                "The store's URL holds a password, which does not belong in config.json. Put the "
                "URL in an environment variable and name that as store_url_env."
            )
        content["store_url"] = address.store_url
    if address.artifact_root != default.artifact_root:
        content["artifact_root"] = address.artifact_root
    path = path.resolve()
    folder = path.parent
    implied = folder.parent if folder.name in {STATE_FOLDER, ".azureml"} else folder
    if implied != Path(address.root):
        content["root"] = address.root
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def _store_url(content: Mapping[str, Any], path: Path) -> str | None:
    variable = content.get("store_url_env")
    if not variable:
        url: str | None = content.get("store_url")
        return url
    if variable not in os.environ:
        raise ConfigError(
            f"{path} takes the store's URL from the environment variable {variable}, "
            "which is not set. Set it and try again."
        )
    return os.environ[variable]


def _name_in(content: object) -> str:
    if not isinstance(content, dict):
        return ""
    return str(content.get("name") or content.get("workspace_name") or "")


def _names_a_workspace(path: Path) -> bool:
    """Whether a ``config.json`` is one of ours: many programs use that name."""
    try:
        return bool(_name_in(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError):
        return path.parent.name in {STATE_FOLDER, ".azureml"}
