"""Files that a task leaves on a machine that its owner does not see, on their way to the owner."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nbautoml.errors import ComputeError


@contextmanager
def lend_out_folder(parent: Path) -> Iterator[Path]:
    """Give an empty folder for the files of one task; it is removed at the end of the block."""
    folder = parent / f"out-{uuid.uuid4().hex}"
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files directly in a folder by name; drafts, which are hidden, are left out."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".")
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what a task left; a reader finds all of a file or nothing.

    Raises
    ------
    ComputeError
        When a name leads out of the folder: the worker is not to be trusted.
    """
    if not files:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if name != Path(name).name or name.startswith("."):
            raise ComputeError(f"A worker sent a file under the name {name!r}; it is not kept.")
        draft = folder / f".{name}.{os.getpid()}"
        draft.write_bytes(content)
        draft.replace(folder / name)
