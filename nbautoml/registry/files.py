"""Files of models: which there are at a path, where a copy goes, which one is the pickle."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from nbautoml.domain.records import ArtifactRecord
from nbautoml.errors import ModelError, NotFoundError, did_you_mean
from nbautoml.registry.trust import check_hash
from nbautoml.store.session import Session

PICKLES = (".pkl", ".pickle", ".joblib")
MODEL_PATHS_VARIABLE = "NBAUTOML_MODEL_PATHS"
"""Variable of a deployment's process: JSON of ``name`` and ``name:version`` to a path."""


def local_files(path: Path) -> Iterable[tuple[str, Path]]:
    """Return name and place of the file at a path, or of all files below it."""
    if path.is_file():
        return [(path.name, path)]
    found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else []
    if not found:
        what = "is an empty folder" if path.is_dir() else "does not exist"
        raise NotFoundError(f"model_path of Model.register: {path} {what} (in {Path.cwd()}).")
    base = path.resolve()
    return [(f"{base.name}/{p.relative_to(path).as_posix()}", p) for p in found]


def select_files(
    stored: Iterable[ArtifactRecord], model_path: str, *, run_id: str
) -> list[ArtifactRecord]:
    """Return the files at a path, named relative to the folder that holds the path."""
    stored = list(stored)
    path = PurePosixPath(model_path.strip("/"))
    chosen = [a for a in stored if path in (q := PurePosixPath(a.name), *q.parents)]
    if not chosen or not path.parts:
        names = sorted(a.name for a in stored)
        raise NotFoundError(
            f"Run {run_id} has no file or folder {model_path!r}."
            f"{did_you_mean(model_path, names)} It has: {', '.join(names) or 'no files'}."
        )
    return [replace(a, name=str(PurePosixPath(a.name).relative_to(path.parent))) for a in chosen]


def only_children(
    names: Iterable[str], child_paths: Sequence[str] | None, *, folder: str
) -> list[str]:
    """Return the names of files that are, or lie in, the children that were asked for.

    Parameters
    ----------
    names : iterable of str
        Files as ``<folder>/<path>``.
    child_paths : sequence of str or None
        Files and folders below the folder; None stands for all.
    folder : str
        What was registered, for the message.

    Raises
    ------
    NotFoundError
        When a child is not there.

    Examples
    --------
    >>> only_children(["m/a.pkl", "m/b/c.txt", "m/d.txt"], ["b", "a.pkl"], folder="m")
    ['m/a.pkl', 'm/b/c.txt']
    """
    names = list(names)
    if child_paths is None:
        return names
    below = {name: PurePosixPath(*PurePosixPath(name).parts[1:]) for name in names}
    chosen: set[str] = set()
    for child in (child_paths,) if isinstance(child_paths, str) else child_paths:
        path = PurePosixPath(str(child).strip("/"))
        found = {n for n, inner in below.items() if path in (inner, *inner.parents) and path.parts}
        if not found:
            known = [str(inner) for inner in below.values()]
            raise NotFoundError(
                f"child_paths: {folder} has no file or folder {child!r}."
                f"{did_you_mean(str(child), known)} It has: {', '.join(known)}."
            )
        chosen |= found
    return [name for name in names if name in chosen]


def place_inside(target: Path, name: str) -> Path:
    """Return the place of a stored file below a folder; a name that leads out is refused."""
    root = target.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or path == root:
        raise ModelError(f"The file name {name!r} leads out of {target}; it was not written.")
    return path


def only_pickle(artifacts: Sequence[ArtifactRecord], *, of: str) -> ArtifactRecord:
    """Return the pickle to load: ``model.pkl`` where there is one, else the only pickle.

    A ``model.pkl`` in a folder below another one, such as that of MLflow's format, does not count.
    """
    pickles = [a for a in artifacts if PurePosixPath(a.name).suffix in PICKLES]
    named = [a for a in pickles if PurePosixPath(a.name).name == "model.pkl"]
    depth = min((a.name.count("/") for a in named), default=0)
    chosen = [a for a in named if a.name.count("/") == depth] or pickles
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(a.name for a in artifacts)
    problem = "has no pickle" if not chosen else "has several pickles"
    raise ModelError(f"{of} {problem} to load; its files are: {names}. Use download() instead.")


def is_from_run(session: Session, run_id: str | None, artifact: ArtifactRecord) -> bool:
    """Whether a run of the workspace wrote exactly these bytes."""
    if run_id is None:
        return False
    with session.read() as tx:
        made = tx.artifacts.list(run_id)
    return any(a.sha256 == artifact.sha256 for a in made)


def manifest_of(
    session: Session, run_id: str | None, chosen: ArtifactRecord, files: Sequence[ArtifactRecord]
) -> ArtifactRecord | None:
    """Return the manifest that goes with a pickle: the model's own, or that of its run.

    A notebook may register ``outputs/model.pkl`` alone; what it was made with is then told by
    the run that wrote the same bytes.
    """
    name = str(PurePosixPath(chosen.name).with_name("manifest.json"))
    own = next((a for a in files if a.name == name), None)
    if own is not None or run_id is None:
        return own
    with session.read() as tx:
        made = tx.artifacts.list(run_id)
    twin = next((a for a in made if a.sha256 == chosen.sha256 and _is_served(a.name)), None)
    if twin is None:
        return None
    name = str(PurePosixPath(twin.name).with_name("manifest.json"))
    return next((a for a in made if a.name == name), None)


def _is_served(name: str) -> bool:
    return PurePosixPath(name).suffix in PICKLES


class Downloadable(Protocol):
    """A model whose files can be copied."""

    @property
    def id(self) -> str:
        """``name:version``."""

    def download(self, target_dir: str | Path) -> str:
        """Copy the files to a folder; return the path of the file or folder."""


def kept_copy(model: Downloadable, files: Sequence[ArtifactRecord], folder: Path) -> Path:
    """Return the path of a copy of a model's files that is made once, and checked each time.

    Raises
    ------
    ModelError
        When the copy is not what was registered.
    """
    if not folder.is_dir():
        temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
        try:
            model.download(temporary)
            temporary.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    for file in files:
        check_hash(place_inside(folder, file.name), file.sha256, of=model.id)
    return folder / PurePosixPath(files[0].name).parts[0]


def path_in_service(name: str, version: int | None = None) -> str:
    """Return where the files of a model lie in the deployment that this process belongs to.

    Raises
    ------
    NotFoundError
        In other processes, and when the deployment does not serve that model.
    """
    paths: dict[str, str] = json.loads(os.environ.get(MODEL_PATHS_VARIABLE, "{}"))
    wanted = name if version is None else f"{name}:{version}"
    if wanted in paths:
        return paths[wanted]
    if not paths:
        raise NotFoundError(
            f"get_model_path({name!r}) works in the entry script of a deployment and in the "
            f"script of a run. Elsewhere: Model.get_model_path({name!r}, _workspace=ws)."
        )
    raise NotFoundError(
        f"This deployment does not serve the model {wanted!r}.{did_you_mean(wanted, paths)} "
        f"It serves: {', '.join(paths)}."
    )
