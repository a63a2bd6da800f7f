"""`Run`: a handle on a run, in the SDK's words. It holds ids, never state."""

from __future__ import annotations

import asyncio
import html
import math
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO  # Any: metric values and details are JSON

from nbautoml.domain.events import OutputWritten, StatusChanged
from nbautoml.domain.records import RunRecord
from nbautoml.domain.snapshot import RunSnapshot
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import NotFoundError, TrainingError
from nbautoml.registry.model import Model, register_from_run
from nbautoml.runs import details, files
from nbautoml.runs import metrics as run_metrics
from nbautoml.runs.by_hand import EndsByHand
from nbautoml.runs.child_process import current_run
from nbautoml.runs.ending import cancel_unowned
from nbautoml.runs.inputs import ReadsInputs
from nbautoml.runs.recovery import Rescue
from nbautoml.runs.requests import check_request
from nbautoml.runs.snapshot import SNAPSHOT, restore_snapshot
from nbautoml.runs.types import RUN_CLASSES
from nbautoml.runs.values import LogsValues
from nbautoml.store.events import EventTail
from nbautoml.store.patience import patiently
from nbautoml.store.session import Session, open_session

if TYPE_CHECKING:
    from nbautoml.domain.events import EventRecord
    from nbautoml.runs.environment import Environment
    from nbautoml.runs.experiment import Experiment
    from nbautoml.runs.offline import OfflineRun

__all__ = ["Run"]

POLL_SECONDS = 0.1
Printer = Callable[["EventRecord"], None]
"""Takes each event of a run, to show it."""


