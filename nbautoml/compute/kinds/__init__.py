"""The kinds of compute targets, one a file."""

from __future__ import annotations

from collections.abc import Mapping

from nbautoml.compute.kinds._base import Backend as Backend
from nbautoml.compute.kinds.cluster import CLUSTER as CLUSTER
from nbautoml.compute.kinds.cluster import ClusterBackend as ClusterBackend
from nbautoml.compute.kinds.gateway import GATEWAY as GATEWAY
from nbautoml.compute.kinds.gateway import GatewayBackend
from nbautoml.compute.kinds.kubernetes import KUBERNETES as KUBERNETES
from nbautoml.compute.kinds.kubernetes import KubernetesBackend
from nbautoml.compute.kinds.local import LOCAL as LOCAL
from nbautoml.compute.kinds.local import LocalBackend
from nbautoml.compute.kinds.scheduler import SCHEDULER as SCHEDULER
from nbautoml.compute.kinds.scheduler import SchedulerBackend
from nbautoml.compute.kinds.slurm import SLURM as SLURM
from nbautoml.compute.kinds.slurm import SlurmBackend
from nbautoml.compute.kinds.ssh import SSH as SSH
from nbautoml.compute.kinds.ssh import SshBackend
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import NotAvailableError
from nbautoml.store.session import Session

CLUSTERS: Mapping[str, type[ClusterBackend]] = {
    backend.kind: backend
    for backend in (ClusterBackend, SshBackend, SlurmBackend, GatewayBackend, KubernetesBackend)
}
"""Kinds that have a process of their own, which starts and ends nodes."""

_KINDS: Mapping[str, type[ClusterBackend] | type[SchedulerBackend]] = {
    **CLUSTERS,
    SchedulerBackend.kind: SchedulerBackend,
}


def backend_of(session: Session, record: ComputeRecord | None) -> Backend:
    """Return the backend of a target; None is the local one.

    Raises
    ------
    NotAvailableError
        When this version does not know its kind.
    """
    if record is None:
        return LocalBackend()
    if record.kind not in _KINDS:
        raise NotAvailableError(
            f"Compute target '{record.name}' is of type '{record.kind}', which this version of "
            f"nbautoml cannot use. Use '{LOCAL}', or a newer version."
        )
    return _KINDS[record.kind](session, record)


def cluster_of(session: Session, record: ComputeRecord | None) -> ClusterBackend | None:
    """Return the backend of a target that has a process of its own; None for the others."""
    if record is None or record.kind not in CLUSTERS:
        return None
    return CLUSTERS[record.kind](session, record)
