"""Inputs of a script by name: what ``run.input_datasets`` gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbautoml.runs.workspace_handle import WorkspaceHandle

if TYPE_CHECKING:
    from nbautoml.data.tabular import TabularDataset
    from nbautoml.store.session import Session

INPUT_DATASETS = "input_datasets"
"""Property of a run: JSON of the name of each input to the id of a dataset, or to a path."""


def named_inputs(
    session: Session, properties: Mapping[str, str]
) -> dict[str, TabularDataset | str]:
    """Return the inputs of a run: a dataset each, or the path of files on this machine.

    Parameters
    ----------
    session : Session
        The open store.
    properties : mapping of str to str
        Those of the run.
    """
    from nbautoml.data.dataset import Dataset  # pandas, which few scripts need for their context

    told = json.loads(properties.get(INPUT_DATASETS, "{}"))
    workspace = WorkspaceHandle(session)
    return {
        name: Dataset.get_by_id(workspace, given["dataset"])
        if "dataset" in given
        else str(given["path"])
        for name, given in told.items()
    }
