"""Workers of a Dask scheduler that somebody else started: used, never ended."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any  # Any: distributed is typed in part only, JSON values

import dask
from distributed import Client
from distributed.security import Security

from nbautoml.compute.connection import DaskClient
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.local import DASK_SETTINGS
from nbautoml.errors import ComputeTargetException, ConfigError

CONNECT_SECONDS = 10.0
"""A scheduler that does not answer in this time is taken to be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerAddress:
    """Where a scheduler listens, and what it takes to be let in.

    Parameters
    ----------
    address : str
        ``tcp://host:port`` or ``tls://host:port``.
    tls_ca_file, tls_client_cert, tls_client_key : str
        Files for TLS; empty without it.

    Raises
    ------
    ConfigError
        When the address is none, or TLS lacks a file.
    """

    address: str
    tls_ca_file: str = ""
    tls_client_cert: str = ""
    tls_client_key: str = ""

    def __post_init__(self) -> None:
        scheme, separator, place = self.address.partition("://")
        if not separator or scheme not in {"tcp", "tls"} or ":" not in place:
            raise ConfigError(
                "The address of a scheduler must be tcp://host:port or tls://host:port; got "
                f"{self.address!r}."
            )
        if scheme == "tls" and not (self.tls_ca_file and self.tls_client_cert):
            raise ConfigError(
                "A scheduler at a tls:// address needs tls_ca_file and tls_client_cert (and "
                "tls_client_key where the key is in a file of its own)."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SchedulerAddress:
        """Return the address that `to_dict` wrote."""
        return cls(**values)

    def connect(self) -> DaskClient:
        """Return a new client.

        Raises
        ------
        ComputeTargetException
            When nobody answers, or does not let us in.
        """
        new_client: Any = Client
        with dask.config.set({**DASK_SETTINGS, "distributed.comm.timeouts.connect": "5s"}):
            try:
                return new_client(
                    self.address,
                    security=self._security(),
                    set_as_default=False,
                    timeout=CONNECT_SECONDS,
                )
            except (OSError, TimeoutError) as error:
                raise ComputeTargetException(
                    f"No Dask scheduler answers at {self.address}: {error}. Check that it runs, "
                    "and that this machine may reach it."
                ) from error

    def _security(self) -> Security | None:
        if not self.tls_ca_file:
            return None
        new_security: Any = Security
        made: Security = new_security(
            tls_ca_file=self.tls_ca_file,
            tls_client_cert=self.tls_client_cert,
            tls_client_key=self.tls_client_key or self.tls_client_cert,
            require_encryption=True,
        )
        return made


class AttachedWorkers:
    """Workers behind an address (a `nbautoml.compute.executor.Cluster`).

    Parameters
    ----------
    scheduler : SchedulerAddress
        Where they are.
    """

    def __init__(self, scheduler: SchedulerAddress) -> None:
        self._scheduler = scheduler

    def connect(self) -> DaskClient:
        """Return a new client."""
        return self._scheduler.connect()

    def close(self) -> None:
        """Leave them as they are: others may use them."""


def describe(scheduler: SchedulerAddress) -> list[dict[str, Any]]:
    """Return the workers that a scheduler has now, after a look at whether they fit.

    Returns
    -------
    list of dict
        ``id``, ``state``, ``cores``, ``memory_bytes`` and ``gpus`` of each.

    Raises
    ------
    ComputeTargetException
        When nobody answers, or workers lack nbautoml.
    """
    client = scheduler.connect()
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if workers:
            lacking = {a: e for a, e in client.run(_missing, on_error="return").items() if e}
            if lacking:
                address, error = next(iter(lacking.items()))
                raise ComputeTargetException(
                    f"{len(lacking)} of {len(workers)} workers of {scheduler.address} cannot run "
                    f"trials; {address} says: {error}. Install the nbautoml of this machine where "
                    "they run."
                )
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            client.close()
    return [
        {
            "id": str(worker.get("name", address)),
            "state": "running" if worker["metrics"].get("executing") else "idle",
            "cores": int(worker["nthreads"]),
            "memory_bytes": int(worker["metrics"].get("memory", 0)),
            "gpus": int(worker.get("resources", {}).get(RESOURCE, 0)),
        }
        for address, worker in workers.items()
    ]


def _missing() -> str:
    """Return what a worker lacks; runs in it."""
    try:
        import nbautoml.compute.trial  # noqa: F401, PLC0415 - whether it can be is the question
    except ImportError as error:
        return str(error)
    return ""
