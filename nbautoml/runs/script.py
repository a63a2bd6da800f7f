"""`ScriptRunConfig`: a script, what it needs, and how it becomes a run."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any  # Any: arguments of a script are values of many kinds

from nbautoml.compute.target import LOCAL, check_target
from nbautoml.data.consumption import DatasetConsumptionConfig
from nbautoml.data.dataset import capture
from nbautoml.data.tabular import TabularDataset
from nbautoml.domain.events import RunDescribed
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NotAvailableError, NotFoundError
from nbautoml.runs.controller import launch
from nbautoml.runs.environment import Environment
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.inputs import INPUT_DATASETS
from nbautoml.runs.packages import check_packages
from nbautoml.runs.run import Run
from nbautoml.runs.run_configuration import RunConfiguration
from nbautoml.runs.snapshot import SNAPSHOT, take_snapshot
from nbautoml.runs.types import SCRIPT_RUN
from nbautoml.store.session import Session

__all__ = ["ScriptRunConfig"]

_MOST_NAME_CHARS = 100
_ELSEWHERE = (
    "compute_target {name!r} is a cluster; scripts run on the machine of the run's own process, "
    "this one too. Only AutoML runs use clusters."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptJob:
    """What a script run does: its settings in the store, with nothing left to be found out.

    Parameters
    ----------
    command : str or tuple of str
        A line for the shell, or words; where there is a script, its arguments alone.
    script : str or None
        Path of the script in the source folder.
    python : str or None
        Path of the interpreter; None for the one of the run's own process.
    """

    command: str | tuple[str, ...]
    script: str | None
    python: str | None
    source_directory: str
    snapshot: str
    compute_target: str
    max_run_duration_seconds: float | None
    environment: dict[str, Any] | None
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The command as a person reads it."""
        words = self.command if isinstance(self.command, str) else " ".join(self.command)
        return " ".join(part for part in (self.script, words) if part)


