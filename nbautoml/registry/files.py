"""Files of models: which there are at a path, where a copy goes, which one is the pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from nbautoml.domain.records import ArtifactRecord
from nbautoml.errors import ModelError, NotFoundError, did_you_mean
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


def place_inside(target: Path, name: str) -> Path:
    """Return the place of a stored file below a folder; a name that leads out is refused."""
    root = target.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or path == root:
        raise ModelError(f"The file name {name!r} leads out of {target}; it was not written.")
    return path


def only_pickle(artifacts: Sequence[ArtifactRecord], *, of: str) -> ArtifactRecord:
    """Return the pickle to load: ``model.pkl`` where there is one, else the only pickle."""
    pickles = [a for a in artifacts if PurePosixPath(a.name).suffix in PICKLES]
    named = [a for a in pickles if PurePosixPath(a.name).name == "model.pkl"]
    chosen = named or pickles
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
            f"get_model_path({name!r}) works in the entry script of a deployment. Elsewhere: "
            f"Model(ws, {name!r}).download()."
        )
    raise NotFoundError(
        f"This deployment does not serve the model {wanted!r}.{did_you_mean(wanted, paths)} "
        f"It serves: {', '.join(paths)}."
    )
