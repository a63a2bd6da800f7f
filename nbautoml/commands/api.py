"""``nbautoml api …``: the REST service for callers from outside, and their tokens."""

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
from nbautoml.services import api

app = noun("The REST service, with which callers from outside submit what is published.")
token = noun("Tokens of callers.")
app.add_typer(token, name="token")

_COLUMNS = {
    "id": "ID",
    "name": "NAME",
    "state": "STATE",
    "scopes": "SCOPES",
    "created_at": "CREATED",
    "expires_at": "EXPIRES",
    "last_used_at": "USED",
}
_CLEAR_TEXT = (
    "Other machines can call it now. Tokens and data travel in clear text: put a proxy with TLS "
    "before it."
)


@app.command()
def start(
    host: Annotated[str, typer.Option(help="Address of this machine to listen at.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(help="Where to listen; by default where it did last.", show_default=False),
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let other machines in.")
    ] = False,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Start the service, unless it runs."""
    with opened(workspace) as session:
        found = api.start_service(session, host=host, port=port, allow_remote=allow_remote)
    if as_json:
        write_json(found)
        return
    typer.echo(f"The service answers at {found['address']}. nbautoml api token create NAME")
    if allow_remote:
        typer.secho(_CLEAR_TEXT, err=True, fg=typer.colors.YELLOW)


@app.command()
def stop(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """End the service; runs under way go on."""
    with opened(workspace) as session:
        was_running = api.stop_service(session)
    if as_json:
        write_json({"was_running": was_running})
    else:
        typer.echo("The service has ended." if was_running else "The service does not run.")


@app.command()
def status(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Show whether the service runs, and where."""
    with opened(workspace) as session:
        found = api.service(session)
    facts = {
        "state": "running" if found["is_running"] else "stopped",
        "address": found["address"],
        "machine": found["host"],
        "process": found["pid"],
    }
    write_facts(facts, as_json=as_json, everything=found)


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.", show_default=False)],
    scope: Annotated[
        list[str],
        typer.Option(help="read, runs:submit, pipelines:<id> or admin; may be given repeatedly."),
    ] = ["read", "runs:submit"],  # noqa: B006 - typer copies it
    days: Annotated[float, typer.Option(help="How long it is good for; 0: for ever.")] = 30.0,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a token and write it, this once."""
    with opened(workspace) as session:
        found = api.new_token(session, name, scopes=scope, days=days or None)
    if as_json:
        write_json(found)
        return
    typer.echo(found["token"])
    typer.secho(
        "It is kept nowhere and shown this once. To end it: nbautoml api token revoke "
        f"{found['id']}",
        err=True,
    )


@token.command("list")
def list_(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List the tokens; what was given to callers is not known any more."""
    with opened(workspace) as session:
        rows = api.tokens(session)
    write_rows(rows, _COLUMNS, as_json=as_json, none="There are no tokens.")


@token.command()
def revoke(
    id: Annotated[str, typer.Argument(help="Id of the token.", show_default=False)],
    yes: Yes = False,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a token useless from now on."""
    confirm(f"End the token '{id}'?", yes=yes)
    with opened(workspace) as session:
        found = api.end_token(session, id)
    if as_json:
        write_json(found)
    else:
        typer.echo(f"The token '{id}' is useless now.")
