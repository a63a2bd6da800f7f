"""The calls of `dask_kubernetes.operator` that nbautoml uses, as that package declares them.

Names, parameters and the shape of the resource were taken from version 2026.3.0. There is no
Kubernetes behind it: the scheduler and the workers are processes of this machine, and resources
are files in the folder that ``RECORDED_KUBERNETES`` names.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from distributed import LocalCluster


def make_cluster_spec(
    name: str,
    image: str = "ghcr.io/dask/dask:latest",
    n_workers: int | None = None,
    resources: dict[str, Any] | None = None,
    env: Any = None,
    worker_command: Any = "dask-worker",
    scheduler_service_type: str = "ClusterIP",
    idle_timeout: int = 0,
    jupyter: bool = False,
) -> dict[str, Any]:
    variables = [{"name": key, "value": value} for key, value in (env or {}).items()]

    def pod(part: str, args: list[str]) -> dict[str, Any]:
        container = {"name": part, "image": image, "args": args, "env": variables}
        return {"spec": {"containers": [{**container, "resources": resources}]}}

    worker = pod("worker", [*worker_command, "--name", "$(DASK_WORKER_NAME)"])
    return {
        "apiVersion": "kubernetes.dask.org/v1",
        "kind": "DaskCluster",
        "metadata": {"name": name},
        "spec": {
            "idleTimeout": idle_timeout,
            "worker": {"replicas": n_workers, **worker},
            "scheduler": pod("scheduler", ["dask-scheduler", "--host", "0.0.0.0"]),
        },
    }


class KubeCluster(LocalCluster):
    """Makes the workers of a resource, and keeps the resource as a file."""

    def __init__(
        self,
        *,
        name: str | None = None,
        namespace: str | None = None,
        custom_cluster_spec: dict[str, Any] | None = None,
        create_mode: str | None = None,
        shutdown_on_close: bool | None = None,
        resource_timeout: int | None = None,
        quiet: bool = False,
    ) -> None:
        spec = custom_cluster_spec
        self._resource = folder() / f"{spec['metadata']['name'] if spec else name}.json"
        self._shuts_down = bool(shutdown_on_close)
        if spec is None and not self._resource.exists():
            raise ValueError(
                f"Cluster {name} doesn't already exist and create mode is CONNECT_ONLY"
            )
        if spec is not None:
            self._resource.write_text(json.dumps(spec))
        container = json.loads(self._resource.read_text())["spec"]["worker"]["spec"]["containers"][
            0
        ]
        arguments = container["args"]
        super().__init__(
            n_workers=0,
            threads_per_worker=int(arguments[arguments.index("--nthreads") + 1]),
            memory_limit=0,
            dashboard_address=None,
            host="127.0.0.1",
        )

    def scale(self, n: int, worker_group: str = "default") -> None:
        super().scale(n)

    def close(self, timeout: float = 3600) -> None:
        super().close(timeout=min(timeout, 10))
        if self._shuts_down:
            self._resource.unlink(missing_ok=True)

    @classmethod
    def from_name(cls, name: str, **more: Any) -> KubeCluster:
        return cls(name=name, **{"shutdown_on_close": False, **more})


def folder() -> Path:
    return Path(os.environ["RECORDED_KUBERNETES"])
