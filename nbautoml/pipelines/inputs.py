"""What a step may be given to read, and which input that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: whatever a user gives, and JSON values

from nbautoml.data.consumption import DatasetConsumptionConfig
from nbautoml.data.dataset import capture
from nbautoml.data.datastore import DataPath
from nbautoml.data.tabular import TabularDataset
from nbautoml.errors import ConfigError
from nbautoml.pipelines.parameters import DataPathComputeBinding, PipelineParameter
from nbautoml.pipelines.ports import FromPath, OutputPort, StepInput
from nbautoml.store.session import Session


@dataclass(frozen=True, slots=True)
class FromDataset:
    """A dataset; it is kept when the pipeline is submitted or published."""

    dataset: TabularDataset
    port: None = None

    def freeze(self, session: Session, makers: Mapping[OutputPort, int]) -> dict[str, Any]:
        """Return the id of the version."""
        return {"kind": "dataset", "dataset": capture(session, self.dataset, label="").id}


@dataclass(frozen=True, slots=True)
class FromParameter:
    """A parameter that stands for a path in a datastore, or for a dataset."""

    parameter: PipelineParameter
    port: None = None

    def freeze(self, session: Session, makers: Mapping[OutputPort, int]) -> dict[str, Any]:
        """Return the name of the parameter."""
        return {"kind": "parameter", "parameter": self.parameter.name}


def accept_input(value: Any, default_name: str) -> StepInput:
    """Return the input that a value is.

    Parameters
    ----------
    value : object
        What was given as an input or argument of a step.
    default_name : str
        Its name where it has none.

    Raises
    ------
    ConfigError
        When it is nothing that a step can read.
    """
    as_step_input = getattr(value, "as_step_input", None)
    if as_step_input is not None:
        found: StepInput = as_step_input()
        return found
    if isinstance(value, DatasetConsumptionConfig):
        return _of_dataset(value.name, value.dataset)
    if isinstance(value, TabularDataset):
        return _of_dataset(value.name or default_name, value)
    if isinstance(value, DataPath):
        name = value.data_reference_name or default_name
        return StepInput(name=name, source=FromPath(value.datastore.name, value.path_on_datastore))
    if isinstance(value, PipelineParameter):
        return _of_parameter(value.name, value)
    if isinstance(value, tuple) and len(value) == 2:
        return _of_pair(value)
    raise ConfigError(
        "A step reads PipelineData, OutputFileDatasetConfig.as_input(), datasets, DataReference, "
        f"or a pair (PipelineParameter, DataPathComputeBinding()); got {type(value).__name__}."
    )


def _of_dataset(name: str, dataset: Any) -> StepInput:
    if isinstance(dataset, PipelineParameter):
        return _of_parameter(name, dataset)
    if not isinstance(dataset, TabularDataset):
        raise ConfigError(f"Input {name!r} must be a dataset; got {type(dataset).__name__}.")
    return StepInput(name=name, source=FromDataset(dataset))


def _of_parameter(name: str, parameter: PipelineParameter, *, is_copy: bool = False) -> StepInput:
    if not isinstance(parameter.default_value, DataPath | TabularDataset):
        raise ConfigError(
            f"Parameter {parameter.name!r} is an argument, not an input: its default value is "
            f"{parameter.default_value!r}, no DataPath or dataset."
        )
    return StepInput(
        name=name, source=FromParameter(parameter), is_copy=is_copy, parameters=(parameter,)
    )


def _of_pair(pair: tuple[Any, Any]) -> StepInput:
    parameter, binding = pair
    if not isinstance(parameter, PipelineParameter) or not isinstance(
        binding, DataPathComputeBinding
    ):
        raise ConfigError(
            f"A pair as an input is (PipelineParameter, DataPathComputeBinding()); got {pair!r}."
        )
    return _of_parameter(parameter.name, parameter, is_copy=binding.mode == "download")
