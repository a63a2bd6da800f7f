"""What a cluster is to be: where its nodes are, how many, of which size, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any  # Any: JSON values

from nbautoml.compute.gpus import machine_gpus
from nbautoml.compute.spec import memory_bytes, n_cores
from nbautoml.compute.vm_sizes import node_size
from nbautoml.errors import ConfigError

DEFAULT_MAX_NODES = 4
"""The SDK's own where ``max_nodes`` is left out."""
DEFAULT_IDLE_SECONDS = 1800.0
"""The SDK's own."""
MOST_NODES = 1000
THIS_MACHINE = "AmlCompute"
"""Kind of a cluster whose nodes are processes of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """A cluster as it was asked for.

    Parameters
    ----------
    kind : str
        Where its nodes are: `THIS_MACHINE`, or a name of `nbautoml.compute.kinds`.
    place : mapping
        What that kind needs to know (`nbautoml.compute.places`); JSON values.
    vm_size : str
        Name of a size; known ones set cores, memory and graphics cards of a node.
    vm_priority : str
        A label.
    min_nodes, max_nodes : int
        Fewest and most nodes.
    idle_seconds : float
        How long there has to be nothing to do before nodes end.
    cores : int or None
        Cores of a node; None takes those of `vm_size`, else all of the machine (one where the
        nodes are elsewhere).
    memory_bytes : int or None
        Memory of a node; likewise.
    gpus : int or None
        Graphics cards of a node; None takes those of `vm_size`, else none.
    description : str
        For people.

    Raises
    ------
    ConfigError
        When numbers do not fit.
    """

    kind: str = THIS_MACHINE
    place: Mapping[str, Any] = field(default_factory=dict)
    vm_size: str = ""
    vm_priority: str = "dedicated"
    min_nodes: int = 0
    max_nodes: int = DEFAULT_MAX_NODES
    idle_seconds: float = DEFAULT_IDLE_SECONDS
    cores: int | None = None
    memory_bytes: int | None = None
    gpus: int | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.min_nodes <= self.max_nodes:
            raise ConfigError(
                f"min_nodes must be at least 0 and not above max_nodes; got min_nodes="
                f"{self.min_nodes}, max_nodes={self.max_nodes}."
            )
        if not 1 <= self.max_nodes <= MOST_NODES:
            raise ConfigError(f"max_nodes must be 1 to {MOST_NODES}; got {self.max_nodes}.")
        if self.idle_seconds < 0:
            raise ConfigError(f"The idle time must not be negative; got {self.idle_seconds} s.")
        for name in ("cores", "memory_bytes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} of a node must be at least 1; got {value}.")
        if self.gpus is not None and self.gpus < 0:
            raise ConfigError(f"gpus of a node must not be negative; got {self.gpus}.")

    @property
    def is_here(self) -> bool:
        """Whether the nodes are processes of this machine."""
        return self.kind == THIS_MACHINE

    @property
    def asked_gpus(self) -> int:
        """Graphics cards that a node is to have, whatever there is."""
        if self.gpus is not None:
            return self.gpus
        size = node_size(self.vm_size)
        return size.gpus if size else 0

    def with_scale(
        self, min_nodes: int | None, max_nodes: int | None, idle_seconds: float | None
    ) -> ClusterOptions:
        """Return the options with another scale; None leaves a value as it is."""
        return replace(
            self,
            min_nodes=self.min_nodes if min_nodes is None else min_nodes,
            max_nodes=self.max_nodes if max_nodes is None else max_nodes,
            idle_seconds=self.idle_seconds if idle_seconds is None else idle_seconds,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClusterOptions:
        """Return the options that `to_dict` wrote."""
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterShape:
    """What can be made of a cluster's options.

    Parameters
    ----------
    cores : int
        Slots of a node.
    memory_bytes : int
        Memory that a node's trials may fill together; 0 where nobody knows.
    max_nodes : int
        Most nodes at once: on one machine they never have more cores than it.
    gpus : int, default 0
        Graphics cards of a node.
    """

    cores: int
    memory_bytes: int
    max_nodes: int
    gpus: int = 0

    @property
    def n_slots(self) -> int:
        """How many trials run at once when all nodes are there."""
        return self.cores * self.max_nodes

    @property
    def n_gpus(self) -> int:
        """How many trials with a graphics card run at once when all nodes are there."""
        return min(self.gpus, self.cores) * self.max_nodes


def shape_of(
    options: ClusterOptions,
    *,
    machine_cores: int | None = None,
    machine_bytes: int | None = None,
    gpus_here: int | None = None,
) -> ClusterShape:
    """Return the nodes that can be made.

    Nodes of this machine are its processes, so that sizes are limits: a node never has more cores,
    memory or graphics cards than there are, and only as many nodes work at once as there are
    cores (and cards) for. Nodes elsewhere are taken to be as they were described.

    Parameters
    ----------
    options : ClusterOptions
        What was asked for.
    machine_cores, machine_bytes, gpus_here : int, optional
        What the machine has; by default this one.

    Examples
    --------
    >>> options = ClusterOptions(vm_size="Standard_D2_v2", max_nodes=8)
    >>> shape = shape_of(options, machine_cores=6, machine_bytes=64 << 30)
    >>> shape.cores, shape.max_nodes, shape.memory_bytes >> 30
    (2, 3, 7)
    >>> options = ClusterOptions(vm_size="Standard_NC6", max_nodes=4)
    >>> shape = shape_of(options, machine_cores=32, machine_bytes=256 << 30, gpus_here=2)
    >>> shape.gpus, shape.max_nodes
    (1, 2)
    """
    if not options.is_here:
        return _described(options)
    has_cores = n_cores() if machine_cores is None else machine_cores
    has_bytes = memory_bytes() if machine_bytes is None else machine_bytes
    size = node_size(options.vm_size)
    wanted = options.cores or (size.cores if size else has_cores)
    cores = max(1, min(wanted, has_cores))
    nodes = max(1, min(options.max_nodes, has_cores // cores))
    gpus = options.asked_gpus
    if gpus:
        has_gpus = len(machine_gpus()) if gpus_here is None else gpus_here
        gpus = min(gpus, has_gpus)
        nodes = min(nodes, has_gpus // gpus) if gpus else nodes
    share = has_bytes // nodes
    asked = options.memory_bytes or (size.memory_bytes if size else share)
    return ClusterShape(cores=cores, memory_bytes=min(asked, share), max_nodes=nodes, gpus=gpus)


def _described(options: ClusterOptions) -> ClusterShape:
    size = node_size(options.vm_size)
    return ClusterShape(
        cores=options.cores or (size.cores if size else 1),
        memory_bytes=options.memory_bytes or (size.memory_bytes if size else 0),
        max_nodes=options.max_nodes,
        gpus=options.asked_gpus,
    )
