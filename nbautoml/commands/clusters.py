"""``nbautoml cluster …``: compute targets and the processes behind them."""

from __future__ import annotations

import time
from typing import Annotated, Any  # Any: JSON values

import typer

from nbautoml.commands._base import (
    FOLLOW_SECONDS,
    HERE,
    AsJson,
    Folder,
    Yes,
    bytes_text,
    confirm,
    noun,
    opened,
    write_facts,
    write_json,
    write_rows,
)
from nbautoml.services import computes

app = noun("Compute targets: where runs train models.")
Name = Annotated[str, typer.Argument(help="Name of the compute target.", show_default=False)]
_COLUMNS = {
    "name": "NAME",
    "kind": "TYPE",
    "state": "STATE",
    "nodes": "NODES",
    "cores": "CORES",
    "memory_bytes": "MEMORY",
    "gpus": "GPUS",
    "problem": "PROBLEM",
}
_NODES = {
    "id": "NODE",
    "state": "STATE",
    "cores": "CORES",
    "memory_bytes": "HELD",
    "gpus": "GPUS",
}


@app.command("list")
def list_(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List the compute targets; cores, memory and GPUs are those of one node."""
    with opened(workspace) as session:
        rows = computes.list_computes(session)
    write_rows(rows, _COLUMNS, as_json=as_json, none="There are no compute targets.")


@app.command()
def show(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Show one with its nodes, its scale and the address of Dask's dashboard."""
    with opened(workspace) as session:
        found = computes.compute_details(session, name)
    write_facts(_facts(found), as_json=as_json, everything=found)
    if not as_json and found["list_nodes"]:
        typer.echo("")
        write_rows(found["list_nodes"], _NODES, as_json=False, none="")


@app.command()
def start(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Start a cluster's process; runs that name it do so, too."""
    with opened(workspace) as session:
        found = computes.start_compute(session, name)
    _say(found, f"'{name}' starts.", as_json=as_json)


@app.command()
def stop(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """End a cluster's process and its nodes; the target stays, and the next run starts it."""
    with opened(workspace) as session:
        found = computes.stop_compute(session, name)
    _say(found, f"'{name}' has ended; the next run that names it starts it.", as_json=as_json)


@app.command()
def scale(
    name: Name,
    min_nodes: Annotated[
        int | None, typer.Option("--min", help="Fewest nodes.", show_default=False)
    ] = None,
    max_nodes: Annotated[
        int | None, typer.Option("--max", help="Most nodes.", show_default=False)
    ] = None,
    idle_seconds: Annotated[
        float | None,
        typer.Option("--idle", help="Seconds without work before nodes end.", show_default=False),
    ] = None,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Change how many nodes a cluster may have."""
    with opened(workspace) as session:
        found = computes.scale_compute(
            session, name, min_nodes=min_nodes, max_nodes=max_nodes, idle_seconds=idle_seconds
        )
    _say(found, f"'{name}' is changed.", as_json=as_json)


@app.command()
def logs(
    name: Name,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    worker: Annotated[
        str, typer.Option("--worker", help="A node that has a log of its own.", show_default=False)
    ] = "",
    workspace: Folder = HERE,
) -> None:
    """Write the log of a cluster's process, or of one of its nodes."""
    with opened(workspace) as session:
        after = 0
        while True:
            found = computes.compute_log(session, name, node=worker, after=after)
            typer.echo(found["text"], nl=False)
            after = found["next"]
            if not follow:
                return
            time.sleep(FOLLOW_SECONDS)


@app.command()
def delete(name: Name, yes: Yes = False, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """End all that was started for a target, and forget it."""
    confirm(f"End and forget the compute target '{name}'?", yes=yes)
    with opened(workspace) as session:
        found = computes.delete_compute(session, name)
    _say(found, f"'{name}' is gone.", as_json=as_json)


def _facts(found: dict[str, Any]) -> dict[str, Any]:
    status = found["status"]
    scale = status.get("scaleSettings") or {}
    return {
        "name": found["name"],
        "type": found["kind"],
        "state": found["state"],
        "problem": found["problem"],
        "nodes": f"{status['currentNodeCount']} of {status['targetNodeCount']} wanted",
        "scale": f"{scale['minNodeCount']} to {scale['maxNodeCount']} nodes" if scale else "",
        "cores of a node": found["cores"],
        "memory of a node": bytes_text(found["memory_bytes"] or 0),
        "GPUs of a node": found["gpus"],
        "address": status.get("address", ""),
        "dashboard": found["dashboard"],
    }


def _say(found: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        write_json(found)
    else:
        typer.echo(sentence)
