"""Nodes that are pods; the operator of dask-kubernetes keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast  # Any: dask-kubernetes is not typed

import dask
from dask_kubernetes.operator import KubeCluster, make_cluster_spec
from distributed import Client

from nbautoml.compute.cluster_options import ClusterOptions
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.local import DASK_SETTINGS
from nbautoml.compute.nodes._base import Setting
from nbautoml.compute.nodes.distant import DistantNodes
from nbautoml.compute.places import KubernetesPlace

START_SECONDS = 300
"""How long pods may take to come: images are large."""
VOLUME = "workspace"


def cluster_spec(setting: Setting, place: KubernetesPlace) -> dict[str, Any]:
    """Return the ``DaskCluster`` resource, without any worker yet."""
    shape = setting.shape
    wanted: dict[str, Any] = {"cpu": str(shape.cores)}
    if shape.memory_bytes:
        wanted["memory"] = str(shape.memory_bytes)
    if shape.gpus:
        wanted["nvidia.com/gpu"] = str(shape.gpus)
    env = {
        "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
        "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
        **place.env,
    }
    command = ["dask", "worker", "--nthreads", str(shape.cores), "--memory-limit", "0"]
    if shape.gpus:
        command += ["--resources", f"{RESOURCE}={shape.gpus}"]
    new_spec: Any = make_cluster_spec
    spec: dict[str, Any] = new_spec(
        name=place.cluster_name,
        image=place.image,
        n_workers=0,
        resources={"requests": wanted, "limits": wanted},
        env=env,
        worker_command=command,
    )
    pods = spec["spec"]
    for part in ("scheduler", "worker"):
        if place.volume_claim:
            _mount(pods[part]["spec"], place)
    if place.node_selector:
        pods["worker"]["spec"]["nodeSelector"] = dict(place.node_selector)
    scheduler = pods["scheduler"]["spec"]["containers"][0]
    # Only workers hold cores and cards: what was asked for is a node's.
    scheduler.pop("resources", None)
    # The programs dask-scheduler and dask-worker are gone from Dask.
    scheduler["args"] = ["dask", "scheduler", "--host", "0.0.0.0"]
    return spec


def _mount(pod: dict[str, Any], place: KubernetesPlace) -> None:
    claim = {"claimName": place.volume_claim}
    pod.setdefault("volumes", []).append({"name": VOLUME, "persistentVolumeClaim": claim})
    mount = {"name": VOLUME, "mountPath": place.folder}
    for container in pod["containers"]:
        container.setdefault("volumeMounts", []).append(mount)


def end_left_over(options: ClusterOptions, folder: Path) -> None:
    """Remove the resource that a process which died has left; none is fine."""
    del folder
    place = KubernetesPlace.from_dict(options.place)
    opener: Any = KubeCluster
    try:
        cluster = opener.from_name(
            place.cluster_name,
            namespace=place.namespace or None,
            shutdown_on_close=True,
            quiet=True,
        )
    except ValueError:  # there is none of that name
        return
    cluster.close()


def start(setting: Setting) -> DistantNodes:
    """Have the operator start a scheduler."""
    dask.config.set(DASK_SETTINGS)
    place = KubernetesPlace.from_dict(setting.options.place)
    new_cluster, new_client = cast(Any, KubeCluster), cast(Any, Client)
    # The resource of that name that an earlier process has left is used again.
    cluster = new_cluster(
        custom_cluster_spec=cluster_spec(setting, place),
        namespace=place.namespace or None,
        resource_timeout=START_SECONDS,
        shutdown_on_close=True,
        quiet=True,
    )
    client = new_client(cluster, set_as_default=False)
    # A port of this machine is forwarded to the scheduler, as long as this process lives.
    return DistantNodes(cluster, client, str(cluster.scheduler_address))
