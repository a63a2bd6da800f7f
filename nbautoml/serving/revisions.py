"""What one revision of a deployment serves: copies of models and of an entry script.

A revision is a folder that never changes::

    job.json                    what to load, with hashes; read by the worker
    models/<name>/<version>/    the files of each model
    source/                     the entry script, and the folder that it came with

The files are compared with the hashes of the workspace's store when they are copied, and a
model of nbautoml once more by the worker before it is loaded. Nothing is unpickled here.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any  # Any: JSON values

from nbautoml.domain.records import ArtifactRecord, ModelRecord
from nbautoml.errors import ConfigError, ModelError
from nbautoml.registry.files import MODEL_PATHS_VARIABLE, is_from_run
from nbautoml.registry.model import Model
from nbautoml.serving.configs import InferenceConfig
from nbautoml.serving.folder import write_json
from nbautoml.store.session import Session

BUNDLE_FILES = frozenset({"model.pkl", "manifest.json", "schema.json", "sample.json"})
MAX_SOURCE_BYTES = 300 * 2**20
"""Larger folders are data or environments, not scripts; the SDK had the same limit."""
_LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".ipynb_checkpoints", "__pycache__", ".nbautoml", ".venv", "node_modules")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a revision will serve, checked before anything is written.

    ``bundle`` is the folder of nbautoml's own model among a model's files, and ``files`` its
    records by name; both are empty where an entry script answers.
    """

    models: tuple[Model, ...]
    records: tuple[ModelRecord, ...]
    inference: InferenceConfig | None = None
    bundle: str = ""
    files: Mapping[str, ArtifactRecord] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        """``name:version`` of each model."""
        return tuple(record.id for record in self.records)


def plan_revision(
    session: Session,
    models: Sequence[Model],
    inference: InferenceConfig | None,
    *,
    trust: bool = False,
) -> Plan:
    """Return what models and an entry script make, or say why they make nothing.

    Parameters
    ----------
    session : Session
        The open store.
    models : sequence of Model
        What is served.
    inference : InferenceConfig, optional
        An entry script.
    trust : bool, default False
        Whether a model of nbautoml's form that came from a file may be loaded.

    Raises
    ------
    ConfigError
        When it cannot be told how requests are to be answered.
    ModelError
        When a model from elsewhere would have to be loaded without `trust`.
    NotFoundError
        When a model or the script is not there.
    """
    found = tuple(models)
    wrong = next((m for m in found if not isinstance(m, Model)), None)
    if wrong is not None:
        raise ConfigError(
            f"models of a deployment must be registered models; got {wrong!r}. "
            "Model.register(ws, path, name) makes one."
        )
    with session.read() as tx:
        records = tuple(tx.models.get(model.name, model.version) for model in found)
    if inference is not None:
        inference.validate_configuration()
        return Plan(models=found, records=records, inference=inference)
    if len(records) != 1:
        raise ConfigError(
            f"A deployment without an entry script serves one model; got {len(records)}. "
            "Give inference_config=InferenceConfig(entry_script='score.py', ...)."
        )
    bundle, files = _find_bundle(session, records[0])
    if not trust and not is_from_run(session, records[0].run_id, files["model.pkl"]):
        raise ModelError(
            f"{records[0].id} was registered from a file, and its model.pkl can run any code when "
            "it is loaded. If you know where it comes from: deploy(..., trust=True)."
        )
    return Plan(models=found, records=records, bundle=bundle, files=files)


def _find_bundle(session: Session, record: ModelRecord) -> tuple[str, dict[str, ArtifactRecord]]:
    """Return the folder among a model's files that holds a model of ours, and its files."""
    with session.read() as tx:
        artifacts = tx.artifacts.list(record.owner_id)
    folders: dict[str, dict[str, ArtifactRecord]] = {}
    for artifact in artifacts:
        path = PurePosixPath(artifact.name)
        folders.setdefault(str(path.parent), {})[path.name] = artifact
    for folder, files in sorted(folders.items()):
        if set(files) >= BUNDLE_FILES:
            return folder, files
    raise ConfigError(
        f"{record.id} was not made by nbautoml, so it cannot be told how it answers. Give "
        "inference_config=InferenceConfig(entry_script='score.py') with init() and run(data)."
    )


def make_revision(
    plan: Plan, folder: Path, *, service: str, host: str, threads: int | None
) -> None:
    """Write a revision's folder.

    Parameters
    ----------
    plan : Plan
        What it serves.
    folder : Path
        Where; it must not exist.
    service : str
        The deployment.
    host : str
        Address that it listens on.
    threads : int or None
        Threads that a model may use; None for one, and for all processors where there are many
        rows.

    Raises
    ------
    ConfigError
        When the folder of the entry script is too large.
    StoreError
        When a file of a model is not what was registered.
    """
    folder.mkdir(parents=True, mode=0o700)
    paths = _copy_models(plan, folder)
    own = plan.records[0] if len(plan.records) == 1 else None
    model_dir = f"models/{own.name}/{own.version}" if own else "models"
    if plan.inference is not None:
        entry: dict[str, Any] = {"kind": "script", "script": _copy_source(plan.inference, folder)}
        variables = plan.inference.variables()
        if own:
            _link_to_top(folder / model_dir)
    else:
        entry = {"kind": "bundle", "folder": str(PurePosixPath(model_dir) / plan.bundle)}
        variables = {}
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads or 1))
    job = {
        "service": service,
        "host": host,
        "models": list(plan.ids),
        "entry": entry,
        "threads": threads,
        "model_dir": model_dir,
        "hashes": {name: artifact.sha256 for name, artifact in plan.files.items()},
        "environment": {**counts, **variables, MODEL_PATHS_VARIABLE: json.dumps(paths)},
    }
    write_json(folder / "job.json", job)


def _copy_models(plan: Plan, folder: Path) -> dict[str, str]:
    """Copy the files of all models; return the path of each, by name and by id."""
    (folder / "models").mkdir()
    paths = {}
    for model, record in zip(plan.models, plan.records, strict=True):
        target = folder / "models" / record.name / str(record.version)
        paths[record.id] = paths[record.name] = model.download(target)
    return paths


def _link_to_top(folder: Path) -> None:
    """Let the files of a model's only folder be found beside it, too.

    The SDK's scripts look for ``$AZUREML_MODEL_DIR/model.pkl``, while a bundle is registered as
    the folder ``outputs``.
    """
    inner = list(folder.iterdir())
    if len(inner) == 1 and inner[0].is_dir():
        for file in inner[0].iterdir():
            if file.is_file():
                os.link(file, folder / file.name)


def _copy_source(inference: InferenceConfig, folder: Path) -> str:
    """Copy the entry script and its folder; return where the script is, below the revision."""
    source, script = inference.locate()
    target = folder / "source"
    if source == script:
        target.mkdir()
        shutil.copyfile(script, target / script.name)
        return f"source/{script.name}"
    size = sum(f.stat().st_size for f in source.rglob("*") if f.is_file() and not f.is_symlink())
    if size > MAX_SOURCE_BYTES:
        raise ConfigError(
            f"source_directory {source} holds {size / 2**20:,.0f} MiB; at most "
            f"{MAX_SOURCE_BYTES / 2**20:.0f} are copied. Give a folder that holds only what the "
            "script needs."
        )
    shutil.copytree(source, target, ignore=_LEFT_OUT, ignore_dangling_symlinks=True)
    return f"source/{script.relative_to(source).as_posix()}"
