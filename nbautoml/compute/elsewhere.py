"""Clusters whose nodes are elsewhere: hosts by ssh, Slurm jobs, a gateway, Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: options of a gateway

from nbautoml.compute.cluster_options import (
    DEFAULT_IDLE_SECONDS,
    DEFAULT_MAX_NODES,
    ClusterOptions,
)
from nbautoml.compute.clusters import bytes_of
from nbautoml.compute.configurations import AttachConfiguration, ProvisioningConfiguration
from nbautoml.compute.kinds import GATEWAY, KUBERNETES, SLURM, SSH, ClusterBackend
from nbautoml.compute.naming import ATTACHED
from nbautoml.compute.places import GatewayPlace, KubernetesPlace, SlurmPlace, SshPlace
from nbautoml.compute.target import ComputeTarget
from nbautoml.errors import ConfigError


class SshCluster(ComputeTarget):
    """A cluster of machines that are reached by ssh; each is a node."""

    @staticmethod
    def provisioning_configuration(
        hosts: Sequence[str],
        *,
        cores: int = 1,
        memory_gb: float | None = None,
        gpus: int = 0,
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds: float = DEFAULT_IDLE_SECONDS,
        user: str = "",
        port: int | None = None,
        key_file: str = "",
        python: str = "",
        scheduler_host: str = "",
        ssh_options: Sequence[str] = (),
        description: str = "",
    ) -> ProvisioningConfiguration:
        """Describe a cluster of machines.

        Each needs this nbautoml, a way in by ssh without a question (a key), a way back to this
        machine, and the workspace's folder under the same path.

        Parameters
        ----------
        hosts : sequence of str
            Names or addresses; the first ones are used first.
        cores : int, default 1
            Trials that each runs at a time.
        memory_gb : float, optional
            Memory in GiB that the trials of each may fill together; by default there is no limit.
        gpus : int, default 0
            Graphics cards of each.
        min_nodes, max_nodes : int, default 0 and all
            Fewest and most machines that work.
        idle_seconds : float, default 1800
            How long there has to be nothing to do before nodes end.
        user, port, key_file : str, int, str
            As for the program ssh; by default its configuration decides.
        python : str, default ""
            Python there; by default the path of the one that runs now.
        scheduler_host : str, default ""
            Name or address of this machine as they see it; by default it is found out.
        ssh_options : sequence of str, default empty
            More options, such as ``"ProxyJump=gate"``.
        description : str, default ""
            For people.

        Raises
        ------
        ConfigError
            When a name or a number cannot be.
        """
        if isinstance(hosts, str):
            raise ConfigError(f"hosts must be a list of names; got {hosts!r}: write [{hosts!r}].")
        place = SshPlace(
            hosts=tuple(hosts),
            user=user,
            port=port,
            key_file=key_file,
            python=python,
            scheduler_host=scheduler_host,
            ssh_options=tuple(ssh_options),
        )
        most = len(place.hosts) if max_nodes is None else min(max_nodes, len(place.hosts))
        return ProvisioningConfiguration(
            options=ClusterOptions(
                kind=SSH,
                place=place.to_dict(),
                min_nodes=min_nodes,
                max_nodes=most,
                idle_seconds=idle_seconds,
                cores=cores,
                memory_bytes=bytes_of(memory_gb),
                gpus=gpus,
                description=description,
            )
        )


class RemoteCompute(ComputeTarget):
    """The SDK's machine that is attached; here a cluster of one machine by ssh."""

    @staticmethod
    def attach_configuration(
        username: str = "",
        address: str = "",
        resource_id: str | None = None,
        ssh_port: int = 22,
        *,
        password: str | None = None,
        private_key_file: str = "",
        private_key_passphrase: str | None = None,
        cores: int = 1,
        gpus: int = 0,
    ) -> AttachConfiguration:
        """Describe a machine that is there.

        Parameters
        ----------
        username, address, ssh_port : str, str, int
            Account, name or address, and port.
        resource_id : str, optional
            The SDK's name of a machine of Azure, of no use here.
        password, private_key_passphrase : str, optional
            Refused: nobody is there to type them. Put the key into an agent.
        private_key_file : str, default ""
            The key; by default those that ssh finds by itself.
        cores, gpus : int, default 1 and 0
            Trials that it runs at a time, and its graphics cards.

        Raises
        ------
        ConfigError
            When a password is given, or something cannot be.
        """
        del resource_id
        if password or private_key_passphrase:
            raise ConfigError(
                "RemoteCompute takes no password and no passphrase: they would be kept in the "
                "workspace. Give private_key_file, or load the key into ssh-agent."
            )
        options = SshCluster.provisioning_configuration(
            [address],
            cores=cores,
            gpus=gpus,
            user=username,
            port=ssh_port,
            key_file=private_key_file,
        ).options
        record = ClusterBackend.record_options(options)
        return AttachConfiguration(kind=SSH, options={**record, ATTACHED: True})


