"""What steps pass to each other: `PipelineData`, `OutputFileDatasetConfig`, `DataReference`."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any  # Any: arguments of the SDK that do nothing here

from nbautoml.data.datastore import Datastore
from nbautoml.errors import ConfigError, NotAvailableError
from nbautoml.pipelines.output_dataset import (
    PipelineOutputFileDataset,
    PipelineOutputTabularDataset,
    delimited,
    parquet,
)
from nbautoml.pipelines.ports import (
    FromOutput,
    FromPath,
    OutputPort,
    Registration,
    StepInput,
    check_port_name,
)

__all__ = [
    "DataReference",
    "InputPortBinding",
    "OutputFileDatasetConfig",
    "PipelineData",
    "TrainingOutput",
]

METRICS, MODEL = "Metrics", "Model"


class TrainingOutput:
    """What an AutoML step writes into an output.

    Parameters
    ----------
    type : {"Metrics", "Model"}
        The metrics of all children as JSON, or the best model as a file.
    iteration, metric, model_file
        Arguments of the SDK that choose another child or file: anything but None is refused.
    """

    def __init__(
        self,
        type: str,  # noqa: A002 - the SDK's name
        iteration: int | None = None,
        metric: str | None = None,
        model_file: str | None = None,
    ) -> None:
        if type not in (METRICS, MODEL):
            raise ConfigError(
                f"type of TrainingOutput must be {METRICS!r} or {MODEL!r}; got {type!r}."
            )
        if iteration is not None or metric is not None:
            raise NotAvailableError(
                "iteration and metric of TrainingOutput are not built: the output is that of the "
                "best model. Leave them out."
            )
        if model_file not in (None, "outputs/model.pkl"):
            raise NotAvailableError(
                f"model_file of TrainingOutput is 'outputs/model.pkl'; got {model_file!r}."
            )
        self.type = type
        self.iteration = iteration
        self.metric = metric
        self.model_file = model_file


class InputPortBinding:
    """An output of one step as an input of another, under a name of its own.

    Made by `PipelineData.as_input` and its like.
    """

    def __init__(self, found: StepInput) -> None:
        self._found = found
        self.name = found.name

    def as_step_input(self) -> StepInput:
        """Return the input."""
        return self._found

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class PipelineData:
    """Data that one step writes and others read: a file or a folder.

    The script gets a path whose parent is there. It makes the path a folder
    (``os.makedirs(path, exist_ok=True)``) or writes a file there.

    Parameters
    ----------
    name : str
        Letters, digits and ``_``; unique among the outputs of its step.
    datastore : Datastore, optional
        Where it is kept; the pipeline's default datastore when not given.
    output_name : str, optional
        Another name among the outputs of its step.
    output_mode : {"mount", "upload"}, default "mount"
        Both are the same here: the files go to the datastore when the step has completed.
    output_path_on_compute, output_overwrite, data_type
        Arguments of the SDK, of no use here.
    is_directory : bool, optional
        True makes the folder before the script begins.
    pipeline_output_name : str, optional
        Its name for ``PipelineRun.get_pipeline_output``.
    training_output : TrainingOutput, optional
        What an AutoML step writes into it.

    Examples
    --------
    >>> PipelineData("prepared")
    PipelineData(name='prepared')
    """

    def __init__(
        self,
        name: str,
        datastore: Datastore | None = None,
        output_name: str | None = None,
        output_mode: str = "mount",
        *,
        output_path_on_compute: object = None,
        output_overwrite: object = None,
        data_type: str | None = None,
        is_directory: bool | None = None,
        pipeline_output_name: str | None = None,
        training_output: TrainingOutput | None = None,
    ) -> None:
        self.name = check_port_name(name, "PipelineData")
        self.datastore = datastore
        self.data_type = data_type
        self.output_mode = output_mode
        self.port = OutputPort(
            name=output_name or name,
            datastore=None if datastore is None else datastore.name,
            is_directory=bool(is_directory),
            pipeline_output_name=pipeline_output_name or "",
            training=training_output.type if training_output is not None else "",
        )

    def as_input(self, input_name: str | None = None) -> InputPortBinding:
        """Return it as an input of another name."""
        return InputPortBinding(self._input(input_name))

    def as_mount(self, input_name: str | None = None) -> InputPortBinding:
        """Return it as an input that is a path on this machine."""
        return InputPortBinding(self._input(input_name))

    def as_download(
        self,
        input_name: str | None = None,
        path_on_compute: object = None,
        overwrite: object = None,
    ) -> InputPortBinding:
        """Return it as an input that is a copy of the files."""
        return InputPortBinding(self._input(input_name, is_copy=True))

    def as_dataset(self) -> PipelineOutputFileDataset:
        """Return it as a dataset: ``as_dataset().parse_delimited_files()`` reads its files."""
        return PipelineOutputFileDataset(self)

    def get_env_variable_name(self) -> str:
        """Return the environment variable that holds its path in the scripts of its steps."""
        return variable_of(self.port.name)

    def as_step_input(self) -> StepInput:
        """Return it as an input of its own name."""
        return self._input(None)

    def as_step_output(self) -> OutputPort:
        """Return it as an output."""
        return self.port

    def _input(self, name: str | None, *, is_copy: bool = False) -> StepInput:
        named = self.name if name is None else check_port_name(name, "an input")
        return StepInput(name=named, source=FromOutput(self.port), is_copy=is_copy)

    def __repr__(self) -> str:
        return f"PipelineData(name={self.name!r})"


class OutputFileDatasetConfig:
    """A folder that a step writes and others read; as an argument it is an output of its step.

    The folder is there when the script begins.

    Parameters
    ----------
    name : str, optional
        Its name among the outputs of its step; ``output_1``, … by its place among them by default.
    destination : Datastore or (Datastore, str), optional
        Where its files go when the step has completed; ``{run-id}`` and ``{output-name}`` in the
        path are filled in. A folder of the step's run in the default datastore when not given.
    source : object
        Argument of the SDK for paths in the container: anything but None is refused.
    partition_format : str, optional
        Not built: anything but None is refused.

    Examples
    --------
    >>> OutputFileDatasetConfig("prepared").as_upload(overwrite=True)
    OutputFileDatasetConfig(name='prepared')
    """

    def __init__(
        self,
        name: str | None = None,
        destination: Datastore | tuple[Datastore, str] | None = None,
        source: object = None,
        partition_format: str | None = None,
    ) -> None:
        for word, value in (("source", source), ("partition_format", partition_format)):
            if value is not None:
                raise NotAvailableError(
                    f"{word} of OutputFileDatasetConfig is not built; leave it out."
                )
        if name is not None:
            check_port_name(name, "OutputFileDatasetConfig")
        datastore, path = _destination(destination)
        self.destination = destination
        self.port = OutputPort(
            name=name or "",
            datastore=None if datastore is None else datastore.name,
            path=path,
            is_directory=True,
        )

    @property
    def name(self) -> str:
        """Its name among the outputs of its step; empty before it is one, if it was given none."""
        return self.port.name

    def as_mount(self, disable_metadata_cache: object = False) -> OutputFileDatasetConfig:
        """Return the same output; its files go to the datastore when the step has completed."""
        return copy.copy(self)

    def as_upload(
        self, overwrite: bool = False, source_globs: object = None
    ) -> OutputFileDatasetConfig:
        """Return the same output; its files go to the datastore when the step has completed."""
        if source_globs is not None:
            raise NotAvailableError("source_globs of as_upload is not built; leave it out.")
        return copy.copy(self)

    def as_input(self, name: str | None = None) -> InputPortBinding:
        """Return it as an input of another step: the path of the folder."""
        named = self.name or "input" if name is None else check_port_name(name, "an input")
        return InputPortBinding(StepInput(name=named, source=FromOutput(self.port)))

    def register_on_complete(
        self,
        name: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> OutputFileDatasetConfig:
        """Register its files as a dataset when the step has completed.

        Delimited, Parquet and JSON-lines files become a tabular dataset; the log says when they
        are none of these.
        """
        wanted = Registration(name=name, description=description or "", tags=dict(tags or {}))
        self.port.register(wanted, None)
        return copy.copy(self)

    def read_delimited_files(
        self, include_path: bool = False, separator: str = ",", **settings: Any
    ) -> PipelineOutputTabularDataset:
        """Return a table of its files, for a step that reads it; as `Dataset.Tabular` does."""
        form = delimited(include_path=include_path, separator=separator, **settings)
        return PipelineOutputTabularDataset(self, form)

    def read_parquet_files(
        self, include_path: bool = False, **settings: Any
    ) -> PipelineOutputTabularDataset:
        """Return a table of its files, for a step that reads it; as `Dataset.Tabular` does."""
        return PipelineOutputTabularDataset(self, parquet(include_path=include_path, **settings))

    def as_step_output(self) -> OutputPort:
        """Return it as an output."""
        return self.port

    def __repr__(self) -> str:
        return f"OutputFileDatasetConfig(name={self.name!r})"


class DataReference:
    """A path in a datastore, as an input of a step.

    Parameters
    ----------
    datastore : Datastore
        Where it is.
    data_reference_name : str, optional
        Its name among the inputs of the step; the end of the path by default.
    path_on_datastore : str, optional
        The path; the whole datastore by default.
    mode : {"mount", "download"}, default "mount"
        Whether the step gets the files, or a copy of them.
    path_on_compute, overwrite
        Arguments of the SDK, of no use here.
    """

    def __init__(
        self,
        datastore: Datastore,
        data_reference_name: str | None = None,
        path_on_datastore: str | None = None,
        mode: str = "mount",
        path_on_compute: object = None,
        overwrite: object = False,
    ) -> None:
        self.datastore = datastore
        self.path_on_datastore = path_on_datastore or ""
        self.mode = mode
        datastore.resolve(self.path_on_datastore)
        own = data_reference_name or datastore.name
        self.data_reference_name = check_port_name(own, "DataReference")

    @property
    def name(self) -> str:
        """Its name among the inputs of a step."""
        return self.data_reference_name

    def as_mount(self) -> DataReference:
        """Return it with the files themselves."""
        return self._with_mode("mount")

    def as_download(self, path_on_compute: object = None, overwrite: object = False) -> Any:
        """Return it with a copy of the files."""
        return self._with_mode("download")

    def as_step_input(self) -> StepInput:
        """Return it as an input."""
        return StepInput(
            name=self.name,
            source=FromPath(self.datastore.name, self.path_on_datastore),
            is_copy=self.mode == "download",
        )

    def _with_mode(self, mode: str) -> DataReference:
        made = copy.copy(self)
        made.mode = mode
        return made


def variable_of(name: str) -> str:
    """Return the environment variable that holds the path of an input or output.

    Examples
    --------
    >>> variable_of("prepared")
    'AZUREML_DATAREFERENCE_prepared'
    """
    return f"AZUREML_DATAREFERENCE_{name}"


def _destination(
    given: Datastore | tuple[Datastore, str] | None,
) -> tuple[Datastore | None, str | None]:
    if given is None:
        return None, None
    if isinstance(given, Datastore):
        return given, None
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Datastore):
        path = str(given[1])
        given[0].resolve(path)
        return given[0], path.strip("/")
    raise ConfigError(
        "destination of OutputFileDatasetConfig must be a Datastore or (datastore, path); got "
        f"{given!r}."
    )
