"""Deployments as fronts need them: what there is, how it stands, a request to try."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.automl.export import registered_child
from nbautoml.domain.records import DeploymentRecord
from nbautoml.errors import ConfigError, ConflictError
from nbautoml.registry.model import Model
from nbautoml.runs.child_process import run_apart
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.runs import find_trial
from nbautoml.serving import client
from nbautoml.serving.deploy import deploy
from nbautoml.serving.folder import read_json
from nbautoml.serving.lifecycle import remove, restart, tidy
from nbautoml.serving.standing import Standing, folder_of, standing_of
from nbautoml.serving.supervisor import MAIN
from nbautoml.serving.webservice import webservice_of
from nbautoml.store.session import Session

LOG_LINES = 500
TRY_SECONDS = 60.0
KEY_NAMES = ("Primary", "Secondary")


def deployments(session: Session, run_id: str = "") -> dict[str, Any]:
    """Return the deployments of a workspace, the newest first.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str, default ""
        Only those that serve a model of this run, or of this child run.

    Returns
    -------
    dict
        ``deployments``: dicts with ``name``, ``state``, ``is_settled``, ``error``, ``models``,
        ``run_ids`` (the child runs that made them), ``address``, ``created_at``,
        ``description`` and ``restarts``.
    """
    with session.read() as tx:
        records = tx.deployments.list()
    rows = [_row(session, record) for record in records]
    fitting = [row for row in rows if not run_id or _is_of(run_id, row["run_ids"])]
    return {"deployments": fitting}


def deployment(session: Session, name: str) -> dict[str, Any]:
    """Return one deployment with what a caller needs of it.

    Returns
    -------
    dict
        As in `deployments`, and ``sample``, a row of the training data or None; ``curl``, a
        line for a shell in which ``KEY`` stands for a key; ``needs_key``; and ``code``, Python
        for a cell.

    Raises
    ------
    WebserviceNotFoundError
        When there is none of that name.
    """
    record = tidy(session, _find(session, name))
    service = webservice_of(session, record)
    sample = _sample(session, record)
    needs_key = service.auth_enabled
    return {
        **_row(session, record),
        "sample": sample,
        "needs_key": needs_key,
        "curl": _curl(record, sample, needs_key=needs_key),
        "code": _code(session, record, sample),
    }


def deploy_model(session: Session, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Serve a model; it is registered first where a model of a run is asked for.

    Parameters
    ----------
    session : Session
        The open store.
    asked : mapping
        ``name`` of the deployment, and either ``run_id`` and ``number`` of an iteration (and
        ``model``, the name under which it is registered), or ``model`` and ``version`` of a
        registered model (the latest when left out).

    Returns
    -------
    dict
        As `deployment`.

    Raises
    ------
    ConfigError
        When what is asked for cannot be.
    ConflictError
        When there is a deployment of that name.
    NotFoundError
        When there is no such run, iteration or model.
    """
    name = asked.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"name of the deployment must be a text; got {name!r}.")
    name = name.strip()
    _refuse_taken(session, name)  # before a model is registered for it
    deploy(WorkspaceHandle(session), name, [_model(session, asked)])
    return deployment(session, name)


def deployment_log(session: Session, name: str) -> dict[str, str]:
    """Return the end of a deployment's log, as ``text``.

    Raises
    ------
    WebserviceNotFoundError
        When there is none of that name.
    """
    service = webservice_of(session, _find(session, name))
    return {"text": service.get_logs(LOG_LINES)}