class SlurmCluster(ComputeTarget):
    """A cluster whose nodes are jobs of a Slurm queue."""

    @staticmethod
    def provisioning_configuration(
        *,
        cores: int = 1,
        memory_gb: float = 4.0,
        gpus: int = 0,
        min_nodes: int = 0,
        max_nodes: int = DEFAULT_MAX_NODES,
        idle_seconds: float = DEFAULT_IDLE_SECONDS,
        partition: str = "",
        account: str = "",
        walltime: str = "",
        prologue: Sequence[str] = (),
        directives: Sequence[str] = (),
        python: str = "",
        scheduler_host: str = "",
        description: str = "",
    ) -> ProvisioningConfiguration:
        """Describe a cluster of jobs.

        Parameters
        ----------
        cores : int, default 1
            Cores of a job: trials that it runs at a time.
        memory_gb : float, default 4
            Memory of a job in GiB.
        gpus : int, default 0
            Graphics cards of a job (``--gres=gpu:n``).
        min_nodes, max_nodes : int, default 0 and 4
            Fewest and most jobs.
        idle_seconds : float, default 1800
            How long there has to be nothing to do before jobs end.
        partition, account, walltime : str, default ""
            As for sbatch; by default Slurm decides.
        prologue : sequence of str, default empty
            Shell commands at the start of each job, such as ``"module load cuda"``.
        directives : sequence of str, default empty
            More options of sbatch, such as ``"--constraint=avx2"``.
        python : str, default ""
            Python of the jobs; by default the path of the one that runs now.
        scheduler_host : str, default ""
            Name or address of this machine as the nodes see it; by default it is found out.
        description : str, default ""
            For people.

        Raises
        ------
        ConfigError
            When a name or a number cannot be.
        """
        place = SlurmPlace(
            partition=partition,
            account=account,
            walltime=walltime,
            prologue=tuple(prologue),
            directives=tuple(directives),
            python=python,
            scheduler_host=scheduler_host,
        )
        return ProvisioningConfiguration(
            options=ClusterOptions(
                kind=SLURM,
                place=place.to_dict(),
                min_nodes=min_nodes,
                max_nodes=max_nodes,
                idle_seconds=idle_seconds,
                cores=cores,
                memory_bytes=bytes_of(memory_gb),
                gpus=gpus,
                description=description,
            )
        )


class GatewayCluster(ComputeTarget):
    """A cluster that a server of dask-gateway keeps."""

    @staticmethod
    def provisioning_configuration(
        address: str = "",
        *,
        cores: int = 1,
        gpus: int = 0,
        min_nodes: int = 0,
        max_nodes: int = DEFAULT_MAX_NODES,
        idle_seconds: float = DEFAULT_IDLE_SECONDS,
        proxy_address: str = "",
        auth: str = "",
        cluster_options: Mapping[str, Any] | None = None,
        description: str = "",
    ) -> ProvisioningConfiguration:
        """Describe a cluster of a gateway.

        Parameters
        ----------
        address : str, default ""
            Of the server; by default that of Dask's configuration (``gateway.address``).
        cores : int, default 1
            Cores of the server's workers: trials that each runs at a time.
        gpus : int, default 0
            Graphics cards of each, where the server starts workers with the resource ``GPU``.
        min_nodes, max_nodes : int, default 0 and 4
            Fewest and most workers.
        idle_seconds : float, default 1800
            How long there has to be nothing to do before workers end.
        proxy_address : str, default ""
            Where schedulers are reached, if that is elsewhere.
        auth : {"", "basic", "kerberos", "jupyterhub"}
            Who says who you are; by default as Dask's configuration has it.
        cluster_options : mapping, optional
            Options that the server offers, such as ``{"worker_cores": 2}``.
        description : str, default ""
            For people.

        Raises
        ------
        ConfigError
            When a name or a number cannot be.
        """
        place = GatewayPlace(
            address=address,
            proxy_address=proxy_address,
            auth=auth,
            cluster_options=dict(cluster_options or {}),
        )
        return ProvisioningConfiguration(
            options=ClusterOptions(
                kind=GATEWAY,
                place=place.to_dict(),
                min_nodes=min_nodes,
                max_nodes=max_nodes,
                idle_seconds=idle_seconds,
                cores=cores,
                gpus=gpus,
                description=description,
            )
        )


class KubernetesCluster(ComputeTarget):
    """A cluster of pods, kept by the operator of dask-kubernetes."""

    @staticmethod
    def provisioning_configuration(
        image: str,
        *,
        cores: int = 1,
        memory_gb: float = 4.0,
        gpus: int = 0,
        min_nodes: int = 0,
        max_nodes: int = DEFAULT_MAX_NODES,
        idle_seconds: float = DEFAULT_IDLE_SECONDS,
        namespace: str = "",
        volume_claim: str = "",
        env: Mapping[str, str] | None = None,
        node_selector: Mapping[str, str] | None = None,
        description: str = "",
    ) -> ProvisioningConfiguration:
        """Describe a cluster of pods.

        Parameters
        ----------
        image : str
            Container image with this nbautoml.
        cores, memory_gb, gpus : int, float, int, default 1, 4 and 0
            What a worker's pod asks for and gets.
        min_nodes, max_nodes : int, default 0 and 4
            Fewest and most workers.
        idle_seconds : float, default 1800
            How long there has to be nothing to do before workers end.
        namespace : str, default ""
            Where pods go; by default that of the current context.
        volume_claim : str, default ""
            Claim of a volume with the workspace's folder, which pods see under the same path.
        env : mapping of str to str, optional
            Environment of the pods.
        node_selector : mapping of str to str, optional
            Labels of the machines that workers may use.
        description : str, default ""
            For people.

        Raises
        ------
        ConfigError
            When a name or a number cannot be.
        """
        place = KubernetesPlace(
            image=image,
            namespace=namespace,
            volume_claim=volume_claim,
            env=dict(env or {}),
            node_selector=dict(node_selector or {}),
        )
        return ProvisioningConfiguration(
            options=ClusterOptions(
                kind=KUBERNETES,
                place=place.to_dict(),
                min_nodes=min_nodes,
                max_nodes=max_nodes,
                idle_seconds=idle_seconds,
                cores=cores,
                memory_bytes=bytes_of(memory_gb),
                gpus=gpus,
                description=description,
            )
        )
