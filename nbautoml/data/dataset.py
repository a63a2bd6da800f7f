"""Door to datasets, and what a run needs of them: capture its inputs, load them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nbautoml.data.factory import FileDatasetFactory, TabularDatasetFactory
from nbautoml.data.locate import find_context
from nbautoml.data.materialise import find_record, freeze_frame, save_content
from nbautoml.data.reading import read_frame
from nbautoml.data.tabular import TabularDataset, as_dataset, from_record
from nbautoml.data.types import shorten
from nbautoml.domain.records import DatasetRecord
from nbautoml.engine.heap import give_back_memory
from nbautoml.errors import ConfigError, DatasetError, did_you_mean

if TYPE_CHECKING:
    from nbautoml.store.session import HasSession, Session

__all__ = ["Dataset", "TabularDataset", "as_dataset", "capture", "load_frame"]


class Dataset:
    """Door to datasets, in the SDK's spelling."""

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    @staticmethod
    def get_by_name(
        workspace: HasSession, name: str, version: int | str = "latest"
    ) -> TabularDataset:
        """Return a registered dataset.

        Parameters
        ----------
        workspace : Workspace
            Where it is registered.
        name : str
            Its name.
        version : int or "latest"
            Which version, from 1.

        Raises
        ------
        NotFoundError
            When there is no such name or version.
        """
        number = _accept_version(version)
        with workspace.session.read() as tx:
            record = tx.datasets.get(name, number)
        return from_record(workspace.session, record)

    @staticmethod
    def get_by_id(workspace: HasSession, id: str) -> TabularDataset:  # noqa: A002 - SDK's name
        """Return a dataset by its id.

        Raises
        ------
        NotFoundError
            When the workspace has no dataset of that id.
        """
        with workspace.session.read() as tx:
            record = tx.datasets.get_by_id(id)
        return from_record(workspace.session, record)

    @staticmethod
    def get_all(workspace: HasSession) -> dict[str, TabularDataset]:
        """Return the latest version of each registered dataset, by name."""
        with workspace.session.read() as tx:
            records = tx.datasets.list()
        return {record.name: from_record(workspace.session, record) for record in records}


def capture(session: Session, value: TabularDataset | pd.DataFrame, *, label: str) -> DatasetRecord:
    """Keep the input of a run, so that it can be read again whatever becomes of its source.

    Parameters
    ----------
    session : Session
        The workspace.
    value : TabularDataset or pandas.DataFrame
        The input. A version that the workspace keeps already is not kept again.
    label : str
        Name of the label column, which must be there; empty for an input without one.

    Returns
    -------
    DatasetRecord
        Equal content gives the same record.

    Raises
    ------
    DatasetError
        When it cannot be read, is no table, has no rows, or lacks the label column.
    """
    dataset = as_dataset(value)
    if dataset.id is not None:
        known = find_record(session, dataset.id)
        if known is not None and known.fingerprint == dataset.fingerprint:
            _check_label(dataset.take(1).to_pandas_dataframe(), label)
            return known
    context = find_context(dataset.session or session)
    frame = read_frame(dataset.definition, context, frame=dataset.frame)
    if frame.empty:
        raise DatasetError("The data has no rows. Pass data to learn from.")
    _check_label(frame, label)
    record = save_content(session, freeze_frame(frame), origin=dataset.definition.to_dict())
    give_back_memory()  # freezing took a copy of the frame
    return record


def load_frame(session: Session, dataset_id: str) -> pd.DataFrame:
    """Return the content of a stored dataset.

    Parameters
    ----------
    session : Session
        The workspace.
    dataset_id : str
        Id of a registered or captured dataset.

    Raises
    ------
    NotFoundError
        When the workspace has no dataset of that id.
    """
    with session.read() as tx:
        record = tx.datasets.get_by_id(dataset_id)
    return from_record(session, record).to_pandas_dataframe()


def _check_label(frame: pd.DataFrame, label: str) -> None:
    if label and label not in frame.columns:
        raise DatasetError(
            f"The label column {label!r} is not in the data.{did_you_mean(label, frame.columns)} "
            f"Columns: {shorten(frame.columns)}."
        )


def _accept_version(version: int | str) -> int | None:
    if version == "latest" or version is None:
        return None
    try:
        number = int(version)
    except (TypeError, ValueError):
        number = 0
    if number < 1 or isinstance(version, (bool, float)):
        raise ConfigError(f"version must be 'latest' or a number from 1; got {version!r}.")
    return number
