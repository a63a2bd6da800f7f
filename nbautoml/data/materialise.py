"""Makes content durable: files and frames become artifacts of the workspace, named by hash."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: JSON values

import pandas as pd

from nbautoml.data.definition import Definition, Source
from nbautoml.data.frames import fingerprint_table, to_arrow, to_parquet
from nbautoml.data.readers import LocalFile
from nbautoml.domain.ids import content_owner
from nbautoml.domain.records import DatasetRecord
from nbautoml.errors import NotFoundError

if TYPE_CHECKING:
    from nbautoml.store.session import Session

FRAME_NAME = "frame.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a version of a dataset holds, before or after it was stored.

    Parameters
    ----------
    fingerprint : str
        SHA-256; equal for equal content.
    definition : Definition
        Reads the stored content.
    files : tuple of (str, pathlib.Path or function)
        Artifact names and what to store under them; the function makes the bytes.
    n_rows, n_columns : int
        Size of the table.
    """

    fingerprint: str
    definition: Definition
    files: tuple[tuple[str, Path | Callable[[], bytes]], ...]
    n_rows: int
    n_columns: int

    @property
    def owner(self) -> str:
        """Owner of the artifacts: equal content is stored once."""
        return content_owner(self.fingerprint)


def freeze_frame(frame: pd.DataFrame, label: str = "The DataFrame") -> Content:
    """Return a frame as content: one Parquet file, fingerprint of its Arrow form."""
    table = to_arrow(frame, label)
    fingerprint = fingerprint_table(table)
    source = Source(owner=content_owner(fingerprint), name=FRAME_NAME)
    return Content(
        fingerprint=fingerprint,
        definition=Definition(reader="parquet", sources=(source,)),
        files=((FRAME_NAME, partial(to_parquet, table)),),
        n_rows=len(frame),
        n_columns=frame.shape[1],
    )


def freeze_files(
    definition: Definition, files: Sequence[LocalFile], n_rows: int, n_columns: int
) -> Content:
    """Return files as content: their own bytes, read with the same options again."""
    hashes = [hash_file(file.path) for file in files]
    settings = replace(definition, sources=()).to_dict()
    canonical = json.dumps([settings, hashes], sort_keys=True, separators=(",", ":"))
    fingerprint = hashlib.sha256(b"files\0" + canonical.encode()).hexdigest()
    names = [f"file-{i:05d}" for i in range(len(files))]
    owner = content_owner(fingerprint)
    sources = tuple(Source(owner=owner, name=name) for name in names)
    return Content(
        fingerprint=fingerprint,
        definition=replace(definition, sources=sources),
        files=tuple((name, file.path) for name, file in zip(names, files, strict=True)),
        n_rows=n_rows,
        n_columns=n_columns,
    )


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def store_content(session: Session, content: Content) -> None:
    """Store the artifacts of a content that the workspace does not hold yet."""
    with session.read() as tx:
        stored = {record.name for record in tx.artifacts.list(content.owner)}
    for name, source in content.files:
        if name not in stored:
            data = source if isinstance(source, Path) else source()
            session.save_artifact(content.owner, name, data)


def register_content(
    session: Session,
    content: Content,
    name: str,
    *,
    origin: Mapping[str, Any],
    description: str,
    tags: Mapping[str, str],
    create_new_version: bool,
) -> DatasetRecord:
    """Store a content and give it the next version of a name, or find the version it has."""
    store_content(session, content)
    with session.write() as tx:
        return tx.datasets.register(
            name,
            id=str(uuid.uuid4()),
            definition={**content.definition.to_dict(), "origin": dict(origin)},
            fingerprint=content.fingerprint,
            description=description,
            tags=dict(tags),
            create_new_version=create_new_version,
            n_rows=content.n_rows,
            n_columns=content.n_columns,
        )


def save_content(session: Session, content: Content, *, origin: Mapping[str, Any]) -> DatasetRecord:
    """Store a content without a name; equal content gets the same record each time."""
    dataset_id = str(uuid.UUID(content.fingerprint[:32]))
    known = find_record(session, dataset_id)
    if known is not None:
        return known
    store_content(session, content)
    record = DatasetRecord(
        id=dataset_id,
        name="",
        version=0,
        fingerprint=content.fingerprint,
        definition={**content.definition.to_dict(), "origin": dict(origin)},
        created_at=time.time(),
        n_rows=content.n_rows,
        n_columns=content.n_columns,
    )
    with session.write() as tx:
        return tx.datasets.save_unregistered(record)


def find_record(session: Session, dataset_id: str) -> DatasetRecord | None:
    """Return the record of an id, or None."""
    try:
        with session.read() as tx:
            return tx.datasets.get_by_id(dataset_id)
    except NotFoundError:
        return None
