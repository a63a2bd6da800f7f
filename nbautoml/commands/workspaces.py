"""``nbautoml workspace …``: the workspace itself."""

from __future__ import annotations

from typing import Annotated

import typer

from nbautoml.commands._base import (
    HERE,
    AsJson,
    Folder,
    noun,
    opened,
    write_facts,
    write_rows,
)
from nbautoml.services.catalog import catalog
from nbautoml.services.workspaces import known_workspaces

app = noun("Workspaces: folders with runs, data and models.")
_COLUMNS = {"name": "NAME", "root": "FOLDER"}


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the workspaces that you have opened here, the latest first."""
    rows = [{"name": known.name, "root": known.root} for known in known_workspaces()]
    write_rows(rows, _COLUMNS, as_json=as_json, none="No workspace was opened here yet.")


@app.command()
def show(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Show what a workspace holds."""
    with opened(workspace) as session:
        found = catalog(session, n_runs=1)
    facts = {
        **found["workspace"],
        "datasets": len(found["datasets"]),
        "models": len(found["models"]),
        "endpoints": len(found["deployments"]),
        "compute targets": len(found["computes"]),
    }
    write_facts(facts, as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the workspace.", show_default=False)],
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a workspace in a folder, or open the one of that name that is there."""
    from nbautoml import Workspace  # it loads what the other commands do without

    workspace.mkdir(parents=True, exist_ok=True)
    made = Workspace.create(name, path=workspace, exist_ok=True)
    write_facts({"name": made.name, "root": made.session.address.root}, as_json=as_json)
    made.session.close()
