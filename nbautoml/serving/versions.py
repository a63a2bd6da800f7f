"""A second version of a deployment, which gets a share of the requests.

The second version has a worker of its own behind a socket that only this machine reaches; the
first one's worker passes a share of its requests on to it. Where the second one does not answer,
the first one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any  # Any: JSON values

from nbautoml.domain.records import DeploymentRecord
from nbautoml.errors import ConfigError, ConflictError, NotFoundError, did_you_mean
from nbautoml.registry.model import Model
from nbautoml.serving.configs import InferenceConfig, check_deployment_name
from nbautoml.serving.folder import Folder, read_json, write_json
from nbautoml.serving.lifecycle import ask, change
from nbautoml.serving.standing import folder_of
from nbautoml.serving.supervisor import CANARY, MAIN
from nbautoml.store.session import Session

DEFAULT = "default"
"""Name of the first version."""
_NAME = "canary_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a deployment, and the share of requests that it gets, in percent."""

    name: str
    traffic_percentile: float
    is_default: bool
    models: tuple[str, ...]


def versions_of(session: Session, record: DeploymentRecord) -> dict[str, Version]:
    """Return the versions of a deployment by name, the first one first."""
    folder = folder_of(session, record.name)
    slots = read_json(folder.spec_file).get("slots", {})
    share = _share(folder) if slots.get(CANARY) is not None else 0.0
    found = [_version(folder, DEFAULT, slots[MAIN], 100.0 - share)]
    if slots.get(CANARY) is not None:
        name = str(record.settings.get(_NAME, CANARY))
        found.append(_version(folder, name, slots[CANARY], share))
    return {version.name: version for version in found}


def create_version(
    session: Session,
    record: DeploymentRecord,
    name: str,
    *,
    percent: float,
    models: Sequence[Model],
    inference: InferenceConfig | None,
    trust: bool = False,
) -> None:
    """Serve a second version beside the first one.

    Raises
    ------
    ConfigError
        When the share is not from 0 to 100, or the name cannot be one.
    ConflictError
        When there is a second version.
    """
    folder = folder_of(session, record.name)
    share = _check_share(percent)
    if check_deployment_name(name) == DEFAULT:
        raise ConfigError(f"The first version is called {DEFAULT!r}; give another name.")
    if read_json(folder.spec_file).get("slots", {}).get(CANARY) is not None:
        there = record.settings.get(_NAME)
        raise ConflictError(
            f"{record.name} has a second version, {there!r}. Delete that first, or make it the "
            f"first one: update_version({there!r}, is_default=True)."
        )
    settings = {**record.settings, _NAME: name}
    with session.write() as tx:
        record = tx.deployments.update(replace(tx.deployments.get(record.name), settings=settings))
    _set_share(folder, share)
    change(session, record, models, inference, slot=CANARY, trust=trust)


def update_version(
    session: Session,
    record: DeploymentRecord,
    name: str,
    *,
    is_default: bool | None,
    percent: float | None,
) -> None:
    """Change the share of the second version, or make it the first one.

    Raises
    ------
    ConfigError
        When the share is not from 0 to 100.
    NotFoundError
        When there is no second version of that name.
    """
    _check_there(session, record, name)
    folder = folder_of(session, record.name)
    if percent is not None:
        _set_share(folder, _check_share(percent))
    if is_default:
        revision = read_json(folder.spec_file)["slots"][CANARY]
        ask(folder, {MAIN: revision, CANARY: None})


def delete_version(session: Session, record: DeploymentRecord, name: str) -> None:
    """End the second version; the first one answers everybody.

    Raises
    ------
    NotFoundError
        When there is no second version of that name.
    """
    _check_there(session, record, name)
    ask(folder_of(session, record.name), {CANARY: None})


def _version(folder: Folder, name: str, revision: int, share: float) -> Version:
    models = tuple(folder.job(revision).get("models", ()))
    is_default = name == DEFAULT
    return Version(name=name, traffic_percentile=share, is_default=is_default, models=models)


def _check_there(session: Session, record: DeploymentRecord, name: str) -> None:
    known = [n for n in versions_of(session, record) if n != DEFAULT]
    if name not in known:
        raise NotFoundError(
            f"{record.name} has no second version {name!r}.{did_you_mean(name, known)} "
            f"It has: {', '.join(known) or 'none'}."
        )


def _check_share(percent: float) -> float:
    is_number = isinstance(percent, (int, float)) and not isinstance(percent, bool)
    if not is_number or not 0 <= percent <= 100:
        raise ConfigError(f"traffic_percentile must be from 0 to 100; got {percent!r}.")
    return float(percent)


def _share(folder: Folder) -> float:
    return float(read_json(folder.settings_file).get("canary_percent") or 0.0)


def _set_share(folder: Folder, share: float) -> None:
    settings: Mapping[str, Any] = read_json(folder.settings_file)
    write_json(folder.settings_file, {**settings, "canary_percent": share})
