"""`ComputeTarget`: a named place where trials run.

The target ``local`` (this machine) is there in every workspace without being made.
"""

from __future__ import annotations

import builtins
import html
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any  # Any: JSON values

from nbautoml.compute.configurations import AttachConfiguration, ProvisioningConfiguration
from nbautoml.compute.kinds import LOCAL, Backend, ClusterBackend, backend_of, cluster_of
from nbautoml.compute.naming import is_attached, named_for
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import ComputeError, ComputeTargetException, ConfigError, did_you_mean
from nbautoml.store.session import HasSession, Session

if TYPE_CHECKING:
    from nbautoml.domain.ports import Executor

__all__ = [
    "LOCAL",
    "ComputeStatus",
    "ComputeTarget",
    "check_target",
    "executor_of",
    "find_record",
]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_POLL_SECONDS = 0.5
_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeStatus:
    """State of a compute target at a moment.

    Parameters
    ----------
    values : mapping
        The state with the SDK's keys, and ``cores``, ``memoryBytes`` and ``gpus`` of a node.
    """

    values: Mapping[str, Any]

    @property
    def provisioning_state(self) -> str:
        """``"Succeeded"`` for a target that can be used, ``"Creating"`` or ``"Failed"``."""
        return str(self.values["provisioningState"])

    @property
    def allocation_state(self) -> str:
        """``"Steady"``, or ``"Resizing"`` while nodes come or go."""
        return str(self.values["allocationState"])

    @property
    def current_node_count(self) -> int:
        """How many nodes there are."""
        return int(self.values["currentNodeCount"])

    @property
    def target_node_count(self) -> int:
        """How many nodes there are to be."""
        return int(self.values["targetNodeCount"])

    @property
    def errors(self) -> Any:
        """What went wrong, or None."""
        return self.values["errors"]

    def serialize(self) -> dict[str, Any]:
        """Return the state as a dict with the SDK's keys."""
        return dict(self.values)


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

    def __init__(self, workspace: HasSession, name: str) -> None:
        self._session = workspace.session
        self._record = find_record(self._session, name)
        self.name = name

    @property
    def type(self) -> str:
        """What kind of target it is, such as ``"local"``, ``"AmlCompute"`` or ``"Ssh"``."""
        return LOCAL if self._record is None else self._record.kind

    @property
    def provisioning_state(self) -> str:
        """``"Succeeded"`` when the target can be used."""
        return self.get_status().provisioning_state

    @property
    def vm_size(self) -> str:
        """Name of the nodes' size; empty where there is none."""
        return str(self.get_status().values.get("vmSize", ""))

    @property
    def dashboard(self) -> str:
        """Address of Dask's own page; empty where there is none now."""
        return str(self.get_status().values.get("dashboard", ""))

    def get_status(self) -> ComputeStatus:
        """Return how many nodes the target has, and what each has to give."""
        return ComputeStatus(values=self._backend().status())

    @property
    def status(self) -> ComputeStatus:
        """The same as `get_status`, as newer notebooks write it."""
        return self.get_status()

    def refresh_state(self) -> None:
        """Do nothing: the state is read when it is asked for."""

    def list_nodes(self) -> builtins.list[dict[str, Any]]:
        """Return the nodes that there are now.

        Returns
        -------
        list of dict
            ``nodeId``, ``nodeState`` (``"running"`` or ``"idle"``), ``cores``, ``memoryBytes``
            (held) and ``gpus``.
        """
        return [
            {
                "nodeId": node["id"],
                "nodeState": node["state"],
                "cores": node["cores"],
                "memoryBytes": node["memory_bytes"],
                "gpus": node.get("gpus", 0),
            }
            for node in self._backend().nodes()
        ]

    def wait_for_completion(
        self,
        show_output: bool = False,
        min_node_count: int | None = None,
        timeout_in_minutes: float = 25,
        is_delete_operation: bool = False,
    ) -> None:
        """Wait until the target can be used.

        Parameters
        ----------
        show_output : bool, default False
            Whether to print what happens.
        min_node_count : int, optional
            How many nodes have to be there; by default the cluster's fewest.
        timeout_in_minutes : float, default 25
            How long to wait.
        is_delete_operation : bool, default False
            Accepted as the SDK has it; deleting is over when `delete` returns.

        Raises
        ------
        ComputeTargetException
            When it failed, or takes longer.
        """
        del is_delete_operation
        until = time.monotonic() + 60 * timeout_in_minutes
        said = ""
        while True:
            status = self.get_status()
            needed = self._needed(status, min_node_count)
            words = f"{status.provisioning_state}: {status.current_node_count} nodes"
            if show_output and words != said:
                sys.stdout.write(f"{words}\n")
                said = words
            if status.provisioning_state == "Failed":
                raise ComputeTargetException(
                    f"Compute target '{self.name}' failed: {_first_error(status)}"
                )
            if status.provisioning_state == "Succeeded" and status.current_node_count >= needed:
                break
            if time.monotonic() > until:
                raise ComputeTargetException(
                    f"Compute target '{self.name}' has {status.current_node_count} of {needed} "
                    f"nodes after {timeout_in_minutes:g} minutes.{_problem_of(status)}"
                )
            time.sleep(_POLL_SECONDS)
        if show_output:
            sys.stdout.write(f"'{self.name}' is ready with {status.current_node_count} nodes.\n")

    def update(
        self,
        min_nodes: int | None = None,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: float | None = None,
    ) -> None:
        """Change how many nodes there may be; None leaves a value as it is.

        Raises
        ------
        ComputeTargetException
            When the target has no nodes of its own.
        ConfigError
            When the numbers do not fit.
        """
        backend, record = cluster_of(self._session, self._record), self._record
        if backend is None or record is None:
            raise ComputeTargetException(
                f"Compute target '{self.name}' is of type '{self.type}'; only a cluster that was "
                "made with ComputeTarget.create has nodes to scale."
            )
        options = backend.options.with_scale(min_nodes, max_nodes, idle_seconds_before_scaledown)
        self._record = replace(record, options={**record.options, "cluster": options.to_dict()})
        changed = cluster_of(self._session, self._record)
        assert changed is not None, "its kind is the same"
        changed.update()
        with self._session.write() as tx:
            tx.computes.put(self._record)

    def delete(self) -> None:
        """End the target and forget it; of a scheduler that was attached only the latter.

        Raises
        ------
        ComputeTargetException
            When it is ``local``, or a run uses it.
        """
        self._backend().delete()
        with self._session.write() as tx:
            tx.computes.delete(self.name)

    def detach(self) -> None:
        """Forget what was attached; what was started on a machine that was attached ends.

        Raises
        ------
        ComputeTargetException
            When the target was made with `create`: delete it.
        """
        if self._record is None or not is_attached(self._record):
            raise ComputeTargetException(
                f"Compute target '{self.name}' of type '{self.type}' is not attached; "
                "use delete() to end a cluster."
            )
        self.delete()

    def serialize(self) -> dict[str, Any]:
        """Return name, type and state."""
        return {"name": self.name, "type": self.type, **self.get_status().serialize()}

    @classmethod
    def list(cls, workspace: HasSession) -> builtins.list[ComputeTarget]:
        """Return all compute targets of a workspace, ``local`` first."""
        with workspace.session.read() as tx:
            names = [record.name for record in tx.computes.list()]
        return [ComputeTarget(workspace, name) for name in [LOCAL, *names]]

    @staticmethod
    def create(
        workspace: HasSession, name: str, provisioning_configuration: ProvisioningConfiguration
    ) -> ComputeTarget:
        """Make a cluster; returns at once.

        It lives in a process of its own, shared by runs and notebooks, grows from its fewest to
        its most nodes when there is work, and shrinks when there is none.

        Parameters
        ----------
        workspace : Workspace
            Where it belongs.
        name : str
            Letters, digits, ``-`` and ``_``. A target of that name is replaced.
        provisioning_configuration : ProvisioningConfiguration
            From `AmlCompute.provisioning_configuration`, or that of `DaskCluster`, `SshCluster`,
            `SlurmCluster`, `GatewayCluster` or `KubernetesCluster`.

        Raises
        ------
        ComputeTargetException
            When the name cannot be used, or a program is missing.
        MissingExtraError
            When a package is missing.
        ConfigError
            When the configuration is something else.
        """
        if not isinstance(provisioning_configuration, ProvisioningConfiguration):
            raise ConfigError(
                "provisioning_configuration must come from AmlCompute.provisioning_configuration "
                f"or DaskCluster.provisioning_configuration; got {provisioning_configuration!r}."
            )
        asked = named_for(provisioning_configuration.options, name, workspace.session.root)
        return _put(workspace, name, asked.kind, ClusterBackend.record_options(asked))

    @staticmethod
    def attach(
        workspace: HasSession, name: str, attach_configuration: AttachConfiguration
    ) -> ComputeTarget:
        """Use a Dask scheduler, or a machine, that is there already.

        It needs this nbautoml. Workers that do not see the files of the workspace under the same
        path get copies of the data.

        Parameters
        ----------
        workspace : Workspace
            Where the name is kept.
        name : str
            Letters, digits, ``-`` and ``_``.
        attach_configuration : AttachConfiguration
            From `DaskCluster.attach_configuration` or `RemoteCompute.attach_configuration`.

        Raises
        ------
        ComputeTargetException
            When nobody answers, or the workers cannot run trials.
        ConfigError
            When the configuration is something else.
        """
        if not isinstance(attach_configuration, AttachConfiguration):
            raise ConfigError(
                "attach_configuration must come from DaskCluster.attach_configuration; got "
                f"{attach_configuration!r}."
            )
        return _put(workspace, name, attach_configuration.kind, attach_configuration.options)

    def _backend(self) -> Backend:
        return backend_of(self._session, self._record)

    def _needed(self, status: ComputeStatus, min_node_count: int | None) -> int:
        if cluster_of(self._session, self._record) is None:
            return min_node_count or 0
        possible = int(status.values["maxNodeCountOfThisMachine"])
        fewest = int(status.values["scaleSettings"]["minNodeCount"])
        return min(fewest if min_node_count is None else min(min_node_count, fewest), possible)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, type={self.type!r})"

    def _repr_html_(self) -> str:
        values = self.get_status().values
        cells = {
            "Name": self.name,
            "Type": self.type,
            "State": str(values["provisioningState"]),
            "Nodes": f"{values['currentNodeCount']} of {values['targetNodeCount']}",
            "Cores of a node": str(values["cores"]),
            "Memory of a node": f"{values['memoryBytes'] / _GIB:.1f} GB",
            "Graphics cards of a node": str(values["gpus"]),
        }
        head = "".join(f"<th>{key}</th>" for key in cells)
        row = "".join(f"<td>{html.escape(value)}</td>" for value in cells.values())
        return f"<table><tr>{head}</tr><tr>{row}</tr></table>"


