"""Outputs of steps as tables: read in the way that was said, and kept as datasets."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any  # Any: JSON values

from nbautoml.data.dataset import capture
from nbautoml.data.definition import Definition, Source
from nbautoml.data.tabular import TabularDataset
from nbautoml.domain.records import DatasetRecord
from nbautoml.errors import DatasetError
from nbautoml.pipelines.outputs import KeptOutput, datastore_of

if TYPE_CHECKING:
    from nbautoml.store.session import Session


def table_of(session: Session, output: KeptOutput, table: Mapping[str, Any]) -> TabularDataset:
    """Return the files of an output as a table.

    Parameters
    ----------
    session : Session
        The open store.
    output : KeptOutput
        The output.
    table : mapping
        How its files are read: a `Definition` without sources, as JSON.

    Raises
    ------
    DatasetError
        When the output has no files.
    """
    if not output.files:
        raise DatasetError(
            f"Output {output.name!r} has no files to read as a table: its step wrote none."
        )
    root = datastore_of(session, output.datastore).resolve(output.path)
    places = [posixpath.join(root, file.path) if file.path else root for file in output.files]
    sources = tuple(Source(uri=place) for place in places)
    definition = replace(Definition.from_dict(table), sources=sources)
    return TabularDataset(definition, session=session)


def capture_table(
    session: Session, output: KeptOutput, table: Mapping[str, Any], *, label: str = ""
) -> DatasetRecord:
    """Keep the table of an output as a dataset without a name; equal content is kept once.

    Parameters
    ----------
    session : Session
        The open store.
    output : KeptOutput
        The output.
    table : mapping
        How its files are read.
    label : str, default ""
        A column that must be there.
    """
    return capture(session, table_of(session, output, table), label=label)
