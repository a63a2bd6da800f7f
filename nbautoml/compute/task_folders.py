"""Folders of a run's own machine that a task names, and where they are on the worker's machine.

On one machine, and where a file system is shared, a path is the same everywhere. Where it is not,
the worker keeps a copy of what the task reads (`nbautoml.compute.mirror`), and the paths of the
task's payload are changed to lead there.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: payloads belong to the entry

MARKER = ".shelf-"
"""A file of this name and the shelf's key tells a worker that it sees the same folder."""

NOT_SHARED_VARIABLE = "NBAUTOML_PATHS_NOT_SHARED"
"""Environment variable of a worker: when it is not empty, no path of another machine is trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFolders:
    """Folders that a task uses, as their owner sees them.

    Parameters
    ----------
    key : str
        Under which a worker may ask for `reads`.
    reads : str
        Folder whose files the task reads; they do not change.
    writes : str
        Folder for what the task leaves; empty when it leaves nothing.
    """

    key: str
    reads: str
    writes: str

    def is_seen(self) -> bool:
        """Whether this machine sees the owner's folder under the same path."""
        if os.environ.get(NOT_SHARED_VARIABLE):
            return False
        return (Path(self.reads) / f"{MARKER}{self.key}").exists()


def relocate(payload: Any, moves: Mapping[str, str]) -> Any:
    """Return a payload whose paths lead to where their folders are here.

    Parameters
    ----------
    payload : object
        Only the fields of a dataclass that are a `Path` are looked at.
    moves : mapping of str to str
        Folder of the owner to folder of this machine.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Job:
    ...     data: Path
    >>> relocate(Job(Path("/far/data/x")), {"/far": "/near"}).data.as_posix()
    '/near/data/x'
    """
    if not moves or not dataclasses.is_dataclass(payload) or isinstance(payload, type):
        return payload
    changes = {
        field.name: _moved(value, moves)
        for field in dataclasses.fields(payload)
        if isinstance(value := getattr(payload, field.name), Path)
    }
    return dataclasses.replace(payload, **changes)


def _moved(path: Path, moves: Mapping[str, str]) -> Path:
    """Return where a path leads to; the longest folder that holds it counts."""
    for root in sorted(filter(None, moves), key=len, reverse=True):
        if path.is_relative_to(root):
            return Path(moves[root]) / path.relative_to(root)
    return path
