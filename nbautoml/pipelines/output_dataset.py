"""An output of a step as a dataset of the steps after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Protocol  # Any: settings of readers

from nbautoml.data.definition import Definition
from nbautoml.data.factory import TabularDatasetFactory
from nbautoml.data.tabular import TabularDataset
from nbautoml.errors import NotAvailableError
from nbautoml.pipelines.ports import (
    FromOutput,
    OutputPort,
    Registration,
    StepInput,
    check_port_name,
)

__all__ = ["PipelineOutputFileDataset", "PipelineOutputTabularDataset"]

_LATER = Path("/made-by-a-step")
"""Stands for files that are not there yet; what is kept of it is how they are read."""


class _Data(Protocol):
    """`PipelineData` or `OutputFileDatasetConfig`."""

    port: OutputPort

    @property
    def name(self) -> str:
        """Its name."""


class PipelineOutputFileDataset:
    """The files of an output; a step gets their path.

    Parameters
    ----------
    pipeline_data : PipelineData
        The output.
    """

    def __init__(self, pipeline_data: _Data) -> None:
        self._data = pipeline_data
        self._input_name = pipeline_data.name
        self._is_copy = False

    @property
    def name(self) -> str:
        """Name of the output."""
        return self._data.name

    @property
    def input_name(self) -> str:
        """Its name among the inputs of a step."""
        return self._input_name

    def as_named_input(self, name: str) -> PipelineOutputFileDataset:
        """Return it under a name, for ``Run.get_context().input_datasets``."""
        return self._like(name, self._is_copy)

    def as_mount(self, path_on_compute: object = None) -> PipelineOutputFileDataset:
        """Return it with the files themselves."""
        return self._like(self._input_name, False)

    def as_direct(self) -> PipelineOutputFileDataset:
        """Return it as it is: a path."""
        return self._like(self._input_name, self._is_copy)

    def as_download(self, path_on_compute: object = None) -> PipelineOutputFileDataset:
        """Return it with a copy of the files."""
        return self._like(self._input_name, True)

    def register(self, name: str, create_new_version: bool = True) -> PipelineOutputFileDataset:
        """Register its files as a dataset when the step has completed."""
        self._data.port.register(Registration(name=name), None)
        return self

    def parse_delimited_files(
        self,
        include_path: bool = False,
        separator: str = ",",
        file_extension: object = "",
        quoted_line_breaks: object = False,
        **settings: Any,
    ) -> PipelineOutputTabularDataset:
        """Return a table of its files; settings as in ``Dataset.Tabular.from_delimited_files``."""
        form = delimited(include_path=include_path, separator=separator, **settings)
        return PipelineOutputTabularDataset(self._data, form, self._input_name)

    def parse_parquet_files(
        self, include_path: bool = False, file_extension: object = ".parquet", **settings: Any
    ) -> PipelineOutputTabularDataset:
        """Return a table of its files; settings as in ``Dataset.Tabular.from_parquet_files``."""
        form = parquet(include_path=include_path, **settings)
        return PipelineOutputTabularDataset(self._data, form, self._input_name)

    def as_step_input(self) -> StepInput:
        """Return it as an input."""
        source = FromOutput(self._data.port)
        return StepInput(name=self._input_name, source=source, is_copy=self._is_copy)

    def _like(self, name: str, is_copy: bool) -> PipelineOutputFileDataset:
        made = PipelineOutputFileDataset(self._data)
        made._input_name = check_port_name(name, "an input")
        made._is_copy = is_copy
        return made


class PipelineOutputTabularDataset:
    """A table of the files of an output; a step gets a dataset.

    Parameters
    ----------
    data : PipelineData or OutputFileDatasetConfig
        The output.
    form : TabularDataset
        How its files are read.
    input_name : str, optional
        Its name among the inputs of a step; that of the output by default.
    """

    def __init__(self, data: _Data, form: TabularDataset, input_name: str | None = None) -> None:
        self._data = data
        self._form = form
        self._input_name = input_name or data.name or "input"

    @property
    def name(self) -> str:
        """Name of the output."""
        return self._data.name

    @property
    def input_name(self) -> str:
        """Its name among the inputs of a step."""
        return self._input_name

    def as_named_input(self, name: str) -> PipelineOutputTabularDataset:
        """Return it under a name, for ``Run.get_context().input_datasets``."""
        return PipelineOutputTabularDataset(
            self._data, self._form, check_port_name(name, "an input")
        )

    as_input = as_named_input

    def keep_columns(self, columns: str | Sequence[str]) -> PipelineOutputTabularDataset:
        """Keep only some columns, in the order given."""
        return self._with(self._form.keep_columns(columns))

    def drop_columns(self, columns: str | Sequence[str]) -> PipelineOutputTabularDataset:
        """Leave out some columns."""
        return self._with(self._form.drop_columns(columns))

    def random_split(
        self, percentage: float, seed: int | None = None
    ) -> tuple[PipelineOutputTabularDataset, PipelineOutputTabularDataset]:
        """Cut the rows at random into two datasets; without a seed 0 is taken, for reuse."""
        first, second = self._form.random_split(percentage, 0 if seed is None else seed)
        return self._with(first), self._with(second)

    def register(self, name: str, create_new_version: bool = True) -> PipelineOutputTabularDataset:
        """Register the table as a dataset when the step has completed."""
        self._data.port.register(Registration(name=name), self._definition)
        return self

    register_on_complete = register

    def as_step_input(self) -> StepInput:
        """Return it as an input."""
        return StepInput(
            name=self._input_name, source=FromOutput(self._data.port), table=self._definition
        )

    def to_pandas_dataframe(self) -> NoReturn:
        """Refuse: the table is there when the step that writes it has completed.

        Raises
        ------
        NotAvailableError
            Always; it says what does the work.
        """
        raise NotAvailableError(
            f"{self.name!r} is written by a step when the pipeline runs. Read it in a step after "
            "that, or download it: pipeline_run.get_pipeline_output(name).download()."
        )

    @property
    def _definition(self) -> Definition:
        return replace(self._form.definition, sources=())

    def _with(self, form: TabularDataset) -> PipelineOutputTabularDataset:
        return PipelineOutputTabularDataset(self._data, form, self._input_name)


def delimited(**settings: Any) -> TabularDataset:
    """Return how delimited files are read that are not there yet."""
    _refuse_partitions(settings)
    return TabularDatasetFactory.from_delimited_files(_LATER, validate=False, **settings)


def parquet(**settings: Any) -> TabularDataset:
    """Return how Parquet files are read that are not there yet."""
    _refuse_partitions(settings)
    return TabularDatasetFactory.from_parquet_files(_LATER, validate=False, **settings)


def _refuse_partitions(settings: dict[str, Any]) -> None:
    if settings.pop("path_glob", None) is not None:
        raise NotAvailableError(
            "path_glob is not built: all files of the output are read. Write others elsewhere."
        )
