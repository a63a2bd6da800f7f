"""Stored files of a run: their names, and copies of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.errors import NotFoundError
from nbautoml.store.session import Session


def names(session: Session, owner: str, prefix: str = "") -> list[str]:
    """Return the names of an owner's files, sorted."""
    with session.read() as tx:
        return sorted(artifact.name for artifact in tx.artifacts.list(owner, prefix=prefix))


def read_json(session: Session, owner: str, name: str) -> Any:
    """Return what a JSON file of an owner holds.

    Raises
    ------
    NotFoundError
        When there is no such file.
    """
    return json.loads(session.load_artifact(owner, name).read_bytes())


def download(session: Session, owner: str, name: str, target: str | Path | None) -> Path:
    """Copy one file; a target that is a folder keeps the file's own name; return the path."""
    source = session.load_artifact(owner, name)
    path = Path(target if target is not None else Path(name).name)
    if path.is_dir():
        path = path / Path(name).name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)
    return path


def download_all(
    session: Session,
    owner: str,
    prefix: str,
    folder: str | Path | None,
    append_prefix: bool = True,
) -> list[Path]:
    """Copy all files whose names begin with a prefix; return the paths.

    Parameters
    ----------
    session : Session
        The open store.
    owner : str
        Whose files.
    prefix : str
        Beginning of the names; ``""`` for all.
    folder : str, pathlib.Path or None
        Where to put them; None for the working directory.
    append_prefix : bool, default True
        Whether the copies keep the prefix in their path.

    Raises
    ------
    NotFoundError
        When no file's name begins so.
    """
    found = names(session, owner, prefix)
    if not found:
        raise NotFoundError(f"{owner} has no files whose names begin with {prefix!r}.")
    root = Path(folder) if folder is not None else Path.cwd()
    paths = []
    for name in found:
        kept = name if append_prefix else name.removeprefix(prefix).lstrip("/") or Path(name).name
        target = root / kept
        target.parent.mkdir(parents=True, exist_ok=True)
        paths.append(download(session, owner, name, target))
    return paths
