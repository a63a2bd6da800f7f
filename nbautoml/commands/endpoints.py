"""``nbautoml endpoints …``: deployed models."""

from __future__ import annotations

from typing import Annotated

import typer

from nbautoml.commands._base import (
    HERE,
    AsJson,
    Folder,
    Yes,
    confirm,
    noun,
    opened,
    write_facts,
    write_json,
    write_rows,
)
from nbautoml.services import deployments

app = noun("Endpoints: models that answer HTTP requests.")
Name = Annotated[str, typer.Argument(help="Name of the deployment.", show_default=False)]
_COLUMNS = {
    "name": "NAME",
    "state": "STATE",
    "models": "MODELS",
    "address": "ADDRESS",
    "created_at": "CREATED",
}


@app.command("list")
def list_(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List the deployments."""
    with opened(workspace) as session:
        rows = deployments.deployments(session)["deployments"]
    write_rows(rows, _COLUMNS, as_json=as_json, none="There are no endpoints.")


@app.command()
def show(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Show one, with a line for a shell that asks it."""
    with opened(workspace) as session:
        found = deployments.deployment(session, name)
    facts = {
        "name": found["name"],
        "state": found["state"],
        "error": found["error"],
        "models": found["models"],
        "address": found["address"],
        "needs a key": found["needs_key"],
        "restarts": found["restarts"],
        "created_at": found["created_at"],
    }
    write_facts(facts, as_json=as_json, everything=found)
    if not as_json and found["address"]:
        typer.echo(f"\n{found['curl']}")


@app.command()
def logs(name: Name, workspace: Folder = HERE) -> None:
    """Write the end of its log."""
    with opened(workspace) as session:
        typer.echo(deployments.deployment_log(session, name)["text"])


@app.command()
def keys(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Write its keys."""
    with opened(workspace) as session:
        found = deployments.deployment_keys(session, name)
    write_facts(found, as_json=as_json)


@app.command()
def restart(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Start it again at the same address."""
    with opened(workspace) as session:
        found = deployments.restart_deployment(session, name)
    if as_json:
        write_json(found)
    else:
        typer.echo(f"'{name}' is {found['state']} at {found['address']}.")


@app.command()
def delete(name: Name, yes: Yes = False, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """End a deployment and remove it; the model stays registered."""
    confirm(f"End and remove the endpoint '{name}'?", yes=yes)
    with opened(workspace) as session:
        found = deployments.delete_deployment(session, name)
    if as_json:
        write_json(found)
    else:
        typer.echo(f"'{name}' is gone.")
