"""What a front shows of a registered dataset, and what it lets people do with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any  # Any: JSON values
from urllib.parse import urlsplit, urlunsplit

from nbautoml.domain.ids import content_owner
from nbautoml.domain.records import DatasetRecord, ModelRecord, RunRecord
from nbautoml.domain.run_inputs import input_datasets
from nbautoml.errors import NbAutoMLError, NotFoundError
from nbautoml.runs import files
from nbautoml.runs.child_process import run_apart
from nbautoml.runs.details import OUTPUT_DATASETS
from nbautoml.services.words import asked_words
from nbautoml.store.session import Reader, Session

CONTENT = "view/content-1.json"
"""Artifact of a content: statistics of its columns and its first rows. Another shape gets
another number."""
MOST_SEARCHED = 500
"""Newest runs among which those that used a dataset are looked for."""


def dataset_details(session: Session, dataset_id: str) -> dict[str, Any]:
    """Return what is known of a version of a dataset without reading its content.

    Returns
    -------
    dict
        ``id``, ``name``, ``version``, ``description``, ``tags``, ``rows``, ``columns``,
        ``created_at``, ``fingerprint``; ``origin`` (``reader``, ``sources`` and ``steps`` that
        it came from); ``versions`` of the same name, newest first; ``used_by``, the runs that
        took it as input, ``made_by``, the run that made it, and ``models`` that learned from it.

    Raises
    ------
    NotFoundError
        When there is no such dataset.
    """
    with session.read() as tx:
        record = tx.datasets.get_by_id(dataset_id)
        versions = tx.datasets.versions(record.name) if record.name else [record]
        lineage = _lineage(tx, dataset_id)
    return {
        **_summary(record),
        "name": record.name,
        "tags": dict(record.tags),
        "fingerprint": record.fingerprint,
        "origin": _origin(record.definition.get("origin", {})),
        "versions": [_summary(version) for version in reversed(versions)],
        **lineage,
    }


def dataset_content(session: Session, dataset_id: str) -> dict[str, Any]:
    """Return statistics of a dataset's columns, and its first rows.

    They are computed when they are first asked for, in a process of its own, and kept with the
    content.

    Returns
    -------
    dict
        See `nbautoml.services.dataset_content`.

    Raises
    ------
    NotFoundError
        When there is no such dataset.
    NbAutoMLError
        When its content cannot be read; the message says why.
    """
    with session.read() as tx:
        record = tx.datasets.get_by_id(dataset_id)
    owner = content_owner(record.fingerprint)
    if CONTENT not in files.names(session, owner, CONTENT):
        problem = run_apart(session, "", "nbautoml.services.dataset_content", dataset_id)
        if problem:
            raise NbAutoMLError(f"The content of {_title(record)} cannot be shown: {problem}")
    content: dict[str, Any] = files.read_json(session, owner, CONTENT)
    return content


def change_dataset(session: Session, dataset_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Change the description or the tags of a version; return its summary.

    Parameters
    ----------
    session : Session
        The open store.
    dataset_id : str
        Which version.
    asked : mapping
        ``description``, ``tags`` (all of them from now on), or both.

    Raises
    ------
    ConfigError
        When something else is asked for.
    NotFoundError
        When there is no such dataset.
    """
    description, tags = asked_words(asked)
    with session.write() as tx:
        record = tx.datasets.update(dataset_id, description=description, tags=tags)
    return {**_summary(record), "tags": dict(record.tags)}


def unregister_dataset(session: Session, dataset_id: str) -> dict[str, Any]:
    """Take the name of a dataset off all its versions; their content stays under their ids.

    Returns
    -------
    dict
        ``name`` and ``versions``, how many there were.

    Raises
    ------
    NotFoundError
        When there is no such dataset, or it has no name.
    """
    with session.write() as tx:
        record = tx.datasets.get_by_id(dataset_id)
        if not record.name:
            raise NotFoundError(f"The dataset {dataset_id} is not registered under a name.")
        n_versions = tx.datasets.unregister(record.name)
    return {"name": record.name, "versions": n_versions}


def _summary(record: DatasetRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "version": record.version,
        "description": record.description,
        "rows": record.n_rows,
        "columns": record.n_columns,
        "created_at": record.created_at,
    }


def _title(record: DatasetRecord) -> str:
    return f"{record.name!r}, version {record.version}" if record.name else record.id


def _lineage(tx: Reader, dataset_id: str) -> dict[str, Any]:
    runs = tx.runs.list(limit=MOST_SEARCHED)
    used_by = [_use(run, roles) for run in runs if (roles := _roles(run, dataset_id))]
    made_by = next((run.id for run in runs if dataset_id in _made(run)), None)
    known = {use["run_id"] for use in used_by}
    models = [m for m in tx.models.list() if _learned_from(m, dataset_id, known)]
    return {
        "used_by": used_by,
        "made_by": made_by,
        "models": [{"name": m.name, "version": m.version, "run_id": m.run_id} for m in models],
    }


def _roles(run: RunRecord, dataset_id: str) -> list[str]:
    return [role for role, used in input_datasets(run.settings) if used == dataset_id]


def _use(run: RunRecord, roles: Sequence[str]) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "experiment": run.experiment,
        "status": run.status.value,
        "created_at": run.created_at,
        "roles": list(roles),
    }


def _made(run: RunRecord) -> list[str]:
    made: list[str] = json.loads(run.properties.get(OUTPUT_DATASETS, "[]"))
    return made


def _learned_from(model: ModelRecord, dataset_id: str, runs: set[str]) -> bool:
    """Whether the model says so itself, or a run that used the dataset (or its child) made it."""
    if dataset_id in (used for _, used in model.datasets):
        return True
    run_id = model.run_id or ""
    return run_id in runs or run_id.rpartition("_")[0] in runs


def _origin(definition: Mapping[str, Any]) -> dict[str, Any]:
    steps = definition.get("steps", ())
    return {
        "reader": definition.get("reader", ""),
        "sources": [_source(source) for source in definition.get("sources", ())],
        "steps": [" ".join(map(str, (s["kind"], *s.get("params", {}).values()))) for s in steps],
    }


def _source(source: Mapping[str, Any]) -> str:
    """Return where content came from, without what may be a secret of an address."""
    uri = str(source.get("uri", ""))
    if not uri:
        return "kept in the workspace"
    if "://" not in uri:
        return uri
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
