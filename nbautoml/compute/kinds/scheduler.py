"""A Dask scheduler that runs already."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: JSON values

from nbautoml.compute.configurations import SCHEDULER as SCHEDULER
from nbautoml.compute.kinds._base import sdk_status
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.domain.ports import Executor
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import ComputeTargetException
from nbautoml.store.session import Session


class SchedulerBackend:
    """A Dask scheduler that somebody else runs.

    Parameters
    ----------
    session : Session
        The workspace.
    record : ComputeRecord
        The target.
    """

    kind: ClassVar[str] = SCHEDULER

    def __init__(self, session: Session, record: ComputeRecord) -> None:
        del session
        self._record = record

    def start(self) -> None:
        """Look whether the scheduler answers, and whether its workers can run trials.

        Raises
        ------
        ComputeTargetException
            When it does not, or they cannot.
        """
        self.nodes()

    def status(self) -> dict[str, Any]:
        """Return the workers that are there; a scheduler that is gone is in state Failed."""
        try:
            nodes = self.nodes()
        except ComputeTargetException as error:
            found = sdk_status(n_nodes=0, n_wanted=0, cores=0, memory_bytes=0, error=error.message)
            return found | {"provisioningState": "Failed", "address": self._address}
        cores = min((node["cores"] for node in nodes), default=0)
        running = sum(node["state"] == "running" for node in nodes)
        found = sdk_status(
            n_nodes=len(nodes),
            n_wanted=len(nodes),
            cores=cores,
            memory_bytes=0,
            n_running=running,
            gpus=max((node["gpus"] for node in nodes), default=0),
        )
        return found | {"address": self._address}

    def nodes(self) -> list[dict[str, Any]]:
        """Return the workers that are there."""
        from nbautoml.compute.attached import SchedulerAddress, describe

        return describe(SchedulerAddress.from_dict(self._record.options))

    def delete(self) -> None:
        """Leave the scheduler as it is."""

    def executor(self, max_concurrent: int | None) -> Executor:
        """Return an executor that uses the workers that are there now.

        Raises
        ------
        ComputeTargetException
            When there is none, or the scheduler does not answer.
        """
        from nbautoml.compute.attached import AttachedWorkers, SchedulerAddress
        from nbautoml.compute.executor import DaskExecutor

        nodes = self.nodes()
        slots = sum(node["cores"] for node in nodes)
        if not slots:
            raise ComputeTargetException(
                f"The scheduler at {self._address} has no workers. Start some, and run again."
            )
        spec = ExecutorSpec(
            n_workers=slots if max_concurrent is None else min(slots, max_concurrent),
            threads_per_worker=1,
            memory_limit_bytes=None,
            n_gpus=sum(min(node["gpus"], node["cores"]) for node in nodes),
        )
        scheduler = SchedulerAddress.from_dict(self._record.options)
        return DaskExecutor(spec, lambda _spec: AttachedWorkers(scheduler))

    @property
    def _address(self) -> str:
        return str(self._record.options["address"])