def check_target(session: Session, name: str | None, *, needs_gpu: bool = False) -> None:
    """Look whether runs can use a compute target; costs no more than reading its record.

    Parameters
    ----------
    session : Session
        The workspace.
    name : str or None
        A compute target; None is ``local``.
    needs_gpu : bool, default False
        Whether it has to have a graphics card; a scheduler that was attached is asked.

    Raises
    ------
    ComputeTargetException
        When the workspace has no compute target of that name, or it has no graphics card.
    NotAvailableError
        When this version does not know its kind.
    """
    record = find_record(session, LOCAL if name is None else name)
    backend = backend_of(session, record)
    if needs_gpu:
        status = backend.status()
        if not status["gpus"]:
            raise ComputeTargetException(
                f"The run asks for a graphics card (enable_gpu), and the compute target "
                f"'{name or LOCAL}' has none{_why_no_gpu(status)}. Name one with nodes that have "
                "some (gpus=1, or a vm_size such as Standard_NC6), or leave enable_gpu out."
            )


def _why_no_gpu(status: Mapping[str, Any]) -> str:
    asked = status.get("gpusAsked", 0)
    if asked:
        return (
            f": its nodes are to have {asked}, but this machine has none that nvidia-smi tells of"
        )
    if status["provisioningState"] == "Failed":
        return f" that answers: {(status['errors'] or [{}])[0].get('error', {}).get('message', '')}"
    return ""


