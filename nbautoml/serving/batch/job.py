"""The folder of a batch job: what it is, who works on it, which parts are whole.

While a job goes on, all of it lies beside the place of its result::

    <output>.unfinished/
        job.json      what is predicted, by which model, how; a job that differs is another one
        owner.json    the process that works on it
        model/        the model's files, as they were registered
        rows.parquet  the rows, where they were in memory
        parts/        finished parts; a name is there only once the part is whole
        marks/        how many rows each part has

The result takes its own name in one step at the end.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.domain.records import Owner
from nbautoml.errors import ConflictError
from nbautoml.serving.batch.work import CSV, PARQUET, mark_of, put
from nbautoml.store.reaper import is_owner_alive, this_process

UNFINISHED = ".unfinished"
RECORD = "_scoring.json"
"""File in a folder of parts that says what they are; readers leave out names that begin so."""


class Job:
    """A batch job on disk.

    Parameters
    ----------
    output : Path
        Where the result goes: a file that ends in ``.csv`` or ``.parquet``, or a folder.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output.with_name(output.name + UNFINISHED)
        self.is_one_file = output.suffix.lower() in (CSV, PARQUET)
        self.suffix = output.suffix.lower() if self.is_one_file else PARQUET

    @property
    def model_folder(self) -> Path:
        """Where the model's files lie."""
        return self.folder / "model"

    @property
    def parts_folder(self) -> Path:
        """Where finished parts lie."""
        return self.folder / "parts"

    def part(self, number: int) -> Path:
        """Return the path of a part."""
        return self.parts_folder / f"part-{number:05d}{self.suffix}"

    def target(self, number: int) -> Path:
        """Return the path of a part without its suffix."""
        return self.part(number).with_suffix("")

    def take(self, identity: str, *, overwrite: bool) -> None:
        """Become the one who works on this job; parts of the same job stay.

        Parameters
        ----------
        identity : str
            What is predicted, by which model, how; the same for the same job.
        overwrite : bool
            Whether another result, or the parts of another job, may be thrown away.

        Raises
        ------
        ConflictError
            When somebody else works on it, the result is there, or the parts are another job's.
        """
        if self.output.exists() and not overwrite:
            raise ConflictError(
                f"{self.output} is there already. Give another output, or overwrite=True."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock()
        try:
            known = _read(self.folder / "job.json").get("identity")
            if known not in (None, identity):
                self._forget(overwrite=overwrite)
            put(self.folder / "job.json", json.dumps({"identity": identity}).encode())
            self.parts_folder.mkdir(exist_ok=True)
            (self.folder / "marks").mkdir(exist_ok=True)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Work on it no longer; what is finished stays for the next one."""
        (self.folder / "owner.json").unlink(missing_ok=True)

    def finished(self) -> dict[int, int]:
        """Return the number of rows of each part that is whole, by the part's number."""
        found = {}
        for mark in sorted((self.folder / "marks").glob("part-*.json")):
            number = int(mark.stem.removeprefix("part-"))
            told = _read(mark)
            part = self.part(number)
            if part.is_file() and part.stat().st_size == told.get("size_bytes"):
                found[number] = int(told["rows"])
        return found

    def sweep(self) -> None:
        """Remove what writers left behind that were killed."""
        for folder in (self.parts_folder, self.folder / "marks"):
            for path in folder.glob(".*.tmp"):
                path.unlink(missing_ok=True)

    def publish(self, whole: Path) -> None:
        """Give the result its name, in place of what was there, and remove the job's folder.

        Parameters
        ----------
        whole : Path
            The finished file, or the folder of parts.
        """
        aside = self.output.with_name(f".{self.output.name}.{os.getpid()}.old")
        if self.output.is_dir() or whole.is_dir():
            if self.output.exists():
                self.output.rename(aside)
            whole.rename(self.output)
        else:
            whole.replace(self.output)
        for path in (aside, self.folder):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _lock(self) -> None:
        path = self.folder / "owner.json"
        text = json.dumps(asdict(this_process())).encode()
        for _ in range(2):
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                self._refuse_living(path)
                path.unlink(missing_ok=True)  # whoever it names is gone
                continue
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
            return
        raise ConflictError(f"Another process has just begun to write {self.output}.")

    def _refuse_living(self, path: Path) -> None:
        told = _read(path)
        if not told:
            return
        owner = Owner(**told)
        if owner.host != socket.gethostname():
            raise ConflictError(
                f"{self.output} is being written by a process on {owner.host}. If that is gone, "
                f"remove {path}."
            )
        if is_owner_alive(owner):
            raise ConflictError(f"{self.output} is being written by process {owner.pid} now.")

    def _forget(self, *, overwrite: bool) -> None:
        if not overwrite:
            raise ConflictError(
                f"{self.folder} holds parts of another job: other rows, another model or other "
                "settings. overwrite=True throws them away."
            )
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "owner.json":
                path.unlink()


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


__all__ = ["CSV", "PARQUET", "RECORD", "UNFINISHED", "Job", "mark_of"]
