"""Where the nodes of a cluster may be, besides this machine: what each kind needs to know.

The values are recorded in the workspace, so that no secret belongs into them: keys stay in files,
passwords in the configuration of the program that asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self  # Any: JSON values

from nbautoml.errors import ConfigError

_HOST = re.compile(r"[A-Za-z0-9_\[\]:][A-Za-z0-9_.:\[\]-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*")
_OPTION = re.compile(r"[A-Za-z]+=[^\n]+")
_TIME = re.compile(r"(\d+-)?\d+(:\d\d){0,2}")
MOST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Base of the descriptions; all fields are JSON values."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        values = asdict(self)
        return {n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the description that `to_dict` wrote; fields of other versions are left out."""
        known = {f.name for f in fields(cls)}
        kept = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items() if n in known}
        return cls(**kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class SshPlace(Place):
    """Hosts that are reached by ssh.

    Parameters
    ----------
    hosts : tuple of str
        Names or addresses; each has one node.
    user : str
        Name there; empty for that of ssh's configuration.
    port : int or None
        Port there; None for that of ssh's configuration.
    key_file : str
        Private key; empty for those that ssh finds by itself.
    python : str
        Python there, with this nbautoml; empty for the path of the one that runs now.
    scheduler_host : str
        Name or address of this machine as the hosts see it; empty to find out.
    ssh_options : tuple of str
        More options for ``ssh -o``, as ``"Name=value"``.

    Raises
    ------
    ConfigError
        When there is no host, or something is no name, port or option.
    """

    hosts: tuple[str, ...]
    user: str = ""
    port: int | None = None
    key_file: str = ""
    python: str = ""
    scheduler_host: str = ""
    ssh_options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.hosts:
            raise ConfigError("hosts of a cluster by ssh must name at least one machine.")
        for host in self.hosts:
            # A name that begins with "-" would be an option of ssh.
            if not isinstance(host, str) or not _HOST.fullmatch(host):
                raise ConfigError(f"A host must be a name or an address; got {host!r}.")
        if len(set(self.hosts)) < len(self.hosts):
            raise ConfigError("hosts must not name a machine twice; give a node more cores.")
        if self.user and not _USER.fullmatch(self.user):
            raise ConfigError(f"user must be the name of an account; got {self.user!r}.")
        if self.port is not None and not 1 <= self.port <= MOST_PORT:
            raise ConfigError(f"port must be 1 to {MOST_PORT}; got {self.port}.")
        for option in self.ssh_options:
            if not _OPTION.fullmatch(option):
                raise ConfigError(f"An option of ssh must be 'Name=value'; got {option!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmPlace(Place):
    """A Slurm queue; each node is a job of its own.

    Parameters
    ----------
    job_name : str
        Name of all its jobs; made when the target is made.
    partition, account : str
        Where jobs go and who pays; empty for Slurm's defaults.
    walltime : str
        Longest time of a job, such as ``"02:00:00"``; empty for the partition's.
    prologue : tuple of str
        Shell commands at the start of each job, such as ``"module load cuda"``.
    directives : tuple of str
        More lines for ``#SBATCH``, such as ``"--constraint=avx2"``.
    python : str
        Python of the jobs; empty for the path of the one that runs now.
    scheduler_host : str
        Name or address of this machine as the nodes see it; empty to find out.
    """

    job_name: str = ""
    partition: str = ""
    account: str = ""
    walltime: str = ""
    prologue: tuple[str, ...] = ()
    directives: tuple[str, ...] = ()
    python: str = ""
    scheduler_host: str = ""

    def __post_init__(self) -> None:
        if self.walltime and not _TIME.fullmatch(self.walltime):
            raise ConfigError(
                "walltime must be as Slurm writes it, such as '30', '02:00:00' or '1-00:00:00'; "
                f"got {self.walltime!r}."
            )
        for directive in self.directives:
            if not directive.startswith("-") or "\n" in directive:
                raise ConfigError(f"A directive must be an option of sbatch; got {directive!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPlace(Place):
    """A server of dask-gateway.

    Parameters
    ----------
    address : str
        Of the server; empty for that of Dask's configuration (``gateway.address``).
    proxy_address : str
        Where schedulers are reached, if that is elsewhere.
    auth : str
        ``"basic"``, ``"kerberos"`` or ``"jupyterhub"``; empty for that of Dask's configuration,
        where passwords belong.
    cluster_options : mapping
        Options that the server offers, such as ``{"image": "…"}``.
    """

    address: str = ""
    proxy_address: str = ""
    auth: str = ""
    cluster_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for address in (self.address, self.proxy_address):
            if address and "://" not in address:
                raise ConfigError(
                    "The address of a gateway must be http://host or https://host, that of its "
                    f"proxy gateway://host:port; got {address!r}."
                )
        if self.auth not in {"", "basic", "kerberos", "jupyterhub"}:
            raise ConfigError(
                f"auth must be 'basic', 'kerberos' or 'jupyterhub'; got {self.auth!r}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesPlace(Place):
    """A Kubernetes cluster with the operator of dask-kubernetes.

    Parameters
    ----------
    image : str
        Container image with this nbautoml.
    cluster_name : str
        Name of the ``DaskCluster`` resource; made when the target is made.
    namespace : str
        Where pods go; empty for that of the current context.
    volume_claim : str
        Claim of a volume that holds the workspace's folder; it is mounted in scheduler and
        workers under the folder's own path. Empty where the image or the operator's settings
        bring it.
    folder : str
        The workspace's folder; filled in when the target is made.
    env : mapping of str to str
        Environment of the pods.
    node_selector : mapping of str to str
        Labels of the machines that workers may use.
    """

    image: str
    cluster_name: str = ""
    namespace: str = ""
    volume_claim: str = ""
    folder: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.image:
            raise ConfigError("image of a Kubernetes cluster must name a container image.")