def executor_of(session: Session, name: str | None, max_concurrent: int | None) -> Executor:
    """Return the executor that a run on a compute target gets.

    Parameters
    ----------
    session : Session
        The run's workspace.
    name : str or None
        A compute target; None is ``local``.
    max_concurrent : int or None
        Most trials at once; None leaves it to the target.

    Raises
    ------
    ComputeTargetException
        When the workspace has no compute target of that name, or it cannot be used now.
    """
    record = find_record(session, LOCAL if name is None else name)
    return backend_of(session, record).executor(max_concurrent)


def find_record(session: Session, name: str) -> ComputeRecord | None:
    """Return the record of a target; None for ``local``, which has none.

    Raises
    ------
    ComputeTargetException
        When the workspace has no compute target of that name.
    """
    if name == LOCAL:
        return None
    with session.read() as tx:
        records = {record.name: record for record in tx.computes.list()}
    if name in records:
        return records[name]
    names = [LOCAL, *records]
    raise ComputeTargetException(
        f"The workspace has no compute target called '{name}'.{did_you_mean(name, names)} "
        f"There are: {', '.join(names)}."
    )


def _put(workspace: HasSession, name: str, kind: str, options: Mapping[str, Any]) -> ComputeTarget:
    """Start a target, and keep it when that went well."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == LOCAL:
        raise ComputeTargetException(
            f"A compute target's name must begin with a letter and have up to 64 letters, digits, "
            f"'-' or '_', and must not be '{LOCAL}'; got {name!r}."
        )
    record = ComputeRecord(name=name, kind=kind, options=dict(options), created_at=time.time())
    try:
        backend_of(workspace.session, record).start()
    except ComputeError as error:
        raise ComputeTargetException(str(error)) from error
    with workspace.session.write() as tx:
        tx.computes.put(record)
    return ComputeTarget(workspace, name)


def _problem_of(status: ComputeStatus) -> str:
    return f" {_first_error(status)}" if status.errors else ""


def _first_error(status: ComputeStatus) -> str:
    errors = status.errors or [{"error": {"message": "no reason was given"}}]
    return str(errors[0]["error"]["message"])
