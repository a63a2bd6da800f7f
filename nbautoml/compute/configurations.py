"""What `ComputeTarget.create` and `ComputeTarget.attach` are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from nbautoml.compute.cluster_options import ClusterOptions

SCHEDULER = "DaskScheduler"
"""The type of a Dask scheduler that runs already, as `ComputeTarget.type` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningConfiguration:
    """A cluster that `ComputeTarget.create` is to start."""

    options: ClusterOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachConfiguration:
    """What `ComputeTarget.attach` is to use: a kind of target, and `options` as recorded."""

    options: Mapping[str, Any]
    kind: str = SCHEDULER
