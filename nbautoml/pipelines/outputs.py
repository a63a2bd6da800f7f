"""What steps have written: kept in datastores with the hashes of its files, and found again."""

from __future__ import annotations

import hashlib
import json
import posixpath
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any  # Any: fsspec file systems are not typed, and JSON values

from fsspec.core import url_to_fs

from nbautoml.data.datastore import Datastore
from nbautoml.data.locate import is_url
from nbautoml.data.materialise import hash_file
from nbautoml.errors import NotFoundError
from nbautoml.pipelines.frozen import FrozenOutput
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

OUTPUTS = "logs/nbautoml/outputs.json"
"""File of a step's run: what it wrote, where that is, and the hashes of its files."""
_READ_ONLY = 0o444


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file of an output; ``path`` is that below the output, empty where it is the output."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOutput:
    """What a step wrote under a name.

    Parameters
    ----------
    name : str
        Name of the output.
    datastore, path : str
        Where it is.
    is_directory : bool
        Whether it is a folder of files, or one file.
    files : tuple of KeptFile
        Its files, by path.
    """

    name: str
    datastore: str
    path: str
    is_directory: bool
    files: tuple[KeptFile, ...]

    @property
    def fingerprint(self) -> str:
        """Hash of names and content of its files: equal for equal content."""
        pairs = [[file.path, file.sha256] for file in self.files]
        return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def datastore_of(session: Session, name: str) -> Datastore:
    """Return a datastore of an open store."""
    return Datastore(WorkspaceHandle(session), name)


def place_of(output: FrozenOutput, run_id: str) -> str:
    """Return the path in its datastore at which an output of a step's run is kept."""
    if output.path is None:
        return f"azureml/{run_id}/{output.name}"
    return output.path.replace("{run-id}", run_id).replace("{output-name}", output.name)


def keep_output(session: Session, run_id: str, output: FrozenOutput, written: Path) -> KeptOutput:
    """Move what a step wrote to its datastore.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The step's run.
    output : FrozenOutput
        Which output it is.
    written : pathlib.Path
        The file or folder; where there is none, the output is an empty folder.

    Returns
    -------
    KeptOutput
        All files are in place when this returns.
    """
    is_directory = not written.is_file()
    found = sorted(p for p in written.rglob("*") if p.is_file()) if is_directory else [written]
    datastore, place = datastore_of(session, output.datastore), place_of(output, run_id)
    names = [path.relative_to(written).as_posix() if is_directory else "" for path in found]
    kept = []
    for path, name in zip(found, names, strict=True):
        kept.append(KeptFile(path=name, size_bytes=path.stat().st_size, sha256=hash_file(path)))
        target = datastore.resolve(posixpath.join(place, name) if name else place)
        _move(path, target, is_ours=output.path is None)
    if is_directory and not is_url(datastore.resolve(place)):
        Path(datastore.resolve(place)).mkdir(parents=True, exist_ok=True)
    return KeptOutput(
        name=output.name,
        datastore=output.datastore,
        path=place,
        is_directory=is_directory,
        files=tuple(kept),
    )


def save_outputs(session: Session, run_id: str, outputs: Iterable[KeptOutput]) -> None:
    """Write down what a step's run has left."""
    content = {output.name: asdict(output) for output in outputs}
    session.save_artifact(run_id, OUTPUTS, json.dumps(content, indent=1).encode())


def load_outputs(session: Session, run_id: str) -> dict[str, KeptOutput]:
    """Return what a step's run has left, by the name of the output; nothing before its end."""
    try:
        text = session.load_artifact(run_id, OUTPUTS).read_bytes()
    except NotFoundError:
        return {}
    return {name: _output_from(value) for name, value in json.loads(text).items()}


def load_output(session: Session, run_id: str, name: str) -> KeptOutput:
    """Return one output of a step's run.

    Raises
    ------
    NotFoundError
        When it has none of that name.
    """
    found = load_outputs(session, run_id)
    if name not in found:
        there = ", ".join(found) or "none"
        raise NotFoundError(f"Step run {run_id} has no output {name!r}. Outputs: {there}.")
    return found[name]


def what_is_lost(session: Session, outputs: Iterable[KeptOutput]) -> str:
    """Return which output is not there any more as it was written; empty when all are.

    The bytes of the files count, not their times.
    """
    for output in outputs:
        try:
            root = datastore_of(session, output.datastore).resolve(output.path)
        except NotFoundError:
            return f"datastore {output.datastore} of output {output.name} is gone"
        for file in output.files:
            found = _hash(root if not file.path else posixpath.join(root, file.path))
            if found is None:
                return f"output {output.name} is gone"
            if found != file.sha256:
                return f"output {output.name} was changed"
    return ""


