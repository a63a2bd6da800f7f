"""Outputs that become registered datasets when their step has completed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any  # Any: JSON values

from nbautoml.data.definition import Definition
from nbautoml.data.named import SUFFIXES
from nbautoml.data.readers import READERS
from nbautoml.errors import DatasetError
from nbautoml.pipelines.frozen import FrozenOutput
from nbautoml.pipelines.outputs import KeptOutput
from nbautoml.pipelines.tables import table_of
from nbautoml.runs.details import OUTPUT_DATASETS
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

_READERS = {
    "from_delimited_files": "delimited",
    "from_parquet_files": "parquet",
    "from_json_lines_files": "json_lines",
}


def register_outputs(
    session: Session, run_id: str, output: FrozenOutput, made: KeptOutput
) -> list[str]:
    """Register an output under the names that were asked for.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The step's run, which is told the ids of its datasets.
    output : FrozenOutput
        What was asked for.
    made : KeptOutput
        What the step wrote.

    Returns
    -------
    list of str
        What could not be done, a sentence each: the step is not lost for it.
    """
    notes: list[str] = []
    ids: list[str] = []
    for wanted in output.register_as:
        try:
            ids.append(_register(session, made, wanted))
        except DatasetError as error:
            notes.append(
                f"Output {made.name!r} was not registered as {wanted['name']!r}: {error} The files "
                "are kept all the same."
            )
    if ids:
        with session.write() as tx:
            known = json.loads(tx.runs.get(run_id).properties.get(OUTPUT_DATASETS, "[]"))
            tx.runs.set_properties(run_id, {OUTPUT_DATASETS: json.dumps([*known, *ids])})
    return notes


def _register(session: Session, made: KeptOutput, wanted: Mapping[str, Any]) -> str:
    table = wanted["table"] or _table_by_names(made).to_dict()
    dataset = table_of(session, made, table).register(
        WorkspaceHandle(session),
        str(wanted["name"]),
        description=wanted["description"] or None,
        tags=wanted["tags"],
        create_new_version=True,
    )
    return str(dataset.id)


def _table_by_names(made: KeptOutput) -> Definition:
    """Return how files are read by the ends of their names."""
    names = [(file.path or made.name).lower() for file in made.files]
    for call, ends in SUFFIXES.items():
        if names and all(name.endswith(ends) for name in names):
            reader = _READERS[call]
            return Definition(reader=reader, options=READERS.get(reader).accept_options({}))
    shown = ", ".join(names[:3]) or "no files"
    raise DatasetError(
        f"Datasets are tables here, and these files are none of a kind that is read: {shown}. "
        "Write .csv, .parquet or .jsonl, or read the files from the datastore."
    )
