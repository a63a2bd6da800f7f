"""`ParallelRunStep`: a script that is called with one part of the data after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any  # Any: environments, targets, parameters, and JSON values

from nbautoml.errors import ConfigError, NotAvailableError, NotFoundError
from nbautoml.pipelines.steps.python_script import ScriptStep
from nbautoml.runs.run_configuration import RunConfiguration
from nbautoml.runs.script import ScriptRunConfig
from nbautoml.store.session import Session

__all__ = ["ParallelRunConfig", "ParallelRunStep"]

APPEND_ROW, SUMMARY_ONLY = "append_row", "summary_only"
ROWS_FILE = "parallel_run_step.txt"
"""File of the output that takes the results of all parts, when nothing else is said."""
_MODULE = "nbautoml.pipelines.mini_batches"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelRunConfig:
    """How a script is called by a `ParallelRunStep`.

    Parameters
    ----------
    entry_script : str
        A script with the functions ``init()``, which is called once a process, and
        ``run(mini_batch)``, which gets rows as a DataFrame, or a list of paths, and returns a list
        or a DataFrame with one entry for each of them.
    error_threshold : int, default -1
        The step fails when more rows (or files) than these have failed; -1 is no limit.
    output_action : {"append_row", "summary_only"}, default "append_row"
        Whether results are written to one file of the output, or only counted.
    environment : Environment, optional
        Packages, variables and interpreter.
    compute_target : ComputeTarget or str, optional
        Must exist; processes run on this machine.
    node_count : object
        The SDK's argument, of no use here.
    process_count_per_node : int, optional
        How many processes; as many as there are processors by default.
    mini_batch_size : str or int, optional
        For tables the size of a part, such as ``"100KB"`` (``"1MB"`` by default); for files their
        number (10).
    source_directory : str, optional
        Folder of the script; that in which it lies by default.
    run_invocation_timeout : float, default 60
        Longest time of one call, in seconds.
    run_max_try : int, default 3
        How often a part is tried before it has failed.
    append_row_file_name : str, optional
        Name of the file of results; ``parallel_run_step.txt`` by default.
    environment_variables : mapping, optional
        Variables besides those of the environment.
    description, logging_level : str
        Of no use here.
    allowed_failed_count, allowed_failed_percent, partition_keys : object
        Not built: anything but None is refused.

    Raises
    ------
    ConfigError
        When `output_action` is neither of the two.
    NotAvailableError
        When something is asked for that is not built.
    """

    entry_script: str
    error_threshold: Any = -1
    output_action: str = APPEND_ROW
    environment: Any = None
    compute_target: Any = None
    node_count: object = 1
    process_count_per_node: Any = None
    mini_batch_size: Any = None
    source_directory: str | None = None
    run_invocation_timeout: Any = 60
    run_max_try: Any = 3
    append_row_file_name: str | None = None
    environment_variables: Mapping[str, str] | None = None
    description: str | None = None
    logging_level: object = "INFO"
    allowed_failed_count: object = None
    allowed_failed_percent: object = None
    partition_keys: object = None

    def __post_init__(self) -> None:
        if self.output_action not in (APPEND_ROW, SUMMARY_ONLY):
            raise ConfigError(
                f"output_action of ParallelRunConfig must be {APPEND_ROW!r} or {SUMMARY_ONLY!r}; "
                f"got {self.output_action!r}."
            )
        for name in ("allowed_failed_count", "allowed_failed_percent", "partition_keys"):
            if getattr(self, name) is not None:
                raise NotAvailableError(
                    f"{name} of ParallelRunConfig is not built. Leave it out; error_threshold "
                    "says how much may fail."
                )


class ParallelRunStep(ScriptStep):
    """A step that calls a script with one part of the data after the other, in several processes.

    Parameters
    ----------
    name : str
        Name of the step.
    parallel_run_config : ParallelRunConfig
        The script, and how it is called.
    inputs : sequence
        Datasets with names (``dataset.as_named_input(name)``), or folders that steps before it
        write: they are cut into parts.
    output : PipelineData or OutputFileDatasetConfig, optional
        Where the results go.
    side_inputs : sequence, optional
        Data that the script reads as a whole; pass them among the arguments.
    arguments : sequence, optional
        Arguments of the script.
    allow_reuse : bool, default True
        Whether the results of an earlier step run that did the same may be taken.

    Raises
    ------
    ConfigError
        When there are no inputs, or results have nowhere to go.
    """

    def __init__(
        self,
        name: str,
        parallel_run_config: ParallelRunConfig,
        inputs: Iterable[Any],
        output: Any = None,
        side_inputs: Iterable[Any] | None = None,
        arguments: Sequence[Any] | None = None,
        *,
        allow_reuse: bool = True,
    ) -> None:
        config = parallel_run_config
        given = list(inputs or ())
        if not given:
            raise ConfigError(f"ParallelRunStep {name!r} needs inputs: what it cuts into parts.")
        if output is None and config.output_action == APPEND_ROW:
            raise ConfigError(
                f"ParallelRunStep {name!r} needs an output for its rows; or give its config "
                f"output_action={SUMMARY_ONLY!r}."
            )
        self.config = config
        folder, self._entry = _place_of(config)
        outputs = [] if output is None else [output]
        super().__init__(
            name,
            [*given, *(side_inputs or ())],
            outputs,
            [],
            source_directory=folder,
            runconfig=_runconfig(config),
            compute_target=config.compute_target,
            allow_reuse=allow_reuse,
        )
        batched = [found.name for found in self.inputs[: len(given)]]
        words = [*self._words(batched), *(["--output", output] if outputs else []), "--"]
        self.arguments = [self._template(word) for word in [*words, *(arguments or ())]]

    def settings(self, session: Session, default_source: PurePath | None) -> dict[str, Any]:
        """Keep the source folder and return what a script run would do, without its arguments."""
        folder = Path(self._source if self._source is not None else ".").expanduser()
        if not (folder / self._entry).is_file():
            raise NotFoundError(
                f"entry_script of ParallelRunConfig: there is no file {self._entry!r} in {folder} "
                f"(in {Path.cwd()})."
            )
        return super().settings(session, default_source)

    def _config(self, source: Path | None, runconfig: RunConfiguration | None) -> ScriptRunConfig:
        return ScriptRunConfig(source, command=[], run_config=runconfig)

    def _words(self, batched: Sequence[str]) -> list[Any]:
        """Return the command, up to where the results go."""
        config = self.config
        options = {
            "--entry_script": self._entry,
            "--inputs": ",".join(batched),
            "--error_threshold": config.error_threshold,
            "--output_action": config.output_action,
            "--append_row_file_name": config.append_row_file_name or ROWS_FILE,
            "--process_count": config.process_count_per_node,
            "--mini_batch_size": config.mini_batch_size,
            "--run_invocation_timeout": config.run_invocation_timeout,
            "--run_max_try": config.run_max_try,
        }
        said = [(name, value) for name, value in options.items() if value is not None]
        return ["python", "-m", _MODULE, *(word for pair in said for word in pair)]


def _place_of(config: ParallelRunConfig) -> tuple[str, str]:
    """Return folder and name of the script."""
    if config.source_directory is not None:
        return str(config.source_directory), PurePath(config.entry_script).as_posix()
    path = PurePath(config.entry_script)
    return str(path.parent), path.name


def _runconfig(config: ParallelRunConfig) -> RunConfiguration:
    made = RunConfiguration()
    if config.environment is not None:
        made.environment = config.environment.clone(config.environment.name)
    made.environment_variables = {
        **made.environment_variables,
        **(config.environment_variables or {}),
    }
    return made
