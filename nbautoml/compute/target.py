"""`ComputeTarget`: a named place where trials run.

The target ``local`` (this machine) is there in every workspace without being made.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol  # Any: JSON values

from nbautoml.compute.spec import ExecutorSpec, default_spec
from nbautoml.errors import ComputeTargetException, NotAvailableError, did_you_mean
from nbautoml.store.session import Session

__all__ = ["LOCAL", "AmlCompute", "ComputeStatus", "ComputeTarget", "executor_for"]

LOCAL = "local"
"""Name and type of the target that is always there."""

_SUCCEEDED = "Succeeded"
_CLUSTERS = (
    f"Compute clusters are not available yet; use the compute target '{LOCAL}', "
    "which is in every workspace."
)


class _HasSession(Protocol):
    @property
    def session(self) -> Session: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeStatus:
    """State of a compute target at a moment.

    Parameters
    ----------
    provisioning_state : str
        ``"Succeeded"`` for a target that can be used.
    n_nodes : int
        Machines that it has now.
    n_cores : int
        Cores of each that trials may use.
    memory_bytes : int
        Memory of each that trials may fill.
    """

    provisioning_state: str
    n_nodes: int
    n_cores: int
    memory_bytes: int

    def serialize(self) -> dict[str, Any]:
        """Return the state as a dict with the SDK's keys, and ``cores`` and ``memoryBytes``."""
        return {
            "provisioningState": self.provisioning_state,
            "allocationState": "Steady",
            "currentNodeCount": self.n_nodes,
            "targetNodeCount": self.n_nodes,
            "errors": None,
            "cores": self.n_cores,
            "memoryBytes": self.memory_bytes,
        }


class ComputeTarget:
    """A named place where trials run.

    Parameters
    ----------
    workspace : Workspace
        Where to look the name up.
    name : str
        The target's name; ``"local"`` is this machine.

    Raises
    ------
    ComputeTargetException
        When the workspace has no compute target of that name.
    """

    def __init__(self, workspace: _HasSession, name: str) -> None:
        self.name = _find(workspace.session, name)

    @property
    def type(self) -> str:
        """What kind of target it is."""
        return LOCAL

    @property
    def provisioning_state(self) -> str:
        """``"Succeeded"`` when the target can be used."""
        return self.get_status().provisioning_state

    def get_status(self) -> ComputeStatus:
        """Return how many machines the target has, and what each has to give."""
        spec = default_spec()
        return ComputeStatus(
            provisioning_state=_SUCCEEDED,
            n_nodes=1,
            n_cores=spec.n_workers * spec.threads_per_worker,
            memory_bytes=spec.n_workers * (spec.memory_limit_bytes or 0),
        )

    def wait_for_completion(
        self,
        show_output: bool = False,
        min_node_count: int | None = None,
        timeout_in_minutes: float = 25,
    ) -> None:
        """Wait until the target can be used; for ``local`` that is at once.

        Parameters
        ----------
        show_output, min_node_count, timeout_in_minutes
            Accepted as the SDK has them; there is nothing to wait for.
        """

    @classmethod
    def list(cls, workspace: _HasSession) -> list[ComputeTarget]:
        """Return all compute targets of a workspace."""
        return [cls(workspace, LOCAL)]

    @staticmethod
    def create(workspace: _HasSession, name: str, provisioning_configuration: object) -> NoReturn:
        """Start a cluster; not available yet.

        Raises
        ------
        NotAvailableError
            Always.
        """
        raise NotAvailableError(f"Compute target '{name}' cannot be created. {_CLUSTERS}")

    @staticmethod
    def attach(workspace: _HasSession, name: str, attach_configuration: object) -> NoReturn:
        """Use machines that exist; not available yet.

        Raises
        ------
        NotAvailableError
            Always.
        """
        raise NotAvailableError(f"Compute target '{name}' cannot be attached. {_CLUSTERS}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, type={self.type!r})"

    def _repr_html_(self) -> str:
        status = self.get_status()
        cells = {
            "Name": self.name,
            "Type": self.type,
            "State": status.provisioning_state,
            "Cores": str(status.n_cores),
            "Memory": f"{status.memory_bytes / 1e9:.1f} GB",
        }
        head = "".join(f"<th>{key}</th>" for key in cells)
        row = "".join(f"<td>{html.escape(value)}</td>" for value in cells.values())
        return f"<table><tr>{head}</tr><tr>{row}</tr></table>"


class AmlCompute(ComputeTarget):
    """The SDK's other name for looking a compute target up."""

    @staticmethod
    def provisioning_configuration(**settings: object) -> NoReturn:
        """Describe a cluster; not available yet.

        Raises
        ------
        NotAvailableError
            Always.
        """
        raise NotAvailableError(_CLUSTERS)


def executor_for(
    session: Session, target_name: str | None, max_concurrent: int | None
) -> ExecutorSpec:
    """Return the executor that a run on a compute target gets.

    Parameters
    ----------
    session : Session
        The run's workspace.
    target_name : str or None
        A compute target; None is ``local``.
    max_concurrent : int or None
        Most trials at once; None leaves it to the target.

    Raises
    ------
    ComputeTargetException
        When the workspace has no compute target of that name.
    """
    _find(session, LOCAL if target_name is None else target_name)
    return default_spec(max_concurrent)


def _find(session: Session, name: str) -> str:
    """Return the name of a target that can be used."""
    if name == LOCAL:
        return name
    with session.read() as tx:
        others = {record.name: record.kind for record in tx.computes.list()}
    if name in others:
        raise NotAvailableError(
            f"Compute target '{name}' is of type '{others[name]}', which this version of "
            f"nbautoml cannot use. Use '{LOCAL}', or a newer version."
        )
    names = [LOCAL, *others]
    raise ComputeTargetException(
        f"The workspace has no compute target called '{name}'.{did_you_mean(name, names)} "
        f"There are: {', '.join(names)}."
    )
