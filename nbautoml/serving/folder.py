"""The files of one deployment: what is asked of it, how it stands, its log. Standard library only.

The supervisor, its workers and everybody who looks at a deployment meet in this folder::

    spec.json        which revision is served, and on which port; written by who deploys
    settings.json    keys, whether they are asked for, what is logged; read again when it changes
    state.json       how it stands; written by the supervisor
    canary.json      where the second version listens, while there is one
    deployment.log   what the supervisor and the workers say
    requests.log     one line a request, while that is switched on
    data.jsonl       rows and replies, while that is switched on
    revisions/<n>/   the files that a revision serves, never changed

Nothing in it is for other users: folders are made with mode 0700, files with 0600.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: JSON values

HEARTBEAT_SECONDS = 5.0
SILENCE_SECONDS = 30.0
"""A supervisor that has not written its state for so long is not trusted any more."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Names and content of a deployment's files."""

    path: Path

    @property
    def spec_file(self) -> Path:
        """What is asked of the deployment."""
        return self.path / "spec.json"

    @property
    def settings_file(self) -> Path:
        """What a worker follows while it runs."""
        return self.path / "settings.json"

    @property
    def state_file(self) -> Path:
        """How the deployment stands."""
        return self.path / "state.json"

    @property
    def canary_file(self) -> Path:
        """Where the second version listens."""
        return self.path / "canary.json"

    @property
    def log_file(self) -> Path:
        """What supervisor and workers say."""
        return self.path / "deployment.log"

    @property
    def request_log(self) -> Path:
        """One line a request."""
        return self.path / "requests.log"

    @property
    def data_log(self) -> Path:
        """Rows and replies as JSON lines."""
        return self.path / "data.jsonl"

    def revision(self, number: int) -> Path:
        """Return the folder of a revision."""
        return self.path / "revisions" / str(number)

    def job(self, number: int) -> dict[str, Any]:
        """Return what a worker of a revision is to serve."""
        return read_json(self.revision(number) / "job.json")

    def make(self) -> None:
        """Make the folder, empty, for its owner alone."""
        self.remove()
        self.path.mkdir(parents=True, mode=0o700)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a file in one step: who reads it sees the old content or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file; an empty one where there is no such file.

    Examples
    --------
    >>> read_json(Path("no-such-file.json"))
    {}
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return content if isinstance(content, dict) else {}


class LiveFile:
    """A JSON file that is read again when it has changed; asking costs one ``stat``.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._content: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return the content now; an empty object where there is no such file."""
        try:
            status = self._path.stat()
        except OSError:
            self._stamp, self._content = None, {}
            return self._content
        # Each content is a new file (`write_json`), so that the number of its node tells.
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._content = read_json(self._path)
            self._stamp = stamp
        return self._content