class Run(LogsValues, EndsByHand, ReadsInputs):
    """A run, or a child run, of an experiment.

    Parameters
    ----------
    experiment : Experiment
        The experiment it belongs to.
    run_id : str
        Its id.

    Raises
    ------
    NotFoundError
        When the workspace has no run of that id.
    """

    def __init__(self, experiment: Experiment, run_id: str, **_azure: Any) -> None:
        self.experiment = experiment
        self.session: Session = experiment.session
        self.id = run_id
        self._record()

    @classmethod
    def get(cls, workspace: Any, run_id: str) -> Run:  # Any: whatever has .session
        """Return a run by its id, as the class that fits its type."""
        from nbautoml.runs.experiment import Experiment  # each needs the other to be made

        with workspace.session.read() as tx:
            record = tx.runs.get(run_id)
        return RUN_CLASSES.get(record.type)(Experiment(workspace, record.experiment), run_id)

    @staticmethod
    def get_context(allow_offline: bool = True) -> Run | OfflineRun:
        """Return the run that this process belongs to.

        Parameters
        ----------
        allow_offline : bool, default True
            Outside of a run: whether to return a stand-in that keeps what is logged in memory.

        Raises
        ------
        NotFoundError
            Outside of a run, when `allow_offline` is false.
        """
        from nbautoml.runs.offline import OfflineRun
        from nbautoml.runs.workspace_handle import ContextWorkspace

        found = current_run()
        if found is not None:
            address, run_id = found
            return Run.get(ContextWorkspace(open_session(address)), run_id)
        if not allow_offline:
            raise NotFoundError("This process belongs to no run; submit it as one.")
        return OfflineRun()

    def _record(self) -> RunRecord:
        with self.session.read() as tx:
            return tx.runs.get(self.id)

    @property
    def number(self) -> int | None:
        """The child's number within its parent, None for a parent."""
        return self._record().number

    @property
    def type(self) -> str:
        """What kind of run it is, such as ``"automl"``."""
        return self._record().type

    @property
    def display_name(self) -> str:
        """A name for people, such as the pipeline of a child."""
        record = self._record()
        return record.display_name or record.id

    @property
    def status(self) -> str:
        """State of the run, in the SDK's spelling."""
        return self.get_status()

    def get_status(self) -> str:
        """Return the state of the run, such as ``"Running"`` or ``"Completed"``."""
        return self._record().status.value

    @property
    def parent(self) -> Run | None:
        """The run this one is a child of, or None."""
        parent_id = self._record().parent_id
        return Run.get(self.experiment, parent_id) if parent_id else None

    @property
    def tags(self) -> dict[str, str]:
        """Tags, as text; change them with `tag` or `set_tags`."""
        return dict(self._record().tags)

    def get_tags(self) -> dict[str, str]:
        """Return the tags, as text."""
        return self.tags

    def tag(self, key: str, value: Any = "") -> None:
        """Add or change one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Add or change tags."""
        with self.session.write() as tx:
            tx.runs.set_tags(self.id, {k: str(v) for k, v in tags.items()})

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Take tags off the run; names that it does not have are no error."""
        with self.session.write() as tx:
            tx.runs.remove_tags(self.id, tags)

    @property
    def properties(self) -> dict[str, str]:
        """Properties, as text: facts that the run's work recorded."""
        return self.get_properties()

    def get_properties(self) -> dict[str, str]:
        """Return the properties, as text."""
        return dict(self._record().properties)

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Add properties."""
        with self.session.write() as tx:
            tx.runs.set_properties(self.id, {k: str(v) for k, v in properties.items()})

    def get_details(self) -> dict[str, Any]:
        """Return what is known of the run, in the SDK's shape (``runId``, ``status``, …)."""
        return details.run_details(self.session, self._record())

    def snapshot(self) -> RunSnapshot:
        """Return the run's state now, folded from its events."""
        return details.run_snapshot(self.session, self.id)

    def get_children(
        self,
        recursive: bool = False,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        type: str | None = None,  # noqa: A002 - the SDK's name
        status: str | None = None,
    ) -> Iterator[Run]:
        """Yield the child runs, newest first.

        Parameters
        ----------
        recursive : bool, default False
            Whether to go on into children of children.
        tags, properties : mapping of str to str, optional
            Which values they must have.
        type, status : str, optional
            Which type and state they must be of.
        """
        statuses = [RunStatus(status)] if status else None
        with self.session.read() as tx:
            found = tx.runs.list(
                parent_id=self.id, tags=tags, properties=properties, type=type, statuses=statuses
            )
        for record in sorted(found, key=lambda r: r.number or 0, reverse=True):
            child = RUN_CLASSES.get(record.type)(self.experiment, record.id)
            yield child
            if recursive:
                yield from child.get_children(
                    True, tags=tags, properties=properties, type=type, status=status
                )

    def get_metrics(self, name: str | None = None, recursive: bool = False) -> dict[str, Any]:
        """Return what was logged: a value each, or a list where a name was logged repeatedly.

        Tables are mappings of column to values; pictures and charts are addresses, whose last
        part is the name of a file to download.

        Parameters
        ----------
        name : str, optional
            Only the metric of this name.
        recursive : bool, default False
            Whether to return a mapping of child id to metrics instead.
        """
        return run_metrics.read(self.session, self.id, name=name, recursive=recursive)

    def get_file_names(self) -> list[str]:
        """Return the names of the run's stored files, such as ``outputs/model.pkl``."""
        return files.names(self.session, self.id)

    def download_file(
        self, name: str, output_file_path: str | Path | None = None, **_azure: Any
    ) -> None:
        """Copy one stored file to a path, or into the working directory under its own name."""
        files.download(self.session, self.id, name, output_file_path)

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: str | Path | None = None,
        append_prefix: bool = True,
        **_azure: Any,
    ) -> None:
        """Copy all stored files whose names begin with `prefix` into a folder."""
        files.download_all(self.session, self.id, prefix or "", output_directory, append_prefix)

    def upload_file(
        self, name: str, path_or_stream: str | Path | BinaryIO, datastore_name: object = None
    ) -> None:
        """Store a file, or what a binary stream holds, under a name of your choice."""
        read = getattr(path_or_stream, "read", None)
        source = read() if callable(read) else Path(path_or_stream)  # type: ignore[arg-type]
        files.store(self.session, self.id, {name: source})

    def upload_files(
        self, names: Sequence[str], paths: Sequence[str | Path], **_azure: Any
    ) -> None:
        """Store files under names of your choice, given in the same order."""
        pairs = zip(names, map(Path, paths), strict=True)
        files.store(self.session, self.id, dict(pairs))

    def upload_folder(self, name: str, path: str | Path, datastore_name: object = None) -> None:
        """Store all files of a folder under ``name/``.

        Raises
        ------
        NotFoundError
            When there is no such folder.
        """
        if not Path(path).is_dir():
            raise NotFoundError(f"There is no folder {path} to store (in {Path.cwd()}).")
        files.upload_folder(self.session, self.id, name, Path(path))

    def flush(self, timeout_seconds: float = 300) -> None:
        """Do nothing: what was logged is in the store when the call returns."""

    def get_snapshot_id(self) -> str | None:
        """Return the id of the source that the run was made of; None where none was kept."""
        return self.get_properties().get(SNAPSHOT)

    def restore_snapshot(
        self, snapshot_id: str | None = None, path: str | Path | None = None
    ) -> str:
        """Unpack the source that the run was made of; return the folder.

        Parameters
        ----------
        snapshot_id : str, optional
            Another source than this run's.
        path : str or pathlib.Path, optional
            Where; ``snapshot-<id>`` in the working directory by default.

        Raises
        ------
        NotFoundError
            When none was kept.
        """
        wanted = snapshot_id or self.get_snapshot_id()
        if wanted is None:
            raise NotFoundError(f"Run {self.id} was made of no source folder.")
        folder = Path(path) if path is not None else Path(f"snapshot-{wanted[:8]}")
        restore_snapshot(self.session, wanted, folder)
        return str(folder)

    def get_environment(self) -> Environment:
        """Return the environment that a script run was submitted with.

        Raises
        ------
        NotFoundError
            When the run has none.
        """
        from nbautoml.runs.environment import Environment  # reads YAML, and few ask for it

        stated = self._record().settings.get("environment")
        if not stated:
            raise NotFoundError(f"Run {self.id} was submitted without an environment.")
        return Environment.from_dict(stated)

    def get_all_logs(self, destination: str | Path | None = None) -> list[str]:
        """Copy the stored logs into a folder (``logs-<run id>`` by default); return the paths."""
        folder = Path(destination) if destination is not None else Path(f"logs-{self.id}")
        prefixes = ("logs/", "user_logs/")
        names = [name for name in self.get_file_names() if name.startswith(prefixes)]
        return [str(files.download(self.session, self.id, n, folder / n)) for n in names]

    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str | None = None,
        *,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        datasets: Sequence[tuple[str, Any]] | None = None,
        child_paths: Sequence[str] | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        **_azure: Any,
    ) -> Model:
        """Register files of the run as a new version of a model; none of them is loaded.

        Parameters
        ----------
        model_name : str
            The model's name.
        model_path : str, optional
            Stored file or folder to register; ``outputs`` when not given.
        tags, properties : mapping of str to str, optional
            Kept with the version.
        description : str, optional
            A sentence for people.
        model_framework, model_framework_version, datasets, child_paths, sample_input_dataset
            As in ``Model.register``; `sample_output_dataset`, too.
        **_azure
            ``resource_configuration`` of the SDK: accepted, of no use here.

        Raises
        ------
        NotFoundError
            When the run has no such file; the message names what there is.
        """
        return register_from_run(
            self.session,
            run_id=self.id,
            model_path=model_path or "outputs",
            model_name=model_name,
            tags=tags,
            properties=properties,
            description=description,
            model_framework=model_framework,
            model_framework_version=model_framework_version,
            datasets=datasets,
            child_paths=child_paths,
            sample_input_dataset=sample_input_dataset,
            sample_output_dataset=sample_output_dataset,
        )

    def cancel(self) -> None:
        """Ask the run to stop; what it has stored is kept. Returns at once."""
        self._request(RequestKind.CANCEL)
        cancel_unowned(self.session, self.id)

    def finish_now(self) -> None:
        """Ask the run to stop searching, build its ensemble and complete."""
        self._request(RequestKind.FINISH_NOW)

    def add_minutes(self, minutes: float) -> None:
        """Give the run more time (or less, when negative)."""
        self._request(RequestKind.ADD_MINUTES, {"minutes": float(minutes)})

    def pause(self) -> None:
        """Ask the run to begin no more trials until `resume`; its time stands still meanwhile.

        Trials that are on their way are finished. A run that is past its search goes on.
        """
        self._request(RequestKind.PAUSE)

    def resume(self) -> None:
        """Ask a paused run to go on."""
        self._request(RequestKind.RESUME)

    def _request(self, kind: RequestKind, payload: Mapping[str, Any] | None = None) -> None:
        with self.session.write() as tx:
            record = tx.runs.get(self.id)
            check_request(record, kind)
            if not record.status.is_terminal:
                tx.requests.append(self.id, kind, dict(payload or {}), time.time())

    def wait_for_completion(
        self,
        show_output: bool = False,
        wait_post_processing: bool = False,
        raise_on_error: bool = True,
    ) -> dict[str, Any]:
        """Wait until the run ends, and return its details; an interrupt ends the waiting only.

        Parameters
        ----------
        show_output : bool, default False
            Whether to print what happens while it happens.
        wait_post_processing : bool, default False
            The SDK's argument; only after an AutoML run something goes on here.
        raise_on_error : bool, default True
            Whether a failed run raises.

        Raises
        ------
        TrainingError
            When the run failed and `raise_on_error` is true.
        """
        self._wait(self._printer(sys.stdout) if show_output else None)
        self._raise_if_failed(raise_on_error)
        return self.get_details()

    def _wait(self, printer: Printer | None, seconds: float = math.inf) -> None:
        """Wait until the run ends, or as long as was said; `printer` gets all its events."""
        tail = EventTail(self.session, self.id)
        rescue = Rescue(self.session)
        until = time.monotonic() + seconds
        try:
            while True:
                rescue.look()
                is_over = patiently(lambda: self._record().status.is_terminal)
                for record in patiently(tail.poll):
                    if printer is not None:
                        printer(record)
                if is_over or time.monotonic() > until:
                    break
                time.sleep(POLL_SECONDS)
        finally:
            tail.close()

    def __await__(self) -> Generator[Any, None, Run]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> Run:
        rescue = Rescue(self.session)
        while not patiently(lambda: self._record().status.is_terminal, seconds=5.0):
            rescue.look()
            await asyncio.sleep(POLL_SECONDS)
        self._raise_if_failed(True)
        return self

    def _raise_if_failed(self, raise_on_error: bool) -> None:
        record = self._record()
        if raise_on_error and record.status is RunStatus.FAILED:
            raise TrainingError(f"Run {self.id} failed: {record.reason}")

    def _printer(self, stream: TextIO) -> Printer:
        """Return what prints this run's events; classes of runs have their own."""
        return partial(_show, stream)

    def get_portal_url(self) -> str:
        """Return where this run can be looked at: here, a line for a notebook cell."""
        return f"nbautoml.RunDetails(workspace.get_run({self.id!r})).show()"

    def __repr__(self) -> str:
        record = self._record()
        return (
            f"Run(Experiment: {self.experiment.name},\nId: {self.id},\n"
            f"Type: {record.type},\nStatus: {record.status.value})"
        )

    def _repr_html_(self) -> str:
        record = self._record()
        names = ("Experiment", "Id", "Type", "Status")
        values = (self.experiment.name, self.id, record.type, record.status.value)
        head = "".join(f"<th>{n}</th>" for n in names)
        cells = "".join(f"<td>{html.escape(v)}</td>" for v in values)
        return f"<table><tr>{head}</tr><tr>{cells}</tr></table>"


def _show(stream: TextIO, record: EventRecord) -> None:
    """Print what a script wrote, and each change of the run's status; nothing else."""
    if isinstance(event := record.event, OutputWritten):
        stream.write(f"{event.text}\n")
    elif isinstance(event, StatusChanged):
        stream.write(f"{event.status.value} {event.reason}".rstrip() + "\n")
