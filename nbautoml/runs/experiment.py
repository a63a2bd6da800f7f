"""`Experiment`: a named container of runs."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import (
    Any,
    Protocol,
    TypeVar,
)  # Any: whatever has .session; configs take settings of their own

from nbautoml.domain.records import RunRecord
from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.runs.by_hand import folders_of
from nbautoml.runs.interactive import start_interactive
from nbautoml.runs.run import Run
from nbautoml.runs.snapshot import SNAPSHOT, take_snapshot
from nbautoml.runs.types import RUN_CLASSES
from nbautoml.store.session import Session

__all__ = ["Experiment", "Submittable"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-.]{0,254}")


R_co = TypeVar("R_co", bound=Run, covariant=True)


class Submittable(Protocol[R_co]):
    """A configuration that knows how to become a run.

    One that has settings of its own at submission names them in ``submit_settings``; they are
    further keywords of its `submit_to`.
    """

    def submit_to(
        self, experiment: Experiment, *, tags: Mapping[str, str] | None, show_output: bool
    ) -> R_co:
        """Create and start the run; return at once unless output is shown."""


class Experiment:
    """A named container of runs; made in the workspace when it is first submitted to.

    Parameters
    ----------
    workspace : Workspace
        Or anything else with a ``session``.
    name : str
        Letters, digits, ``_``, ``-`` and ``.``, up to 255, a letter or digit first.

    Raises
    ------
    ConfigError
        When the name cannot be used.
    """

    def __init__(self, workspace: Any, name: str, **_azure: Any) -> None:
        check_experiment_name(name)
        self.workspace = workspace
        self.session: Session = workspace.session
        self.name = name

    @staticmethod
    def list(workspace: Any) -> list[Experiment]:
        """Return all experiments of a workspace."""
        with workspace.session.read() as tx:
            return [Experiment(workspace, e.name) for e in tx.experiments.list()]

    @property
    def id(self) -> str:
        """Its number in the workspace, as text; ``""`` before the first run."""
        with self.session.read() as tx:
            found = [e.id for e in tx.experiments.list() if e.name == self.name]
        return str(found[0]) if found else ""

    def submit(
        self,
        config: Submittable[R_co],
        tags: Mapping[str, str] | None = None,
        show_output: bool = False,
        **settings: Any,
    ) -> R_co:
        """Start a run and return it at once.

        Parameters
        ----------
        config : AutoMLConfig, ScriptRunConfig, Pipeline, PublishedPipeline or PipelineEndpoint
            What to run.
        tags : mapping of str to str, optional
            Kept with the run.
        show_output : bool, default False
            Whether to wait and print what happens.
        **settings
            Those of a pipeline: ``pipeline_parameters``, ``continue_on_step_failure`` and
            ``regenerate_outputs``; of an endpoint also ``pipeline_version``.

        Returns
        -------
        Run
            An `AutoMLRun` for an `AutoMLConfig`, a `Run` for a `ScriptRunConfig`, a `PipelineRun`
            for a pipeline.

        Raises
        ------
        ConfigError
            When `config` is nothing that can be run, or does not know a setting.
        """
        submit_to = getattr(config, "submit_to", None)
        if submit_to is None:
            raise ConfigError(
                f"An experiment cannot run a {type(config).__name__}; give it an AutoMLConfig, a "
                "ScriptRunConfig or a Pipeline."
            )
        known = getattr(config, "submit_settings", ())
        for name in settings:
            if name not in known:
                hint = did_you_mean(name, known)
                raise ConfigError(
                    f"submit of a {type(config).__name__} has no setting {name!r}.{hint}"
                )
        with self.session.write() as tx:
            tx.experiments.get_or_create(self.name)
        run: R_co = submit_to(self, tags=tags, show_output=show_output, **settings)
        return run

    def start_logging(
        self,
        *,
        outputs: str | Path | Sequence[str | Path] | None = None,
        snapshot_directory: str | Path | None = None,
        display_name: str = "",
        tags: Mapping[str, str] | None = None,
        **_azure: Any,
    ) -> Run:
        """Return a run of this process, to log to by hand.

        It goes on until `Run.complete`, `Run.fail` or `Run.cancel`, or to the end of a ``with``
        block. If the process ends before, the run is marked as failed when the workspace is next
        opened.

        Parameters
        ----------
        outputs : str, pathlib.Path or list of them, optional
            Folders whose files are stored when the run is ended by hand.
        snapshot_directory : str or pathlib.Path, optional
            Folder that is kept with the run, as the source of a script run is.
        display_name : str, default ""
            A name for people.
        tags : mapping of str to str, optional
            Kept with the run.

        Returns
        -------
        Run

        Raises
        ------
        NotFoundError
            When there is no such `snapshot_directory`.
        ConfigError
            When it has too many files.

        Examples
        --------
        >>> from nbautoml.runs.workspace_handle import WorkspaceHandle
        >>> from nbautoml.store.session import open_memory_session
        >>> with Experiment(WorkspaceHandle(open_memory_session()), "e").start_logging() as run:
        ...     run.log("accuracy", 0.9)
        >>> run.get_status(), run.get_metrics()
        ('Completed', {'accuracy': 0.9})
        """
        folders = folders_of(outputs)
        source = None
        if snapshot_directory is not None:
            source = take_snapshot(self.session, Path(snapshot_directory).expanduser())
        run = Run(self, start_interactive(self, display_name=display_name, tags=tags))
        run._outputs = folders
        if source is not None:
            run.add_properties({SNAPSHOT: source})
        return run

    def get_runs(
        self,
        type: str | None = None,  # noqa: A002 - the SDK's name
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        include_children: bool = False,
    ) -> Iterator[Run]:
        """Yield the runs of the experiment, newest first.

        Parameters
        ----------
        type : str, optional
            Only runs of this type, such as ``"automl"``.
        tags, properties : mapping of str to str, optional
            Which values they must have.
        include_children : bool, default False
            Whether to yield child runs too.
        """
        found = self._records(
            type=type, tags=tags, properties=properties, include_children=include_children
        )
        for record in found:
            yield RUN_CLASSES.get(record.type)(self, record.id)

    def get_run(self, run_id: str) -> Run:
        """Return a run of this experiment.

        Raises
        ------
        NotFoundError
            When the experiment has no run of that id.
        """
        run = Run.get(self.workspace, run_id)
        if run.experiment.name != self.name:
            raise NotFoundError(f"Run {run_id} belongs to experiment {run.experiment.name!r}.")
        return run

    def _records(self, **filters: Any) -> Sequence[RunRecord]:
        with self.session.read() as tx:
            return tx.runs.list(experiment=self.name, **filters)

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name},\nWorkspace: {self.workspace.name})"

    def _repr_html_(self) -> str:
        parents = self._records(limit=10)
        rows = "".join(
            f"<tr><td>{html.escape(r.id)}</td><td>{html.escape(r.type)}</td>"
            f"<td>{r.status.value}</td><td>{_when(r.created_at)}</td></tr>"
            for r in parents
        )
        head = "<tr><th>Run</th><th>Type</th><th>Status</th><th>Submitted (UTC)</th></tr>"
        table = f"<table>{head}{rows}</table>" if parents else "<p>No runs yet.</p>"
        return f"<p><b>{html.escape(self.name)}</b> in {self.workspace.name}</p>{table}"


def check_experiment_name(name: str) -> None:
    """Raise an error for a name that no experiment can have.

    Raises
    ------
    ConfigError
        When it has other signs than letters, digits, ``_``, ``-`` and ``.``, or too many.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"An experiment cannot be called {name!r}: use 1 to 255 letters, digits, '_', "
            "'-' or '.', with a letter or digit first."
        )


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
