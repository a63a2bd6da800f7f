"""What happens to a deployment: it is started, changed, tidied and removed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any  # Any: JSON values

from nbautoml.domain.records import DeploymentRecord
from nbautoml.registry.model import Model
from nbautoml.serving.configs import DeploymentConfig, InferenceConfig
from nbautoml.serving.folder import Folder, read_json, write_json
from nbautoml.serving.keys import new_keys
from nbautoml.serving.launch import start_supervisor, stop_supervisor, wait_for_port
from nbautoml.serving.revisions import Plan, make_revision, plan_revision
from nbautoml.serving.standing import folder_of, standing_of
from nbautoml.serving.supervisor import CANARY, MAIN
from nbautoml.store.session import Session


def start(session: Session, record: DeploymentRecord) -> DeploymentRecord:
    """Start the supervisor of a deployment whose files are there; return its row.

    Raises
    ------
    WebserviceException
        When it does not start, or cannot have its port.
    """
    folder = folder_of(session, record.name)
    owner = start_supervisor(folder)
    with session.write() as tx:
        # At once, so that whoever looks finds the process, and can end it.
        tx.deployments.update(replace(record, owner=owner))
    port = wait_for_port(folder, owner)
    # Asked for again when it is started another time: its callers know this one.
    write_json(folder.spec_file, {**read_json(folder.spec_file), "port": port})
    with session.write() as tx:
        return tx.deployments.update(replace(record, owner=owner, port=port))


def restart(session: Session, record: DeploymentRecord) -> DeploymentRecord:
    """End the supervisor of a deployment, and start another one at the same port.

    Raises
    ------
    ConflictError
        When it runs on another machine.
    WebserviceException
        When it does not start, or cannot have its port.
    """
    if record.owner is not None:
        stop_supervisor(record.owner)
    return start(session, record)


def change(
    session: Session,
    record: DeploymentRecord,
    models: Sequence[Model],
    inference: InferenceConfig | None,
    *,
    slot: str = MAIN,
    trust: bool = False,
) -> DeploymentRecord:
    """Ask a deployment to serve something else in a slot; return its row.

    What serves goes on until the new worker has answered a sample row.
    """
    plan = plan_revision(session, models, inference, trust=trust)
    folder = folder_of(session, record.name)
    with session.write() as tx:
        number = tx.deployments.next_revision(record.name)
        record = tx.deployments.get(record.name)
        # Both are in use until the new one serves: `tidy` takes the other off.
        used = tuple(dict.fromkeys((*plan.ids, *record.models)))
        record = tx.deployments.update(replace(record, models=used))
    make_revision(
        plan,
        folder.revision(number),
        service=record.name,
        host=str(record.settings["host"]),
        threads=record.settings["threads"],
    )
    ask(folder, {slot: number})
    return record


def ask(folder: Folder, slots: Mapping[str, int | None]) -> None:
    """Tell the supervisor which revisions to serve."""
    spec = read_json(folder.spec_file)
    write_json(folder.spec_file, {**spec, "slots": {**spec["slots"], **slots}})


def tidy(session: Session, record: DeploymentRecord) -> DeploymentRecord:
    """Forget the models and files of revisions that nobody serves or asks for any more."""
    folder = folder_of(session, record.name)
    standing = standing_of(session, record)
    if not standing.is_settled or not standing.serving:
        return record
    wanted = read_json(folder.spec_file).get("slots", {}).values()
    kept = {*standing.serving.values(), *(n for n in wanted if n is not None)}
    there = [int(path.name) for path in (folder.path / "revisions").iterdir()]
    for number in there:
        if number not in kept and number < max(kept):
            shutil.rmtree(folder.revision(number), ignore_errors=True)
    used = dict.fromkeys(m for n in sorted(kept) for m in folder.job(n).get("models", ()))
    # One above those that are kept is being written by somebody else.
    if set(used) == set(record.models) or max(there) > max(kept):
        return record
    with session.write() as tx:
        return tx.deployments.update(replace(tx.deployments.get(record.name), models=tuple(used)))


def roll_back(session: Session, record: DeploymentRecord) -> bool:
    """Ask again for what serves, after a change that failed; return whether anything serves."""
    standing = standing_of(session, record)
    if not standing.serving:
        return False
    folder = folder_of(session, record.name)
    wanted = list(read_json(folder.spec_file)["slots"].values())
    ask(folder, {CANARY: None, **standing.serving})
    for number in {n for n in wanted if n is not None} - set(standing.serving.values()):
        shutil.rmtree(folder.revision(number), ignore_errors=True)
    return True


def remove(session: Session, name: str) -> None:
    """End a deployment, and remove its row and its files; nothing of it is left.

    Raises
    ------
    ConflictError
        When its process runs on another machine.
    """
    with session.read() as tx:
        record = tx.deployments.get(name)
    if record.owner is not None:
        stop_supervisor(record.owner)
    folder_of(session, name).remove()
    with session.write() as tx:
        tx.deployments.delete(name)


def new_record(name: str, config: DeploymentConfig, plan: Plan) -> DeploymentRecord:
    """Return the row of a deployment that is being made."""
    now = time.time()
    inference = plan.inference
    return DeploymentRecord(
        name=name,
        kind=config.kind,
        created_at=now,
        updated_at=now,
        revision=1,
        models=plan.ids,
        settings={
            "host": config.host,
            "threads": config.threads,
            "cpu_cores": config.cpu_cores,
            "memory_gb": config.memory_gb,
            "has_script": inference is not None,
        },
        description=config.description or (inference.description if inference else ""),
        tags=config.tags,
        properties=config.properties,
    )


def write_files(folder: Folder, config: DeploymentConfig, plan: Plan, name: str) -> None:
    """Write the files of a deployment that is being made; its folder is there, and empty."""
    make_revision(plan, folder.revision(1), service=name, host=config.host, threads=config.threads)
    settings: dict[str, Any] = {
        "auth_enabled": config.auth_enabled,
        "keys": new_keys(config.primary_key, config.secondary_key),
        "log_requests": config.log_requests,
        "log_data": config.log_data,
        "canary_percent": 0,
    }
    write_json(folder.settings_file, settings)
    spec = {"host": config.host, "port": config.port or 0, "slots": {MAIN: 1, CANARY: None}}
    write_json(folder.spec_file, spec)
