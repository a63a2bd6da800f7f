"""``%automl deploy`` and ``endpoint``: models behind an address."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any  # Any: rows of a frame

import pandas as pd
from IPython.display import display

import nbautoml
from nbautoml.errors import ConfigError, NotFoundError, WebserviceException, did_you_mean
from nbautoml.magics.home import Home
from nbautoml.magics.say import say, show_table
from nbautoml.serving import client

ROWS_AT_ONCE = 5_000
"""Rows of one request; a deployment takes 10,000 at most."""
LOG_LINES = 50


def deploy(home: Home, words: str) -> None:
    """Serve a registered model or a run's (``MODEL | RUN [ITERATION] [--name NAME]``)."""
    parts, name = _named(words)
    if not parts or len(parts) > 2 or (len(parts) == 2 and not parts[1].isdigit()):
        raise ConfigError(
            "%automl deploy takes a model or a run: %automl deploy MODEL[:VERSION] | RUN "
            "[ITERATION] [--name NAME]."
        )
    workspace = home.known_workspace()
    model = parts[0].partition(":")[0]
    if workspace is not None and model in workspace.models and len(parts) == 1:
        service = nbautoml.Model.deploy(workspace, name or model, [_model(workspace, parts[0])])
    else:
        service = _deploy_run(home, parts, name)
    say(f"{service.name} gets ready at {service.scoring_uri}")
    service.wait_for_deployment()
    say(_how_to_use(service))


def endpoint(home: Home, words: str) -> None:
    """List deployments, show one, or do something with it (``NAME --logs``)."""
    parts = words.split()
    flags = [part for part in parts if part.startswith("--")]
    names = [part for part in parts if not part.startswith("--")]
    unknown = next((flag for flag in flags if flag not in ACTIONS), None)
    if unknown is not None or len(flags) > 1 or len(names) > 1 or (flags and not names):
        hint = did_you_mean(unknown or "", ACTIONS)
        raise ConfigError(
            f"%automl endpoint takes a name and one of {', '.join(ACTIONS)}; got {words!r}.{hint}"
        )
    workspace = home.known_workspace()
    if workspace is None:
        raise NotFoundError("There is no workspace here yet, so there are no deployments.")
    if not names:
        _list(workspace)
        return
    service = nbautoml.Webservice(workspace, names[0])
    if flags:
        ACTIONS[flags[0]](service)
    else:
        display(service)  # type: ignore[no-untyped-call]


def predictions_from(service: nbautoml.Webservice, frame: pd.DataFrame) -> pd.DataFrame:
    """Return what a deployment predicts for each row, with the probability of each class.

    Parameters
    ----------
    service : Webservice
        Serves a model of nbautoml.
    frame : DataFrame of shape (n_rows, n_columns)
        The rows.

    Returns
    -------
    DataFrame of shape (n_rows, 1) or (n_rows, 1 + n_classes)
        ``prediction``, and a column ``probability of <class>`` each, with the rows' index.
    """
    text = frame.to_json(orient="records", date_format="iso", date_unit="us")
    rows: list[Any] = json.loads(text)
    parts = [
        _ask(service, rows[start : start + ROWS_AT_ONCE])
        for start in range(0, len(rows), ROWS_AT_ONCE)
    ]
    found = pd.DataFrame({"prediction": [v for part in parts for v in part["predictions"]]})
    for place, label in enumerate(parts[0].get("classes", ()) if parts else ()):
        column = [row[place] for part in parts for row in part["probabilities"]]
        found[f"probability of {label}"] = column
    return found.set_index(frame.index)


def _ask(service: nbautoml.Webservice, rows: list[Any]) -> Mapping[str, Any]:
    reply = client.call(
        service.port,
        "POST",
        "/score?probabilities=auto",
        body=json.dumps(rows).encode(),
        key=service.get_keys()[0],
    )
    if reply.status != 200:
        raise WebserviceException(f"{service.name} answered {client.explain(reply)}")
    found: Mapping[str, Any] = reply.json()
    return found


def _named(words: str) -> tuple[list[str], str]:
    """Return the words without ``--name``, and the name."""
    parts = shlex.split(words.replace("--name=", "--name "))
    if "--name" not in parts:
        return parts, ""
    at = parts.index("--name")
    if at + 1 >= len(parts):
        raise ConfigError("--name of %automl deploy needs a value: --name NAME.")
    return parts[:at] + parts[at + 2 :], parts[at + 1]


def _model(workspace: nbautoml.Workspace, word: str) -> nbautoml.Model:
    name, _, version = word.partition(":")
    if version and not version.isdigit():
        raise ConfigError(f"The version of a model is a number; got {version!r} in {word!r}.")
    return nbautoml.Model(workspace, name, version=int(version) if version else None)


def _deploy_run(home: Home, parts: list[str], name: str) -> nbautoml.Webservice:
    run = home.run(parts[0])
    if not isinstance(run, nbautoml.AutoMLRun):
        raise ConfigError(f"Run {run.id} is no AutoML run, so it has no model to deploy.")
    iteration = int(parts[1]) if len(parts) == 2 else None
    return run.deploy(name or run.experiment.name, iteration)


def _how_to_use(service: nbautoml.Webservice) -> str:
    return (
        f"{service.name} is {service.state}: {service.scoring_uri}\n"
        f"From Python: service = Webservice(ws, {service.name!r}); service.run({{'data': [...]}})\n"
        f"Its keys: %automl endpoint {service.name} --keys"
    )


def _list(workspace: nbautoml.Workspace) -> None:
    services = nbautoml.Webservice.list(workspace)
    if not services:
        say("Nothing is deployed. To do it: %automl deploy MODEL")
        return
    rows = []
    for service in services:
        told = service.serialize()
        models = ", ".join(told["models"])
        rows.append([service.name, told["state"], models, told["scoringUri"] or "", told["error"]])
    show_table(["Deployment", "State", "Models", "Address", "Problem"], rows)


def _logs(service: nbautoml.Webservice) -> None:
    say(service.get_logs(LOG_LINES) or "Nothing yet.")


def _drift(service: nbautoml.Webservice) -> None:
    display(service.get_drift())  # type: ignore[no-untyped-call]


def _keys(service: nbautoml.Webservice) -> None:
    primary, secondary = service.get_keys()
    say(f'Primary: {primary}\nSecondary: {secondary}\nAs a header: "Authorization: Bearer KEY"')


def _delete(service: nbautoml.Webservice) -> None:
    service.delete()
    say(f"{service.name} is deleted; its models stay registered.")


def _restart(service: nbautoml.Webservice) -> None:
    service.reload(wait=True)
    say(f"{service.name} is {service.state}: {service.scoring_uri}")


ACTIONS: Mapping[str, Callable[[nbautoml.Webservice], None]] = {
    "--logs": _logs,
    "--keys": _keys,
    "--drift": _drift,
    "--restart": _restart,
    "--delete": _delete,
}
"""What can be done with a deployment."""