def try_deployment(session: Session, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Send a request to a deployment, as any other program does.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        The deployment.
    asked : mapping
        ``body``: the request, a JSON value.

    Returns
    -------
    dict
        ``status`` (of HTTP), ``reply`` (a JSON value) and ``seconds``. That a request was
        refused is an answer, too.

    Raises
    ------
    ConfigError
        When there is no ``body``.
    WebserviceException
        When nobody answers.
    """
    if "body" not in asked:
        raise ConfigError('To try a deployment, give "body": the request.')
    service = webservice_of(session, _find(session, name))
    body = json.dumps(asked["body"]).encode()
    query = "?probabilities=auto" if asked.get("probabilities") else ""
    began = time.perf_counter()
    reply = client.call(
        service.port,
        "POST",
        f"/score{query}",
        body=body,
        key=service.get_keys()[0],
        timeout=TRY_SECONDS,
    )
    seconds = time.perf_counter() - began
    return {"status": reply.status, "reply": reply.json(), "seconds": round(seconds, 4)}


def deployment_keys(session: Session, name: str) -> dict[str, str]:
    """Return both keys of a deployment, as ``primary`` and ``secondary``.

    Raises
    ------
    WebserviceNotFoundError
        When there is none of that name.
    """
    primary, secondary = webservice_of(session, _find(session, name)).get_keys()
    return {"primary": primary, "secondary": secondary}


def renew_key(session: Session, name: str, asked: Mapping[str, Any]) -> dict[str, str]:
    """Replace a key of a deployment; return both.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        The deployment.
    asked : mapping
        ``key``: ``"Primary"`` or ``"Secondary"``.

    Raises
    ------
    ConfigError
        For another key.
    """
    webservice_of(session, _find(session, name)).regen_key(str(asked.get("key")))
    return deployment_keys(session, name)


def deployment_drift(session: Session, name: str) -> dict[str, Any]:
    """Return how far the rows of requests are from the training data.

    It is worked out in a process of its own.

    Returns
    -------
    dict
        ``is_collecting`` (whether requests are written down), ``report`` (see
        `nbautoml.serving.drift.DriftReport`; None where there is none) and ``reason``, why not.

    Raises
    ------
    WebserviceNotFoundError
        When there is none of that name.
    """
    folder = folder_of(session, _find(session, name).name)
    is_collecting = bool(read_json(folder.settings_file).get("log_data"))
    with tempfile.TemporaryDirectory(prefix="nbautoml-drift-") as place:
        file = Path(place) / "report.json"
        reason = run_apart(session, "", "nbautoml.serving.drift", name, str(file))
        report = None if reason else read_json(file)
    return {"is_collecting": is_collecting, "report": report, "reason": reason}


def collect_data(session: Session, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Switch on or off that requests and replies are written down; return the drift.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        The deployment.
    asked : mapping
        ``collect``: true or false.

    Raises
    ------
    ConfigError
        When it is something else.
    """
    wanted = asked.get("collect")
    if not isinstance(wanted, bool):
        raise ConfigError(f"collect must be true or false; got {wanted!r}.")
    webservice_of(session, _find(session, name)).update(collect_model_data=wanted)
    return deployment_drift(session, name)


def restart_deployment(session: Session, name: str) -> dict[str, Any]:
    """Start a deployment again at the same address; return it as `deployment` does."""
    restart(session, _find(session, name))
    return deployment(session, name)


def delete_deployment(session: Session, name: str) -> dict[str, str]:
    """End a deployment and remove it; return its ``name``.

    Raises
    ------
    WebserviceNotFoundError
        When there is none of that name.
    """
    remove(session, name)
    return {"name": name}


def _find(session: Session, name: str) -> DeploymentRecord:
    with session.read() as tx:
        return tx.deployments.get(name)


def _refuse_taken(session: Session, name: str) -> None:
    with session.read() as tx:
        names = {record.name for record in tx.deployments.list()}
    if name in names:
        raise ConflictError(f"A deployment called {name!r} is there already. Give another name.")


def _model(session: Session, asked: Mapping[str, Any]) -> Model:
    workspace = WorkspaceHandle(session)
    run_id, number = asked.get("run_id"), asked.get("number")
    model, version = asked.get("model"), asked.get("version")
    if model is not None and not isinstance(model, str):
        raise ConfigError(f"model must be a name; got {model!r}.")
    if run_id is not None:
        if not isinstance(run_id, str) or not isinstance(number, int):
            raise ConfigError("To deploy a model of a run, give run_id and number, a whole number.")
        find_trial(session, run_id, number)
        with session.read() as tx:
            experiment = tx.runs.get(run_id).experiment
        return registered_child(session, run_id, number, model or experiment)
    if not model:
        raise ConfigError("Say what to deploy: run_id and number, or model.")
    if version is not None and not isinstance(version, int):
        raise ConfigError(f"version of a model must be a whole number; got {version!r}.")
    return Model(workspace, model, version=version)


def _is_of(run_id: str, made_by: Iterable[str]) -> bool:
    return any(child == run_id or child.rpartition("_")[0] == run_id for child in made_by)


def _runs_of(session: Session, record: DeploymentRecord) -> list[str]:
    """Return the runs that made the models of a deployment."""
    with session.read() as tx:
        names = (model.rpartition(":") for model in record.models)
        found = [tx.models.get(name, int(version)).run_id for name, _, version in names]
    return [run_id for run_id in found if run_id is not None]


def _row(session: Session, record: DeploymentRecord) -> dict[str, Any]:
    standing: Standing = standing_of(session, record)
    return {
        "name": record.name,
        "state": standing.state,
        "is_settled": standing.is_settled,
        "error": standing.error,
        "models": list(record.models),
        "run_ids": _runs_of(session, record),
        "address": _address(record),
        "created_at": record.created_at,
        "description": record.description,
        "restarts": standing.n_restarts,
    }


def _address(record: DeploymentRecord) -> str:
    return "" if record.port is None else f"http://127.0.0.1:{record.port}/score"


def _sample(session: Session, record: DeploymentRecord) -> dict[str, Any] | None:
    """Return a row of the training data, as far as the served model has one."""
    folder = folder_of(session, record.name)
    number = standing_of(session, record).serving.get(MAIN, record.revision)
    job = folder.job(number)
    if job.get("entry", {}).get("kind") != "bundle":
        return None
    file: Path = folder.revision(number) / job["entry"]["folder"] / "sample.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["data"]
    return rows[0] if rows else None


def _curl(record: DeploymentRecord, sample: dict[str, Any] | None, *, needs_key: bool) -> str:
    body = json.dumps({"data": [sample or {}]}, ensure_ascii=False)
    quoted = body.replace("'", "'\\''")
    key = '  -H "Authorization: Bearer KEY" \\\n' if needs_key else ""
    return (
        f"curl {_address(record)} \\\n{key}"
        f"  -H \"Content-Type: application/json\" \\\n  -d '{quoted}'"
    )


def _code(session: Session, record: DeploymentRecord, sample: dict[str, Any] | None) -> str:
    root = session.address.root
    return (
        "from nbautoml import Webservice, Workspace\n\n"
        f"ws = Workspace.from_config({root!r})\n"
        f"service = Webservice(ws, {record.name!r})\n"
        f"service.run({{'data': [{sample or {}!r}]}})\n"
    )
