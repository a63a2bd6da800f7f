"""Inputs of a script by name: what ``run.input_datasets`` gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nbautoml.runs.workspace_handle import WorkspaceHandle

if TYPE_CHECKING:
    from nbautoml.data.tabular import TabularDataset
    from nbautoml.store.session import Session

INPUT_DATASETS = "input_datasets"
"""Property of a run: JSON of the name of each input to the id of a dataset, or to a path."""


class ReadsInputs:
    """The part of a run that knows its inputs."""

    session: Session
    id: str

    @property
    def input_datasets(self) -> dict[str, TabularDataset | str]:
        """What the run reads by name: a dataset each, or the path of a step's files."""
        from nbautoml.data.dataset import Dataset  # pandas, which few scripts need for their run

        with self.session.read() as tx:
            told = json.loads(tx.runs.get(self.id).properties.get(INPUT_DATASETS, "{}"))
        workspace = WorkspaceHandle(self.session)
        return {
            name: Dataset.get_by_id(workspace, given["dataset"])
            if "dataset" in given
            else str(given["path"])
            for name, given in told.items()
        }
