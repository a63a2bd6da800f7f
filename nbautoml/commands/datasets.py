"""``nbautoml datasets …``: registered data."""

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
from nbautoml.errors import NotFoundError, did_you_mean
from nbautoml.services.catalog import catalog
from nbautoml.services.datasets import dataset_content, dataset_details
from nbautoml.store.session import Session

app = noun("Registered datasets.")
Name = Annotated[str, typer.Argument(help="Name of the dataset, or its id.", show_default=False)]
_COLUMNS = {
    "name": "DATASET",
    "version": "VERSION",
    "rows": "ROWS",
    "columns": "COLUMNS",
    "created_at": "CREATED",
    "description": "DESCRIPTION",
}


@app.command("list")
def list_(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List the datasets with their newest versions."""
    with opened(workspace) as session:
        rows = catalog(session, n_runs=1)["datasets"]
    write_rows(rows, _COLUMNS, as_json=as_json, none="There are no datasets.")


@app.command()
def show(
    name: Name,
    content: Annotated[
        bool, typer.Option("--content", help="Read it: statistics of columns, first rows (JSON).")
    ] = False,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Show one: where it came from, and what has used it."""
    with opened(workspace) as session:
        dataset_id = _find(session, name)
        if content:
            write_facts({}, as_json=True, everything=dataset_content(session, dataset_id))
            return
        found = dataset_details(session, dataset_id)
    facts = {
        "dataset": f"{found['name']}:{found['version']}" if found["name"] else found["id"],
        "id": found["id"],
        "rows": found["rows"],
        "columns": found["columns"],
        "description": found["description"],
        "tags": found["tags"],
        "from": found["origin"]["sources"],
        "created_at": found["created_at"],
        "versions": [version["version"] for version in found["versions"]],
        "used by": [use["run_id"] for use in found["used_by"]],
        "models": [f"{model['name']}:{model['version']}" for model in found["models"]],
    }
    write_facts(facts, as_json=as_json, everything=found)


def _find(session: Session, name: str) -> str:
    known = {row["name"]: row["id"] for row in catalog(session, n_runs=1)["datasets"]}
    if name in known:
        return str(known[name])
    with session.read() as tx:
        try:
            return tx.datasets.get_by_id(name).id
        except NotFoundError as error:
            raise NotFoundError(
                f"The workspace has no dataset called {name!r}.{did_you_mean(name, known)} "
                f"There are: {', '.join(known) or 'none'}."
            ) from error
