"""Nodes behind a server of dask-gateway, which starts scheduler and workers for its users."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any  # Any: dask-gateway is not typed

import dask
from dask_gateway import Gateway, GatewayCluster, GatewayClusterError, GatewayServerError

from nbautoml.compute.cluster_options import ClusterOptions
from nbautoml.compute.local import DASK_SETTINGS
from nbautoml.compute.nodes._base import Setting
from nbautoml.compute.nodes.distant import DistantNodes
from nbautoml.compute.places import GatewayPlace
from nbautoml.errors import ComputeTargetException

NAME = "gateway-cluster"
"""File in the cluster's folder with the name that the server gave."""

logger = logging.getLogger(__name__)


def way_in(place: GatewayPlace) -> dict[str, Any]:
    """Return what it takes to speak to the server, as its client's classes are told."""
    return {
        "address": place.address or None,
        "proxy_address": place.proxy_address or None,
        "auth": place.auth or None,
    }


class GatewayWorkers:
    """Workers of a cluster of the server (a `nbautoml.compute.executor.Cluster`).

    Parameters
    ----------
    place : GatewayPlace
        Where the server is.
    folder : pathlib.Path
        The cluster's folder.
    """

    def __init__(self, place: GatewayPlace, folder: Path) -> None:
        self._place = place
        self._name = (folder / NAME).read_text(encoding="utf-8").strip()
        self._cluster: Any = None

    def connect(self) -> Any:
        """Return a new client."""
        kind: Any = GatewayCluster
        with dask.config.set(DASK_SETTINGS):
            self._cluster = kind.from_name(
                self._name, shutdown_on_close=False, **way_in(self._place)
            )
            return self._cluster.get_client(set_as_default=False)

    def close(self) -> None:
        """Leave them as they are: others may use them."""
        if self._cluster is not None:
            with contextlib.suppress(OSError, TimeoutError):
                self._cluster.close()


def end_left_over(options: ClusterOptions, folder: Path) -> None:
    """End the cluster that a process which died has left on the server.

    Raises
    ------
    ComputeTargetException
        When the server does not answer: it may still run there.
    """
    file, place = folder / NAME, GatewayPlace.from_dict(options.place)
    if not file.is_file():
        return
    name = file.read_text(encoding="utf-8").strip()
    new_gateway: Any = Gateway
    try:
        with new_gateway(**way_in(place)) as gateway:
            if any(report.name == name for report in gateway.list_clusters()):
                gateway.stop_cluster(name)
    except (OSError, TimeoutError, GatewayServerError, GatewayClusterError) as error:
        raise ComputeTargetException(
            f"The gateway does not say whether its cluster {name} has ended: {error}. Ask again "
            "when it answers."
        ) from error
    file.unlink(missing_ok=True)


def start(setting: Setting) -> DistantNodes:
    """Have the server start a scheduler."""
    dask.config.set(DASK_SETTINGS)
    place = GatewayPlace.from_dict(setting.options.place)
    end_left_over(setting.options, setting.folder)
    new_cluster: Any = GatewayCluster
    cluster = new_cluster(shutdown_on_close=True, **way_in(place), **place.cluster_options)
    (setting.folder / NAME).write_text(f"{cluster.name}\n", encoding="utf-8")
    logger.info("the gateway's cluster is %s", cluster.name)
    client = cluster.get_client(set_as_default=False)
    return DistantNodes(cluster, client, str(cluster.scheduler_address))
