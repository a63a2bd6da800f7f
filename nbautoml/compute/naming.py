"""What a cluster elsewhere is called there, so that nobody else's has the name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.compute.cluster_options import ClusterOptions
from nbautoml.compute.configurations import SCHEDULER
from nbautoml.domain.records import ComputeRecord

ATTACHED = "attached"
"""Key of a record's options: the target was attached, not made."""
_LONGEST = 40
"""Kubernetes allows 63 letters, and its own suffixes are to fit."""


def named_for(options: ClusterOptions, name: str, root: Path) -> ClusterOptions:
    """Return options with what only the target's name and workspace can tell.

    Parameters
    ----------
    options : ClusterOptions
        As they were asked for.
    name : str
        The target's name.
    root : pathlib.Path
        Folder of the workspace.
    """
    fill = _FILLERS.get(options.kind)
    if fill is None:
        return options
    return replace(options, place=fill(dict(options.place), unique_name(name), root))


def unique_name(name: str) -> str:
    """Return a name of letters, digits and hyphens that nothing else has.

    Examples
    --------
    >>> unique_name("Big_Cluster")[:21]
    'nbautoml-big-cluster-'
    """
    plain = name.lower().replace("_", "-")[:_LONGEST].strip("-")
    return f"nbautoml-{plain}-{uuid.uuid4().hex[:8]}"


def is_attached(record: ComputeRecord) -> bool:
    """Whether a target was attached, so that it is detached and not deleted."""
    return record.kind == SCHEDULER or bool(record.options.get(ATTACHED))


def _for_slurm(place: dict[str, Any], unique: str, root: Path) -> Mapping[str, Any]:
    del root
    return {**place, "job_name": unique}


def _for_kubernetes(place: dict[str, Any], unique: str, root: Path) -> Mapping[str, Any]:
    return {**place, "cluster_name": unique, "folder": str(root)}


_FILLERS: Mapping[str, Callable[[dict[str, Any], str, Path], Mapping[str, Any]]] = {
    "Slurm": _for_slurm,
    "Kubernetes": _for_kubernetes,
}
