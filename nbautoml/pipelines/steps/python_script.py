"""Steps that run a script or a command."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any  # Any: arguments of a script are values of many kinds

from nbautoml.compute.target import LOCAL
from nbautoml.pipelines.steps._base import PipelineStep
from nbautoml.runs.run_configuration import RunConfiguration
from nbautoml.runs.script import ScriptRunConfig
from nbautoml.store.session import Session

__all__ = ["CommandStep", "PythonScriptStep"]


class ScriptStep(PipelineStep):
    """What steps of scripts and commands share: a source folder and a configuration.

    Parameters
    ----------
    name, inputs, outputs, arguments, params, allow_reuse, version
        As in `PipelineStep`.
    source_directory : str or pathlib.Path, optional
        Folder that is kept with the pipeline.
    runconfig : RunConfiguration, optional
        Target and environment.
    compute_target : ComputeTarget or str, optional
        The target, where it is not said there.
    """

    kind = "script"

    def __init__(
        self,
        name: str,
        inputs: Iterable[Any] | None,
        outputs: Iterable[Any] | None,
        arguments: Sequence[Any] | None,
        *,
        source_directory: str | Path | None,
        runconfig: RunConfiguration | None,
        compute_target: Any,
        params: Mapping[str, Any] | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        super().__init__(
            name,
            inputs,
            outputs,
            arguments,
            params=params,
            allow_reuse=allow_reuse,
            version=version,
        )
        self._source = source_directory
        self._runconfig = runconfig
        self._compute_target = compute_target

    @property
    def compute(self) -> Any:
        """The compute target that was asked for."""
        asked = self._compute_target
        if asked is None and self._runconfig is not None:
            asked = self._runconfig.target
        return asked

    def settings(self, session: Session, default_source: PurePath | None) -> dict[str, Any]:
        """Keep the source folder and return what a script run would do, without its arguments."""
        runconfig = copy.copy(self._runconfig or RunConfiguration())
        runconfig.target = self.compute or LOCAL
        runconfig.script, runconfig.command, runconfig.arguments = None, None, []
        source = self._source if self._source is not None else default_source
        return asdict(
            self._config(None if source is None else Path(source), runconfig).job(session)
        )

    @abstractmethod
    def _config(self, source: Path | None, runconfig: RunConfiguration) -> ScriptRunConfig:
        """Return the script run that the step is, without its arguments."""


class PythonScriptStep(ScriptStep):
    """A step that runs a Python script.

    Parameters
    ----------
    script_name : str
        Path of the script in `source_directory`.
    name : str, optional
        Name of the step; that of the script by default.
    arguments : sequence, optional
        Texts, numbers, paths, `PipelineParameter`, and data: an input arrives as a path (a table
        as a dataset's id), an output as the path to write to.
    compute_target : ComputeTarget or str, optional
        Must exist. Scripts run on this machine also where it is a cluster; the log says so.
    runconfig : RunConfiguration, optional
        Target and environment.
    runconfig_pipeline_params : object
        The SDK's argument, of no use here.
    inputs, outputs : sequence, optional
        Data that it reads and writes. What is among the arguments need not be repeated, but for
        `PipelineData`.
    params : mapping, optional
        Values that the script finds as environment variables ``AML_PARAMETER_<name>``.
    source_directory : str or pathlib.Path, optional
        Folder that is kept with the pipeline and in whose copy the script works; the pipeline's
        ``default_source_directory``, else the working directory, by default.
    allow_reuse : bool, default True
        Whether the outputs of an earlier step run that did the same may be taken.
    version : str, optional
        Another version never reuses what an earlier one made.
    hash_paths : object
        The SDK's argument, of no use here: all files of the folder count.

    Raises
    ------
    ConfigError
        When an argument, input or output is of no known kind.

    Examples
    --------
    >>> from nbautoml.pipelines.data import PipelineData
    >>> prepared = PipelineData("prepared")
    >>> PythonScriptStep("prepare.py", arguments=["--out", prepared], outputs=[prepared])
    PythonScriptStep(name='prepare.py')
    """

    def __init__(
        self,
        script_name: str,
        name: str | None = None,
        arguments: Sequence[Any] | None = None,
        compute_target: Any = None,
        runconfig: RunConfiguration | None = None,
        runconfig_pipeline_params: object = None,
        *,
        inputs: Iterable[Any] | None = None,
        outputs: Iterable[Any] | None = None,
        params: Mapping[str, Any] | None = None,
        source_directory: str | Path | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
        hash_paths: object = None,
    ) -> None:
        self.script_name = script_name
        super().__init__(
            name or PurePath(script_name).name,
            inputs,
            outputs,
            arguments,
            source_directory=source_directory,
            runconfig=runconfig,
            compute_target=compute_target,
            params=params,
            allow_reuse=allow_reuse,
            version=version,
        )

    def _config(self, source: Path | None, runconfig: RunConfiguration) -> ScriptRunConfig:
        return ScriptRunConfig(source, script=self.script_name, run_config=runconfig)


class CommandStep(ScriptStep):
    """A step that runs a command.

    Parameters
    ----------
    command : str or sequence
        A line for the shell, or words; data and `PipelineParameter` may be among the words.
    name : str, optional
        Name of the step; the first word by default.
    compute_target, runconfig, inputs, outputs, params, source_directory, allow_reuse, version
        As in `PythonScriptStep`.

    Examples
    --------
    >>> CommandStep(["wc", "-l", "rows.csv"])
    CommandStep(name='wc')
    """

    def __init__(
        self,
        command: str | Sequence[Any],
        name: str | None = None,
        compute_target: Any = None,
        runconfig: RunConfiguration | None = None,
        *,
        inputs: Iterable[Any] | None = None,
        outputs: Iterable[Any] | None = None,
        params: Mapping[str, Any] | None = None,
        source_directory: str | Path | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        words = [command] if isinstance(command, str) else list(command)
        self._is_line = isinstance(command, str)
        super().__init__(
            name or (str(words[0]).split() or ["command"])[0],
            inputs,
            outputs,
            words,
            source_directory=source_directory,
            runconfig=runconfig,
            compute_target=compute_target,
            params=params,
            allow_reuse=allow_reuse,
            version=version,
        )

    def _config(self, source: Path | None, runconfig: RunConfiguration) -> ScriptRunConfig:
        # The words are the step's arguments; only whether they are a line is told here.
        return ScriptRunConfig(source, command="" if self._is_line else [], run_config=runconfig)