def local_path(session: Session, output: KeptOutput, scratch: Path, *, is_copy: bool) -> Path:
    """Return where the files of an output are on this machine.

    Parameters
    ----------
    session : Session
        The open store.
    output : KeptOutput
        The output.
    scratch : pathlib.Path
        Where a copy is put, for files elsewhere or where one is asked for.
    is_copy : bool
        Whether the reader may change the files.
    """
    return fetch(datastore_of(session, output.datastore), output.path, scratch, is_copy=is_copy)


def fetch(datastore: Datastore, path: str, scratch: Path, *, is_copy: bool) -> Path:
    """Return where a path of a datastore is on this machine.

    Raises
    ------
    NotFoundError
        When there is nothing at that path.
    """
    place = datastore.resolve(path)
    fs, top = url_to_fs(place)
    if not fs.exists(top):
        raise NotFoundError(f"There is nothing at {path!r} in datastore {datastore.name!r}.")
    if not is_url(place) and not is_copy:
        return Path(place)
    target = scratch / (Path(path).name or "data")
    copy_out(fs, str(top), target)
    return target


def copy_out(fs: Any, top: str, target: Path) -> int:
    """Copy a file, or all files below a folder, to a path here; return how many."""
    if fs.isfile(top):
        target.parent.mkdir(parents=True, exist_ok=True)
        fs.get_file(top, str(target))
        return 1
    target.mkdir(parents=True, exist_ok=True)
    found = sorted(fs.find(top))
    for name in found:
        copy = target / posixpath.relpath(name, top)
        copy.parent.mkdir(parents=True, exist_ok=True)
        fs.get_file(name, str(copy))
    return len(found)


def remove_leftovers(session: Session, run_id: str, outputs: Sequence[FrozenOutput]) -> None:
    """Remove what a step that did not complete had moved to a folder of its run."""
    for output in outputs:
        if output.path is not None:
            continue
        with suppress(NotFoundError):  # of a datastore that is not known: there is nothing
            datastore = datastore_of(session, output.datastore)
            fs, top = url_to_fs(datastore.resolve(f"azureml/{run_id}"))
            if fs.exists(top):
                fs.rm(top, recursive=True)


def path_fingerprint(datastore: Datastore, path: str) -> str:
    """Return a hash of what is at a path: names and bytes of its files.

    Raises
    ------
    NotFoundError
        When there is nothing.
    """
    place = datastore.resolve(path)
    fs, top = url_to_fs(place)
    if not fs.exists(top):
        raise NotFoundError(f"There is nothing at {path!r} in datastore {datastore.name!r}.")
    names = [top] if fs.isfile(top) else sorted(fs.find(top))
    pairs = [[posixpath.relpath(name, top), _content_mark(fs, name)] for name in names]
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


_MOST_HASHED_BYTES = 64 * 2**20
"""A larger file elsewhere counts by what its file system says of it: reading it takes long."""


def _content_mark(fs: Any, name: str) -> str:
    if Path(name).is_file():
        return hash_file(Path(name))
    if fs.size(name) > _MOST_HASHED_BYTES:
        return str(fs.ukey(name))
    return hashlib.sha256(fs.cat_file(name)).hexdigest()


def _hash(place: str) -> str | None:
    """Return the SHA-256 of a file here or elsewhere, None where there is none."""
    fs, path = url_to_fs(place)
    if not fs.isfile(path):
        return None
    digest = hashlib.sha256()
    with fs.open(path, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _move(source: Path, place: str, *, is_ours: bool) -> None:
    """Move a file into a datastore, in place of what is there; nobody writes into those of ours."""
    if is_url(place):
        fs, path = url_to_fs(place)
        fs.makedirs(posixpath.dirname(path), exist_ok=True)
        fs.put_file(str(source), path)
        return
    target = Path(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{time.monotonic_ns()}.part")
    shutil.move(source, part)
    if is_ours:
        part.chmod(_READ_ONLY)
    part.replace(target)


def _output_from(content: Mapping[str, Any]) -> KeptOutput:
    files = tuple(KeptFile(**file) for file in content["files"])
    return KeptOutput(**{**content, "files": files})
