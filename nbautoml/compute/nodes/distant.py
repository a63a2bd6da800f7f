"""A cluster whose scheduler is elsewhere too: what is common to those that are only asked."""

from __future__ import annotations

import contextlib
from typing import Any, Protocol  # Any: clusters and clients of Dask are typed in part only

from nbautoml.compute.nodes._base import Look, look_there


class DistantCluster(Protocol):
    """What is asked of a cluster that some service keeps."""

    scheduler_address: Any
    dashboard_link: Any

    def scale(self, n: int) -> Any:
        """Have so many workers."""

    def close(self) -> Any:
        """End it."""


class DistantNodes:
    """A scheduler and nodes that a service has started for us.

    Parameters
    ----------
    cluster : DistantCluster
        Speaks to the service.
    client : distributed.Client
        Speaks to the scheduler; it is not counted as a run.
    address : str
        Under which runs reach the scheduler.
    """

    def __init__(self, cluster: DistantCluster, client: Any, address: str) -> None:
        self._cluster = cluster
        self._client = client
        self._address = address
        self._n_nodes = 0

    @property
    def address(self) -> str:
        """Address of the scheduler."""
        return self._address

    @property
    def dashboard(self) -> str:
        """Address of Dask's own page."""
        return str(self._cluster.dashboard_link or "")

    def look(self) -> Look:
        """Ask the scheduler how things stand."""
        demand, nodes = self._client.run_on_scheduler(look_there, but=(self._client.id,))
        return Look(demand=demand, nodes=tuple(nodes))

    def scale(self, n_nodes: int) -> None:
        """Ask for so many nodes; the service replaces those that end."""
        if n_nodes != self._n_nodes:
            self._cluster.scale(n_nodes)
            self._n_nodes = n_nodes

    def close(self) -> None:
        """Have the service end it all."""
        with contextlib.suppress(OSError, TimeoutError):  # the scheduler is gone before
            self._client.close()
        self._cluster.close()
