"""A cluster whose nodes are hosts that are reached by ssh."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING, ClassVar

from nbautoml.compute.cluster_state import TLS, ClusterState
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.errors import ComputeTargetException, MissingExtraError

if TYPE_CHECKING:
    from nbautoml.compute.connection import Cluster

SSH = "Ssh"
"""The type, as `ComputeTarget.type` has it."""


class SecuredBackend(ClusterBackend):
    """A cluster whose scheduler asks for certificates: it listens beyond this machine."""

    stop_seconds: ClassVar[float] = 25.0

    def workers(self, state: ClusterState) -> Cluster:
        """Return what connects a run to the nodes, with the cluster's certificates."""
        from nbautoml.compute.attached import AttachedWorkers, SchedulerAddress
        from nbautoml.compute.credentials import CA, CERT, KEY

        place = self.folder / TLS
        return AttachedWorkers(
            SchedulerAddress(
                address=state.address,
                tls_ca_file=str(place / CA),
                tls_client_cert=str(place / CERT),
                tls_client_key=str(place / KEY),
            )
        )


class SshBackend(SecuredBackend):
    """Nodes on hosts, one on each."""

    kind: ClassVar[str] = SSH

    def check_programs(self) -> None:
        """Look for the program ssh and for what makes certificates."""
        need_program("ssh", "a cluster of hosts", "Debian: openssh-client")
        need_package("cryptography", "ssh")


def need_program(program: str, what: str, where: str) -> None:
    """Look for a program.

    Raises
    ------
    ComputeTargetException
        When it is not installed.
    """
    if shutil.which(program) is None:
        raise ComputeTargetException(
            f"The program {program}, which {what} needs, is not installed on this machine "
            f"({where})."
        )


def need_package(module: str, extra: str) -> None:
    """Look for an optional package, without loading it.

    Raises
    ------
    MissingExtraError
        When it is not installed.
    """
    if importlib.util.find_spec(module) is None:
        package = module.replace("_", "-")
        raise MissingExtraError(
            f"The package {package} is not installed: pip install 'nbautoml[{extra}]'."
        )
