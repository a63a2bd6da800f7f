"""What is written down when a model gets a version: checked words, files, the data behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any  # Any: datasets, whose class is not known here; tags of any type

from nbautoml.domain.records import ArtifactRecord, ModelRecord
from nbautoml.domain.status import ModelStage
from nbautoml.errors import ConfigError, did_you_mean
from nbautoml.store.session import Session

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
LATEST = "latest"
"""Word that means the newest version everywhere, so that it cannot be an alias."""


class Framework(StrEnum):
    """What a model was made with, in the SDK's spelling."""

    CUSTOM = "Custom"
    ONNX = "Onnx"
    SCIKITLEARN = "ScikitLearn"
    TENSORFLOW = "TensorFlow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A version that is about to be made; see `nbautoml.domain.records.ModelRecord`."""

    name: str
    run_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    framework: str = ""
    framework_version: str = ""
    datasets: tuple[tuple[str, str], ...] = ()
    samples: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        name: str,
        run_id: str | None = None,
        tags: Mapping[str, Any] | None,
        properties: Mapping[str, Any] | None,
        description: str | None,
        framework: str | None,
        framework_version: str | None,
        datasets: Sequence[tuple[str, Any]] | None,
        samples: Mapping[str, Any],
    ) -> Registration:
        """Check what a caller gave.

        Raises
        ------
        ConfigError
            When the name cannot be one, or a dataset is not kept in the workspace.
        """
        return cls(
            name=check_name(name),
            run_id=run_id,
            tags=as_text(tags),
            properties=as_text(properties),
            description=description or "",
            framework=str(framework or ""),
            framework_version=str(framework_version or ""),
            datasets=dataset_ids(datasets),
            samples=sample_ids(samples),
        )


def add_version(
    session: Session, wanted: Registration, files: Iterable[ArtifactRecord]
) -> ModelRecord:
    """Make the next version with its files in one transaction: seen whole, or not at all.

    Parameters
    ----------
    session : Session
        The open store.
    wanted : Registration
        Its words.
    files : iterable of ArtifactRecord
        Stored files under the names that they are to have.
    """
    with session.write() as tx:
        made = tx.models.register(
            wanted.name,
            run_id=wanted.run_id,
            description=wanted.description,
            tags=wanted.tags,
            properties=wanted.properties,
            framework=wanted.framework,
            framework_version=wanted.framework_version,
            datasets=wanted.datasets,
            samples=wanted.samples,
        )
        for file in files:
            tx.artifacts.add(replace(file, owner=made.owner_id))
    return made


def check_name(name: str) -> str:
    """Return a name that a model may have.

    Raises
    ------
    ConfigError
        When it may not.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            "model_name must be 1 to 255 letters, digits, '.', '_' or '-', and begin with a "
            f"letter or a digit; got {name!r}."
        )
    return name


def check_alias(alias: str) -> str:
    """Return a name that may stand for a version.

    Raises
    ------
    ConfigError
        When it may not.

    Examples
    --------
    >>> check_alias("champion")
    'champion'
    """
    is_name = isinstance(alias, str) and _ALIAS.fullmatch(alias) is not None
    if not is_name or alias.lower() == LATEST:
        raise ConfigError(
            "An alias must be 1 to 64 letters, digits, '_' or '-', begin with a letter, and not "
            f"be {LATEST!r}; got {alias!r}."
        )
    return alias


def check_stage(stage: str) -> ModelStage:
    """Return a stage by its name, in any case.

    Raises
    ------
    ConfigError
        When there is no such stage.

    Examples
    --------
    >>> check_stage("production").value
    'Production'
    """
    names = [known.value for known in ModelStage]
    found = next((known for known in ModelStage if known.value.lower() == str(stage).lower()), None)
    if found is None:
        raise ConfigError(
            f"The stage of a model must be one of {names}; got {stage!r}."
            f"{did_you_mean(str(stage), names)}"
        )
    return found


def dataset_ids(datasets: Sequence[tuple[str, Any]] | None) -> tuple[tuple[str, str], ...]:
    """Return word and id of each dataset.

    Raises
    ------
    ConfigError
        When it is no list of pairs, or a dataset is not kept in the workspace.
    """
    found = []
    for pair in datasets or ():
        if isinstance(pair, str) or len(pair) != 2:
            raise ConfigError(
                'datasets must be a list of pairs such as [("training", dataset)]; got '
                f"{pair!r} in it."
            )
        word, dataset = pair
        found.append((str(word), _id_of(dataset, "datasets")))
    return tuple(dict.fromkeys(found))


def sample_ids(samples: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids of the sample datasets that were given.

    Raises
    ------
    ConfigError
        When one is not kept in the workspace.
    """
    return {
        which: _id_of(dataset, f"sample_{which}_dataset")
        for which, dataset in samples.items()
        if dataset is not None
    }


def as_text(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Return tags or properties as text."""
    return {str(key): str(value) for key, value in (values or {}).items()}


def _id_of(dataset: Any, what: str) -> str:
    dataset_id = getattr(dataset, "id", None)
    if not isinstance(dataset_id, str):
        raise ConfigError(
            f"{what}: {dataset!r} is not kept in a workspace, so it has no id. Register it "
            "first: dataset = dataset.register(ws, name)."
        )
    return dataset_id
