"""Registered models: what a front shows of them, and what it lets people do with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any  # Any: JSON values

from nbautoml.domain.events import json_safe
from nbautoml.domain.metrics import METRICS, Direction
from nbautoml.domain.records import ArtifactRecord, ModelRecord, RunRecord
from nbautoml.errors import NotFoundError, did_you_mean
from nbautoml.registry.lineage import lineage_of
from nbautoml.services.archive import archive
from nbautoml.services.words import asked_words
from nbautoml.store.session import Reader, Session

SCHEMA = "schema.json"
"""Name, at the end, of the file that says which rows a model takes."""


def model_details(session: Session, name: str) -> dict[str, Any]:
    """Return all versions of a model, newest first.

    Returns
    -------
    dict
        ``name`` and ``versions``: ``version``, ``created_at``, ``description``, ``tags``,
        ``framework``, ``framework_version``, ``stage``, ``aliases``, ``run_id`` (None for one
        from a file),
        ``parent_id`` (the run to show), ``metric`` and ``score`` (None where not known).

    Raises
    ------
    NotFoundError
        When there is no such model.
    """
    with session.read() as tx:
        tx.models.get(name)
        records = sorted(tx.models.list(name=name), key=lambda record: -record.version)
        return {"name": name, "versions": _describe_all(tx, records)}


def version_details(session: Session, name: str, version: int) -> dict[str, Any]:
    """Return what is known of one version.

    Returns
    -------
    dict
        As in `model_details`, and ``properties``, ``files`` (``name``, ``size_bytes``),
        ``metrics`` by name, ``minimized`` (those of which less is better), ``schema``
        (``task``, ``label``, ``columns``), None where the model has none, and ``lineage``, the
        picture of where it comes from and where it is used
        (see `nbautoml.registry.lineage.Picture`).

    Raises
    ------
    NotFoundError
        When there is no such version.
    """
    with session.read() as tx:
        record = tx.models.get(name, version)
        (found,) = _describe_all(tx, [record])
        files = tx.artifacts.list(record.owner_id)
        run_id = record.run_id or ""
        metrics = tx.metrics.last([run_id])[run_id]
    return {
        **found,
        "name": record.name,
        "properties": dict(record.properties),
        "files": [{"name": file.name, "size_bytes": file.size_bytes} for file in files],
        "metrics": {key: json_safe(value) for key, value in sorted(metrics.items())},
        "minimized": [key for key in metrics if _is_minimized(key)],
        "schema": _schema(session, files),
        "lineage": lineage_of(session, record).to_dict(),
    }


def change_version(
    session: Session, name: str, version: int, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Change the description or the tags of a version; return what they are now.

    Parameters
    ----------
    session : Session
        The open store.
    name, version : str, int
        Which version.
    asked : mapping
        ``description``, ``tags`` (all of them from now on), or both.

    Raises
    ------
    ConfigError
        When something else is asked for.
    NotFoundError
        When there is no such version.
    """
    description, tags = asked_words(asked)
    with session.write() as tx:
        gone = set(tx.models.get(name, version).tags) - set(tags) if tags is not None else ()
        record = tx.models.update(
            name, version, description=description, tags=tags, remove_tags=gone
        )
    return {"description": record.description, "tags": dict(record.tags)}


def delete_version(session: Session, name: str, version: int) -> dict[str, Any]:
    """Remove a version; its number is not used again. The run that made it keeps its files.

    Returns
    -------
    dict
        ``name``, ``version``, and ``left``, how many versions the model still has.

    Raises
    ------
    NotFoundError
        When there is no such version.
    ConflictError
        When a deployment serves it.
    """
    with session.write() as tx:
        tx.models.delete(name, version)
        left = len(tx.models.list(name=name))
    return {"name": name, "version": version, "left": left}


def version_file(session: Session, name: str, version: int, file: str) -> Path:
    """Return where a file of a version lies, after checking that it is the registered one.

    Raises
    ------
    NotFoundError
        When there is no such version or file.
    """
    owner, files = _files(session, name, version)
    names = [found.name for found in files]
    if file not in names:
        raise NotFoundError(
            f"{name}:{version} has no file {file!r}.{did_you_mean(file, names)} "
            f"It has: {', '.join(names)}."
        )
    return session.load_artifact(owner, file)


def version_archive(session: Session, name: str, version: int) -> Iterator[bytes]:
    """Return all files of a version as the parts of a zip archive.

    The files are found and checked before this returns; the archive itself is made while it
    is read, so that it needs neither memory nor a disk.

    Raises
    ------
    NotFoundError
        When there is no such version, or it has no files.
    """
    owner, files = _files(session, name, version)
    return archive([(file.name, session.load_artifact(owner, file.name)) for file in files])


def _files(session: Session, name: str, version: int) -> tuple[str, list[ArtifactRecord]]:
    with session.read() as tx:
        owner = tx.models.get(name, version).owner_id
        files = tx.artifacts.list(owner)
    if not files:
        raise NotFoundError(f"{name}:{version} has no files.")
    return owner, files


def _describe_all(tx: Reader, records: Sequence[ModelRecord]) -> list[dict[str, Any]]:
    made_by = [record.run_id for record in records if record.run_id]
    metrics = tx.metrics.last(made_by)
    return [_describe(tx, record, metrics.get(record.run_id or "", {})) for record in records]


def _describe(
    tx: Reader, record: ModelRecord, metrics: Mapping[str, float | None]
) -> dict[str, Any]:
    parent = _parent(tx, record.run_id)
    metric = parent.properties.get("primary_metric") if parent else None
    return {
        "version": record.version,
        "created_at": record.created_at,
        "description": record.description,
        "tags": dict(record.tags),
        "framework": record.framework,
        "framework_version": record.framework_version,
        "stage": record.stage.value,
        "aliases": list(record.aliases),
        "run_id": record.run_id,
        "parent_id": parent.id if parent else None,
        "metric": metric,
        "score": metrics.get(metric) if metric else None,
    }


def _parent(tx: Reader, run_id: str | None) -> RunRecord | None:
    """Return the run whose view shows what made a model."""
    if not run_id or not tx.runs.exists(run_id):
        return None
    run = tx.runs.get(run_id)
    return tx.runs.get(run.parent_id) if run.parent_id else run


def _is_minimized(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].direction is Direction.MINIMIZE


def _schema(session: Session, files: Sequence[ArtifactRecord]) -> dict[str, Any] | None:
    found = [file for file in files if PurePosixPath(file.name).name == SCHEMA]
    if len(found) != 1:
        return None
    try:
        content = json.loads(session.load_artifact(found[0].owner, found[0].name).read_bytes())
        columns = [
            {"name": str(c["name"]), "dtype": str(c["dtype"]), "is_nullable": c["is_nullable"]}
            for c in content["columns"]
        ]
    except (ValueError, KeyError, TypeError):  # a file of that name that is something else
        return None
    return {"task": content.get("task"), "label": content.get("label"), "columns": columns}