class ScriptRunConfig:
    """A script, or a command, that an experiment runs in a process of its own.

    Parameters
    ----------
    source_directory : str or pathlib.Path, optional
        Folder that is kept with the run and in whose copy the script works; the working directory
        by default. What ``.amlignore`` (else ``.gitignore``) in it names is left out.
    script : str, optional
        Path of a Python script in that folder.
    arguments : sequence, optional
        Its arguments: texts, numbers, paths, and datasets, which arrive as their id; one with a
        name (``as_named_input``) is in ``Run.get_context().input_datasets``, too.
    run_config : RunConfiguration, optional
        Target and environment to begin with.
    compute_target : str or ComputeTarget, optional
        Must exist; ``"local"`` by default. Scripts run on this machine also where it is a cluster;
        the log says so.
    environment : Environment, optional
        Packages that have to be there, variables, and an interpreter where another one is meant.
    distributed_job_config, resume_from : object
        Functions of the SDK that are not built: anything but None is refused.
    max_run_duration_seconds : float, optional
        The run is canceled after so many seconds; no limit by default.
    command : str or sequence of str, optional
        In place of a script: a line for the shell, or words. ``python`` in it is the interpreter of
        the run.
    docker_runtime_config : object
        The SDK's argument, of no use here.
    python_executable : str or pathlib.Path, optional
        Interpreter in place of the one that submits, without an environment that says so.

    Raises
    ------
    ConfigError
        When there is neither a script nor a command, or both, or the time limit is not above 0.

    Examples
    --------
    >>> config = ScriptRunConfig("src", script="train.py", arguments=["--rate", 0.1])
    >>> config.run_config.target
    'local'
    """

    def __init__(
        self,
        source_directory: str | Path | None = None,
        script: str | None = None,
        arguments: Sequence[Any] | None = None,
        run_config: RunConfiguration | None = None,
        *,
        compute_target: Any = None,
        environment: Environment | None = None,
        distributed_job_config: object = None,
        resume_from: object = None,
        max_run_duration_seconds: float | None = None,
        command: str | Sequence[Any] | None = None,
        docker_runtime_config: object = None,
        python_executable: str | Path | None = None,
    ) -> None:
        for name, value in (
            ("distributed_job_config", distributed_job_config),
            ("resume_from", resume_from),
        ):
            if value is not None:
                raise NotAvailableError(f"{name} of ScriptRunConfig is not built; leave it out.")
        self.run_config = run_config if run_config is not None else RunConfiguration()
        self.source_directory = Path(source_directory if source_directory is not None else ".")
        self.script = script if script is not None else self.run_config.script
        self.command = command if command is not None else self.run_config.command
        self.arguments = list(arguments if arguments is not None else self.run_config.arguments)
        self.python_executable = python_executable
        if compute_target is not None:
            self.run_config.target = compute_target
        if environment is not None:
            self.run_config.environment = environment
        if max_run_duration_seconds is not None:
            self.run_config.max_run_duration_seconds = max_run_duration_seconds
        self._check()

    def submit_to(
        self, experiment: Experiment, *, tags: Mapping[str, str] | None, show_output: bool
    ) -> Run:
        """Keep the source, record the run and start its process; see `Experiment.submit`."""
        job = self.job(experiment.session)
        record = RunRecord(
            id=_run_id(experiment.name),
            experiment=experiment.name,
            type=SCRIPT_RUN,
            status=RunStatus.NOT_STARTED,
            created_at=time.time(),
            display_name=PurePath(job.script or "").name or job.text[:_MOST_NAME_CHARS],
            settings=asdict(job),
            tags={k: str(v) for k, v in (tags or {}).items()},
            properties={SNAPSHOT: job.snapshot} | self._named_inputs(experiment.session),
        )
        described = RunDescribed(
            what="script",
            experiment=experiment.name,
            text=job.text,
            compute=job.compute_target,
            timeout_seconds=job.max_run_duration_seconds,
        )
        with experiment.session.write() as tx:
            tx.experiments.get_or_create(experiment.name)
            tx.runs.create(record)
            tx.events.append(record.id, [described], record.created_at)
        launch(experiment.session, record.id)
        run = Run(experiment, record.id)
        if show_output:
            run.wait_for_completion(show_output=True)
        return run

    def _named_inputs(self, session: Session) -> dict[str, str]:
        """Return the property from which the script gets its datasets by name."""
        found = {
            value.name: {"dataset": _argument(session, value.dataset)}
            for value in self.arguments
            if isinstance(value, DatasetConsumptionConfig)
        }
        return {INPUT_DATASETS: json.dumps(found)} if found else {}

    def _check(self) -> None:
        if (self.script is None) == (self.command is None):
            raise ConfigError(
                "ScriptRunConfig takes script= (a Python file) or command= (a line for the shell), "
                f"one of them; got script={self.script!r}, command={self.command!r}."
            )
        limit = self.run_config.max_run_duration_seconds
        is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
        if limit is not None and not (is_number and limit > 0):
            raise ConfigError(
                f"max_run_duration_seconds of ScriptRunConfig must be above 0; got {limit!r}."
            )

    def job(self, session: Session) -> ScriptJob:
        """Keep the source and return all that a run needs, checked.

        Raises
        ------
        NbAutoMLError
            When something is wrong: it is said here and now, not by the run later.
        """
        target, on_target = _target(session, self.run_config.target)
        folder = self.source_directory.expanduser()
        self._check_source(folder)
        environment = self.run_config.environment
        python = self._interpreter(environment)
        notes = check_packages(environment) if environment is not None and python is None else ()
        command: str | tuple[str, ...]
        if isinstance(self.command, str):
            words = [_argument(session, value) for value in self.arguments]
            command = " ".join([self.command, *words])
        else:
            given = [*(self.command or ()), *self.arguments]
            command = tuple(_argument(session, value) for value in given)
        limit = self.run_config.max_run_duration_seconds
        return ScriptJob(
            command=command,
            script=None if self.script is None else PurePath(self.script).as_posix(),
            python=python,
            source_directory=str(folder.resolve()),
            snapshot=take_snapshot(session, folder),
            compute_target=target,
            max_run_duration_seconds=None if limit is None else float(limit),
            environment=environment.as_dict() if environment is not None else None,
            notes=(*on_target, *notes),
        )

    def _check_source(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotFoundError(
                f"source_directory of ScriptRunConfig is no folder: {folder} (in {Path.cwd()})."
            )
        if self.script is None:
            return
        script = (folder / self.script).resolve()
        if not script.is_relative_to(folder.resolve()):
            raise ConfigError(
                f"script of ScriptRunConfig must lie in source_directory {folder}; got "
                f"{self.script!r}."
            )
        if not script.is_file():
            there = sorted(path.name for path in folder.glob("*.py"))
            raise NotFoundError(
                f"script of ScriptRunConfig: there is no file {self.script!r} in {folder}. Python "
                f"files there: {', '.join(there) or 'none'}."
            )

    def _interpreter(self, environment: Environment | None) -> str | None:
        named = self.python_executable
        if named is None and environment is not None:
            named = environment.python.own_interpreter
        if named is None:
            return None
        found = shutil.which(Path(named).expanduser())
        if found is None:
            raise NotFoundError(
                f"The interpreter {str(named)!r} of the run is not there, or cannot be executed. "
                "Name the path of a Python, or leave it out for the one of this notebook."
            )
        is_this = Path(found).absolute() == Path(sys.executable).absolute()
        return None if is_this else found

    def __repr__(self) -> str:
        what = f"script={self.script!r}" if self.script else f"command={self.command!r}"
        return f"ScriptRunConfig(source_directory={str(self.source_directory)!r}, {what})"


def _target(session: Session, asked: Any) -> tuple[str, tuple[str, ...]]:
    """Return the name of a compute target, and what its user has to know of it."""
    name = str(getattr(asked, "name", asked) or LOCAL)
    if name == LOCAL:
        return name, ()
    check_target(session, name)
    return name, (_ELSEWHERE.format(name=name),)


def _argument(session: Session, value: Any) -> str:
    """Return an argument as the command line takes it."""
    if isinstance(value, str | int | float | PurePath):
        return str(value)
    if isinstance(value, DatasetConsumptionConfig):
        return _argument(session, value.dataset)
    if isinstance(value, TabularDataset):
        return value.id or capture(session, value, label="").id
    raise ConfigError(
        "Arguments of a script must be texts, numbers, paths or datasets; got "
        f"{type(value).__name__}. Write it to a file in source_directory, or store it as a dataset."
    )


def _run_id(experiment: str) -> str:
    """Return a new id in the SDK's form: experiment, seconds since the epoch, eight letters."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", experiment)[:_MOST_NAME_CHARS]
    return f"{name}_{int(time.time())}_{uuid.uuid4().hex[:8]}"
