"""From finished parts to one result: types made equal, parts joined in their order."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any  # Any: JSON values

import pyarrow as pa
import pyarrow.parquet as pq

from nbautoml.serving.batch.job import RECORD, Job
from nbautoml.serving.batch.work import CSV, put


def finish(job: Job, n_parts: int, record: Mapping[str, Any]) -> None:
    """Make the result of the parts, and give it its name.

    Parameters
    ----------
    job : Job
        All its parts are finished.
    n_parts : int
        How many there are.
    record : mapping
        What the result is, kept in a folder of parts.
    """
    parts = [job.part(number) for number in range(n_parts)]
    if job.suffix == CSV:
        whole = _join_text(parts, job.folder / f"whole{CSV}")
    else:
        schema = common_schema([pq.read_schema(part) for part in parts])
        if job.is_one_file:
            whole = _join_parquet(parts, schema, job.folder / "whole.parquet")
        else:
            _align(parts, schema)
            put(job.parts_folder / RECORD, json.dumps(dict(record)).encode())
            whole = job.parts_folder
    job.publish(whole)


def common_schema(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return types that hold the values of all parts; texts where nothing else does.

    Examples
    --------
    >>> one, two = pa.schema({"a": pa.int64()}), pa.schema({"a": pa.float64()})
    >>> common_schema([one, two]).field("a").type
    DataType(double)
    """
    if all(schema.equals(schemas[0]) for schema in schemas):
        return schemas[0]
    fields = []
    for name in schemas[0].names:
        found = [pa.schema([schema.field(name)]) for schema in schemas]
        try:
            merged = pa.unify_schemas(found, promote_options="permissive").field(name)
        except pa.ArrowException:
            merged = pa.field(name, pa.string())
        fields.append(merged)
    return pa.schema(fields)


def _align(parts: Sequence[Path], schema: pa.Schema) -> None:
    for part in parts:
        if not pq.read_schema(part).equals(schema):
            temporary = part.with_name(f".{part.name}.{os.getpid()}.tmp")
            pq.write_table(_cast(pq.read_table(part), schema), temporary)
            temporary.replace(part)


def _join_parquet(parts: Sequence[Path], schema: pa.Schema, target: Path) -> Path:
    with target.open("wb") as file:
        with pq.ParquetWriter(file, schema) as writer:
            for part in parts:
                writer.write_table(_cast(pq.read_table(part), schema))
        file.flush()
        os.fsync(file.fileno())
    return target


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table if table.schema.equals(schema) else table.select(schema.names).cast(schema)


def _join_text(parts: Sequence[Path], target: Path) -> Path:
    with target.open("wb") as file:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())
    return target
