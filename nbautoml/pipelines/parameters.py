"""`PipelineParameter`: a value that is given when a pipeline is submitted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: values of parameters, and JSON values

from nbautoml.data.dataset import capture
from nbautoml.data.datastore import DataPath
from nbautoml.data.tabular import TabularDataset
from nbautoml.domain.events import json_safe
from nbautoml.errors import ConfigError, did_you_mean
from nbautoml.store.session import Session

__all__ = ["DataPathComputeBinding", "PipelineParameter"]

PATH, DATASET, VALUE = "path", "dataset", "value"
"""What a parameter stands for: a path in a datastore, a dataset, or a plain value."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-. ]*")
_AZURE_PATH = ("DataStoreName", "RelativePath")


@dataclass(frozen=True, slots=True)
class PipelineParameter:
    """A value of a pipeline that whoever submits it may change.

    Parameters
    ----------
    name : str
        Its name, in ``pipeline_parameters`` and in requests.
    default_value : str, int, float, bool, DataPath or TabularDataset
        What it is when nothing is said.

    Raises
    ------
    ConfigError
        When the name cannot be used.

    Examples
    --------
    >>> rate = PipelineParameter("rate", default_value=0.1)
    >>> rate.name, rate.default_value
    ('rate', 0.1)
    """

    name: str
    default_value: Any

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"A PipelineParameter cannot be called {self.name!r}: use letters, digits, '_', "
                "'-' and '.', with a letter first."
            )


@dataclass(frozen=True, slots=True)
class DataPathComputeBinding:
    """How a step finds a path that is a parameter; given in a pair with it.

    Parameters
    ----------
    mode : {"mount", "download"}, default "mount"
        Both give a path on this machine; ``"download"`` gives a copy.
    path_on_compute, overwrite
        Arguments of the SDK, of no use here.
    """

    mode: str = "mount"
    path_on_compute: str | None = None
    overwrite: bool = False


def freeze_value(session: Session, name: str, value: Any) -> Any:
    """Return the value of a parameter as JSON; a dataset is kept, and stands there by its id.

    Raises
    ------
    ConfigError
        When it is nothing that a parameter can be.
    """
    if isinstance(value, DataPath):
        return {"datastore": value.datastore.name, "path": value.path_on_datastore}
    if isinstance(value, TabularDataset):
        return {"dataset": value.id or capture(session, value, label="").id}
    if isinstance(value, Mapping):
        return _path_of(name, value)
    if value is None or isinstance(value, str | bool | int | float):
        return json_safe(value)
    raise ConfigError(
        f"Parameter {name!r} must be a text, a number, a DataPath or a dataset; got "
        f"{type(value).__name__}."
    )


def kind_of(value: Any) -> str:
    """Return what a frozen value stands for.

    Examples
    --------
    >>> kind_of(3), kind_of({"datastore": "d", "path": "a.csv"})
    ('value', 'path')
    """
    if not isinstance(value, Mapping):
        return VALUE
    return DATASET if "dataset" in value else PATH


def assign(
    session: Session, defaults: Mapping[str, Any], given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return a value for each parameter of a pipeline.

    Parameters
    ----------
    session : Session
        The open store.
    defaults : mapping
        Frozen value of each parameter.
    given : mapping or None
        What was said at submission, as users write it or frozen.

    Raises
    ------
    ConfigError
        When there is no parameter of a name, or it stands for something else.
    """
    values = dict(defaults)
    for name, value in (given or {}).items():
        if name not in defaults:
            there = ", ".join(defaults) or "none"
            raise ConfigError(
                f"The pipeline has no parameter {name!r}.{did_you_mean(name, defaults)} "
                f"Parameters: {there}."
            )
        frozen = freeze_value(session, name, value)
        wanted, found = kind_of(defaults[name]), kind_of(frozen)
        if wanted != found:
            words = {PATH: "a DataPath", DATASET: "a dataset", VALUE: "a text or a number"}
            raise ConfigError(
                f"Parameter {name!r} stands for {words[wanted]}; got {words[found]}: {value!r}."
            )
        _check_there(session, frozen)
        values[name] = frozen
    return values


def _check_there(session: Session, value: Any) -> None:
    """Raise an error where a value names something that the workspace does not have."""
    if kind_of(value) == PATH:
        with session.read() as tx:
            tx.datastores.get(value["datastore"])
    elif kind_of(value) == DATASET:
        with session.read() as tx:
            tx.datasets.get_by_id(value["dataset"])


def _path_of(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a path in a datastore, or a dataset, from its JSON: ours, or that of the SDK."""
    if set(value) == {"dataset"}:
        return {"dataset": str(value["dataset"])}
    if set(value) == {"datastore", "path"}:
        return {"datastore": str(value["datastore"]), "path": str(value["path"])}
    if set(value) == set(_AZURE_PATH):
        return {"datastore": str(value[_AZURE_PATH[0]]), "path": str(value[_AZURE_PATH[1]])}
    raise ConfigError(
        f"Parameter {name!r}: a path in a datastore is a DataPath, or a mapping with 'datastore' "
        f"and 'path'; got {dict(value)!r}."
    )
