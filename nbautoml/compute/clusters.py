"""`AmlCompute` and `DaskCluster`: clusters in the SDK's words, and in those of this package."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any  # Any: JSON values

from nbautoml.compute.cluster_options import (
    DEFAULT_IDLE_SECONDS,
    DEFAULT_MAX_NODES,
    ClusterOptions,
)
from nbautoml.compute.configurations import AttachConfiguration, ProvisioningConfiguration
from nbautoml.compute.target import ComputeTarget
from nbautoml.compute.vm_sizes import known_sizes
from nbautoml.errors import ConfigError, did_you_mean

_GIB = 1 << 30


class AmlCompute(ComputeTarget):
    """The SDK's clusters; here they are processes of this machine."""

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: float = DEFAULT_IDLE_SECONDS,
        description: str | None = None,
        **others: object,
    ) -> ProvisioningConfiguration:
        """Describe a cluster.

        Parameters
        ----------
        vm_size : str, default ""
            Name of a size. A known one sets cores, memory and graphics cards of a node, as far
            as this machine has them; another one is a label.
        vm_priority : str, default "dedicated"
            A label.
        min_nodes : int, default 0
            Fewest nodes.
        max_nodes : int, default 4
            Most nodes. Nodes of one machine never have more cores than it, so that fewer may work
            at once.
        idle_seconds_before_scaledown : float, default 1800
            How long there has to be nothing to do before nodes end.
        description : str, optional
            For people.
        **others
            What else the SDK had: users, networks, identities. They mean nothing here.

        Raises
        ------
        ConfigError
            When the numbers do not fit.
        """
        _check_others(others)
        return ProvisioningConfiguration(
            options=ClusterOptions(
                vm_size=vm_size,
                vm_priority=vm_priority,
                min_nodes=min_nodes,
                max_nodes=max(min_nodes, DEFAULT_MAX_NODES) if max_nodes is None else max_nodes,
                idle_seconds=idle_seconds_before_scaledown,
                description=description or "",
            )
        )

    @staticmethod
    def supported_vmsizes(
        workspace: object = None, location: str | None = None
    ) -> builtins.list[dict[str, Any]]:
        """Return the sizes that set cores, memory and graphics cards.

        Parameters
        ----------
        workspace, location
            The SDK's arguments, of no use here.

        Returns
        -------
        list of dict
            ``name``, ``vCPUs``, ``memoryGB`` and ``gpus``.
        """
        del workspace, location
        return known_sizes()


def bytes_of(gib: float | None) -> int | None:
    """Return an amount of memory in bytes.

    Examples
    --------
    >>> bytes_of(0.5)
    536870912
    """
    return None if gib is None else int(gib * _GIB)


class DaskCluster(ComputeTarget):
    """Clusters in the words of this package."""

    @staticmethod
    def provisioning_configuration(
        min_nodes: int = 0,
        max_nodes: int = 1,
        *,
        cores: int | None = None,
        memory_gb: float | None = None,
        gpus: int | None = None,
        idle_seconds: float = DEFAULT_IDLE_SECONDS,
        description: str = "",
    ) -> ProvisioningConfiguration:
        """Describe a cluster of this machine.

        Parameters
        ----------
        min_nodes, max_nodes : int, default 0 and 1
            Fewest and most nodes.
        cores : int, optional
            Cores of a node; by default all of the machine.
        memory_gb : float, optional
            Memory of a node in GiB; by default an equal share of the machine's.
        gpus : int, optional
            Graphics cards of a node, as far as this machine has them; by default none.
        idle_seconds : float, default 1800
            How long there has to be nothing to do before nodes end.
        description : str, default ""
            For people.

        Raises
        ------
        ConfigError
            When the numbers do not fit.
        """
        return ProvisioningConfiguration(
            options=ClusterOptions(
                min_nodes=min_nodes,
                max_nodes=max_nodes,
                cores=cores,
                memory_bytes=bytes_of(memory_gb),
                gpus=gpus,
                idle_seconds=idle_seconds,
                description=description,
            )
        )

    @staticmethod
    def attach_configuration(
        address: str,
        *,
        tls_ca_file: str = "",
        tls_client_cert: str = "",
        tls_client_key: str = "",
    ) -> AttachConfiguration:
        """Describe a scheduler that runs already.

        Parameters
        ----------
        address : str
            ``tcp://host:port`` or ``tls://host:port``.
        tls_ca_file, tls_client_cert, tls_client_key : str, default ""
            Files for TLS.

        Raises
        ------
        ConfigError
            When the address is none, or TLS lacks a file.
        """
        from nbautoml.compute.attached import SchedulerAddress

        scheduler = SchedulerAddress(
            address=address,
            tls_ca_file=tls_ca_file,
            tls_client_cert=tls_client_cert,
            tls_client_key=tls_client_key,
        )
        return AttachConfiguration(options=scheduler.to_dict())


_OTHERS = frozenset(
    {
        *("admin_username", "admin_user_password", "admin_user_ssh_key", "tags", "location"),
        *("remote_login_port_public_access", "enable_node_public_ip", "identity_type"),
        *("identity_id", "subnet_name", "vnet_name", "vnet_resourcegroup_name"),
    }
)


def _check_others(given: Mapping[str, object]) -> None:
    unknown = [name for name in given if name not in _OTHERS]
    if unknown:
        known = [*_OTHERS, "vm_size", "min_nodes", "max_nodes", "idle_seconds_before_scaledown"]
        raise ConfigError(
            f"provisioning_configuration does not know {unknown[0]!r}."
            f"{did_you_mean(unknown[0], known)}"
        )
