"""`Workspace`: what a notebook opens first."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar  # Any: Azure's arguments without use here

from nbautoml.compute.target import ComputeTarget
from nbautoml.data.dataset import Dataset, TabularDataset
from nbautoml.data.datastore import Datastore
from nbautoml.errors import ConflictError, NotFoundError, did_you_mean
from nbautoml.pipelines.scheduler_process import start_scheduler
from nbautoml.registry.mlflow.process import mirror
from nbautoml.registry.mlflow.settings import clear_mirror, tracking_uri
from nbautoml.registry.model import Model
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.recovery import recover_runs
from nbautoml.runs.run import Run
from nbautoml.serving.webservice import Webservice
from nbautoml.store.session import Session, create_session, open_session
from nbautoml.workspace.api_process import LOOPBACK, start_api, stop_api
from nbautoml.workspace.config_file import (
    FACTS,
    STATE_FOLDER,
    WorkspaceFile,
    address_for,
    find_config,
    read_config,
    write_config,
)

if TYPE_CHECKING:
    from nbautoml.compute.target import ComputeTarget as _ComputeTarget

__all__ = ["NamedItems", "Workspace"]

T = TypeVar("T")


class NamedItems(Mapping[str, T], Generic[T]):
    """A live, read-only mapping from names to things of a workspace.

    Parameters
    ----------
    noun : str
        What one of them is called in messages.
    names : callable
        Returns the names there are now.
    load : callable
        Returns the thing of a name.
    """

    def __init__(self, noun: str, names: Callable[[], list[str]], load: Callable[[str], T]) -> None:
        self._noun = noun
        self._names = names
        self._load = load

    def __getitem__(self, name: str) -> T:
        names = self._names()
        if name not in names:
            # A KeyError keeps the Mapping contract (`in`, `.get`), its text says what there is.
            hint = did_you_mean(name, names)
            there = ", ".join(names) if names else "none yet"
            raise KeyError(f"No {self._noun} is called {name!r}.{hint} There are: {there}.")
        return self._load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self._names()))}}}"


class Workspace:
    """A folder of datasets, experiments, runs and models, with a store behind it.

    Get one with `Workspace.create` or `Workspace.from_config`; all that other classes need of
    it is its ``session``.

    Parameters
    ----------
    session : nbautoml.store.session.Session
        The open store.
    facts : mapping of str to str, optional
        What notebooks print: ``subscription_id``, ``resource_group``, ``location``, ``sku``.

    Examples
    --------
    >>> import tempfile
    >>> ws = Workspace.create("demo", path=tempfile.mkdtemp())
    >>> ws.name, len(ws.experiments)
    ('demo', 0)
    """

    def __init__(self, session: Session, facts: Mapping[str, str] = FACTS) -> None:
        self.session = session
        self._facts = dict(facts)
        recover_runs(session)
        start_scheduler(session)

    @classmethod
    def create(
        cls,
        name: str,
        *,
        exist_ok: bool = False,
        path: str | Path | None = None,
        store_url: str | None = None,
        artifact_root: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        sku: str | None = None,
        **_azure: Any,
    ) -> Workspace:
        """Make a workspace in a folder, with no service to start.

        Parameters
        ----------
        name : str
            Its name.
        exist_ok : bool, default False
            Whether to open the workspace of that name when the folder has it already.
        path : str or pathlib.Path, optional
            The folder; the working directory when not given.
        store_url : str, optional
            SQLAlchemy URL of the store, such as ``postgresql+psycopg://…``; a SQLite file in
            ``<path>/.nbautoml`` when not given.
        artifact_root : str, optional
            fsspec URL or folder for files; ``<path>/.nbautoml/artifacts`` when not given.
        subscription_id, resource_group, location, sku : str, optional
            Kept and shown, as notebooks written for Azure expect.
        **_azure
            Other arguments of Azure's ``Workspace.create`` (``auth``,
            ``create_resource_group``, …): accepted, of no use here.

        Returns
        -------
        Workspace

        Raises
        ------
        ConflictError
            When the folder holds a workspace and `exist_ok` is false, or holds another one.
        """
        root = Path(path).expanduser() if path is not None else Path.cwd()
        config = root / STATE_FOLDER / "config.json"
        if config.is_file():
            return cls._reopen(name, config, exist_ok=exist_ok)
        address = address_for(name, root, store_url=store_url, artifact_root=artifact_root)
        given = {
            "subscription_id": subscription_id,
            "resource_group": resource_group,
            "location": location,
            "sku": sku,
        }
        facts = {key: given[key] or default for key, default in FACTS.items()}
        session = create_session(address)
        workspace = cls(session, facts)
        write_config(WorkspaceFile(address=address, facts=facts), config)
        return workspace

    @classmethod
    def _reopen(cls, name: str, config: Path, *, exist_ok: bool) -> Workspace:
        found = read_config(config).address.name
        if found != name:
            raise ConflictError(
                f"Workspace {name!r} cannot be made in {config.parent.parent}: that folder holds "
                f"workspace {found!r}. Use that name, or give another folder as path=."
            )
        if not exist_ok:
            raise ConflictError(
                f"Workspace {name!r} is in {config.parent.parent} already. "
                "To open it: Workspace.from_config(), or create(…, exist_ok=True)."
            )
        return cls.from_config(config)

    @classmethod
    def from_config(
        cls, path: str | Path | None = None, auth: object = None, _logger: object = None
    ) -> Workspace:
        """Open the workspace that a ``config.json`` names.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            The file, or the folder from which to search upward; the working directory when
            not given.
        auth, _logger : object
            Azure's arguments, of no use here.

        Returns
        -------
        Workspace

        Raises
        ------
        NotFoundError
            When no file is found; the message names the line that makes a workspace.
        """
        file = read_config(find_config(Path(path) if path is not None else Path.cwd()))
        # Files that Azure's SDK wrote name a workspace that may not exist here yet.
        state = Path(file.address.root) / STATE_FOLDER
        fresh = file.address.store_url.startswith("sqlite:") and not state.is_dir()
        session = create_session(file.address) if fresh else open_session(file.address)
        return cls(session, file.facts)

    @classmethod
    def get(cls, name: str, path: str | Path | None = None, **_azure: Any) -> Workspace:
        """Open the workspace called `name` at or above a folder (the working directory)."""
        workspace = cls.from_config(path)
        if workspace.name != name:
            raise NotFoundError(
                f"No workspace is called {name!r} here; {workspace.location_of_files} holds "
                f"{workspace.name!r}."
            )
        return workspace

    def write_config(self, path: str | Path | None = None, file_name: str | None = None) -> str:
        """Write a ``config.json`` with which notebooks elsewhere find this workspace.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            Folder to write in; the working directory when not given.
        file_name : str, optional
            Its name, ``config.json`` when not given.

        Returns
        -------
        str
            Path of the file.
        """
        folder = Path(path).expanduser() if path is not None else Path.cwd()
        target = folder / STATE_FOLDER / (file_name or "config.json")
        file = WorkspaceFile(address=self.session.address, facts=self._facts)
        return str(write_config(file, target))

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.session.address.name

    @property
    def location(self) -> str:
        """Where it was said to be; ``"local"`` when nothing was said."""
        return self._facts["location"]

    @property
    def subscription_id(self) -> str:
        """Azure's subscription, kept for display; ``"local"`` when none was given."""
        return self._facts["subscription_id"]

    @property
    def resource_group(self) -> str:
        """Azure's resource group, kept for display; ``"local"`` when none was given."""
        return self._facts["resource_group"]

    @property
    def sku(self) -> str:
        """Azure's edition, kept for display; ``"local"`` when none was given."""
        return self._facts["sku"]

    @property
    def location_of_files(self) -> str:
        """The folder whose ``.nbautoml`` holds this workspace."""
        return self.session.address.root

    def get_details(self) -> dict[str, str]:
        """Return facts about the workspace: names, place, store and sizes."""
        address = self.session.address
        return {
            "id": f"/workspaces/{self.name}",
            "name": self.name,
            "friendlyName": self.name,
            "location": self.location,
            "subscriptionId": self.subscription_id,
            "resourceGroup": self.resource_group,
            "sku": self.sku,
            "root": address.root,
            "store": address.store_url.split("@")[-1],
            "artifacts": address.artifact_root,
        }

    @property
    def experiments(self) -> NamedItems[Experiment]:
        """Name to `Experiment`."""
        return NamedItems("experiment", self._experiment_names, lambda n: Experiment(self, n))

    @property
    def datasets(self) -> NamedItems[TabularDataset]:
        """Name to the latest version of each registered dataset."""
        return NamedItems("dataset", self._dataset_names, lambda n: Dataset.get_by_name(self, n))

    @property
    def datastores(self) -> NamedItems[Datastore]:
        """Name to `Datastore`."""
        return NamedItems("datastore", self._datastore_names, lambda n: Datastore(self, n))

    @property
    def models(self) -> NamedItems[Model]:
        """Name to the latest version of each registered `Model`."""
        return NamedItems("model", self._model_names, lambda n: Model(self, n))

    @property
    def webservices(self) -> NamedItems[Webservice]:
        """Name to `Webservice` of each deployment."""
        return NamedItems("deployment", self._webservice_names, lambda n: Webservice(self, n))

    @property
    def compute_targets(self) -> NamedItems[_ComputeTarget]:
        """Name to `ComputeTarget`; ``local`` is always there."""
        return NamedItems("compute target", self._compute_names, lambda n: ComputeTarget(self, n))

    def mirror_to_mlflow(self, uri: str | None = None) -> str:
        """Mirror all runs to MLflow from now on, in a process of its own; returns at once.

        Parameters
        ----------
        uri : str, optional
            Address of an MLflow server, such as ``"http://localhost:5000"``, or of a database;
            a file of the workspace when not given, which needs no server.

        Returns
        -------
        str
            The address, for ``mlflow.set_tracking_uri``.

        Raises
        ------
        ConfigError
            When `uri` is no such address, or holds a password.
        MissingExtraError
            When the extra ``mlflow`` is not installed.
        """
        return mirror(self.session, uri)

    def stop_mlflow_mirror(self) -> None:
        """Mirror runs no longer; what MLflow has stays there."""
        clear_mirror(self.session)

    def get_mlflow_tracking_uri(self) -> str:
        """Return where `mirror_to_mlflow` writes, or would write: the workspace's own file.

        Notebooks give it to ``mlflow.set_tracking_uri``; what they log lies beside the runs.
        """
        return tracking_uri(self.session)

    def serve_api(
        self, *, port: int | None = None, host: str = LOOPBACK, allow_remote: bool = False
    ) -> str:
        """Start the REST service of the workspace, unless it runs; return its address.

        It is a process of its own, which stays until `stop_api`. Callers need a token
        (``nbautoml api token create``), on this machine, too.

        Parameters
        ----------
        port : int, optional
            Where it listens; by default where it did last.
        host : str, default "127.0.0.1"
            Address of this machine to listen at; any but loopback needs `allow_remote`.
        allow_remote : bool, default False
            Whether other machines may call it. What they send travels in clear text: put a proxy
            with TLS before it.

        Raises
        ------
        ConfigError
            When other machines would be let in, and that was not allowed.
        ConflictError
            When it runs at another host or port.
        StoreError
            When it did not start.
        """
        return start_api(self.session, host=host, port=port, allow_remote=allow_remote)

    def stop_api(self) -> bool:
        """End the REST service; return whether it ran. Runs under way go on."""
        return stop_api(self.session)

    def get_default_datastore(self) -> Datastore:
        """Return the workspace's own file store."""
        return Datastore.get_default(self)

    def get_run(self, run_id: str) -> Run:
        """Return a run by its id, as the class that fits its type.

        Raises
        ------
        NotFoundError
            When the workspace has no run of that id.
        """
        return Run.get(self, run_id)

    def _experiment_names(self) -> list[str]:
        with self.session.read() as tx:
            return [e.name for e in tx.experiments.list()]

    def _dataset_names(self) -> list[str]:
        with self.session.read() as tx:
            return [d.name for d in tx.datasets.list()]

    def _datastore_names(self) -> list[str]:
        return [d.name for d in Datastore.list(self)]

    def _model_names(self) -> list[str]:
        with self.session.read() as tx:
            return [m.name for m in tx.models.list(latest=True)]

    def _webservice_names(self) -> list[str]:
        with self.session.read() as tx:
            return [d.name for d in tx.deployments.list()]

    def _compute_names(self) -> list[str]:
        return [t.name for t in ComputeTarget.list(self)]

    def __repr__(self) -> str:
        return f"Workspace(name={self.name!r}, root={self.location_of_files!r})"

    def _repr_html_(self) -> str:
        rows = [
            ("Name", self.name),
            ("Folder", self.location_of_files),
            ("Experiments", ", ".join(self.experiments) or "none yet"),
            ("Datasets", ", ".join(self.datasets) or "none yet"),
            ("Models", ", ".join(self.models) or "none yet"),
            ("Compute", ", ".join(self.compute_targets)),
        ]
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(k)}</th>"
            f"<td style='text-align:left'>{html.escape(v)}</td></tr>"
            for k, v in rows
        )
        return f"<table>{cells}</table>"
