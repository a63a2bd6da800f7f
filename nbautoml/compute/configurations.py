"""What `ComputeTarget.create` and `ComputeTarget.attach` are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from nbautoml.compute.cluster_options import ClusterOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningConfiguration:
    """A cluster that `ComputeTarget.create` is to start."""

    options: ClusterOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachConfiguration:
    """A scheduler that `ComputeTarget.attach` is to use; `options` as they are recorded."""

    options: Mapping[str, Any]
