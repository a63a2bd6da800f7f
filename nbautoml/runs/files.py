"""Stored files of a run: their names, and copies of them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.domain.events import FilesStored
from nbautoml.errors import ConflictError, NotFoundError
from nbautoml.store.session import Session


def names(session: Session, owner: str, prefix: str = "") -> list[str]:
    """Return the names of an owner's files, sorted."""
    with session.read() as tx:
        return sorted(artifact.name for artifact in tx.artifacts.list(owner, prefix=prefix))


def store(session: Session, owner: str, sources: Mapping[str, Path | bytes]) -> None:
    """Store files of a run under names of your choice, and say so in its log.

    Parameters
    ----------
    session : Session
        The open store.
    owner : str
        The run.
    sources : mapping of str to (Path or bytes)
        Name to file or content.

    Raises
    ------
    NotFoundError
        When a file is not there.
    """
    if not sources:
        return
    session.save_artifacts(owner, sources)
    with session.write() as tx:
        tx.events.append(owner, [FilesStored(names=tuple(sorted(sources)))], time.time())


def upload_folder(session: Session, owner: str, name: str, folder: Path) -> None:
    """Store all files below a folder under ``name/<path in the folder>``; none where it is missing.

    Raises
    ------
    ConflictError
        When it leads to a file.
    """
    if folder.is_file():
        raise ConflictError(f"{folder} is a file; run.upload_file stores one.")
    prefix = f"{name.strip('/')}/" if name.strip("/") else ""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    store(session, owner, {f"{prefix}{p.relative_to(folder).as_posix()}": p for p in found})


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
