"""Names of runs (``AutoML_<guid>``, ``AutoML_<guid>_<n>`` for a child) and of owners of files."""

from __future__ import annotations

import uuid


def new_run_id(prefix: str = "AutoML") -> str:
    """Return a new parent run id such as ``AutoML_5f0c…``.

    Parameters
    ----------
    prefix : str, default "AutoML"
        What kind of run it is.
    """
    return f"{prefix}_{uuid.uuid4()}"


def child_run_id(parent_id: str, number: int) -> str:
    """Return the id of the `number`-th child (0-based) of a parent run.

    Examples
    --------
    >>> child_run_id("AutoML_x", 3)
    'AutoML_x_3'
    """
    return f"{parent_id}_{number}"


def content_owner(fingerprint: str) -> str:
    """Return the owner of the artifacts of a dataset's content: equal content is stored once.

    Examples
    --------
    >>> content_owner("5f0c")
    'dataset:5f0c'
    """
    return f"dataset:{fingerprint}"
