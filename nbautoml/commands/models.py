"""``nbautoml models …``: registered models."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any  # Any: JSON values

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
from nbautoml.services import registry
from nbautoml.services.catalog import catalog
from nbautoml.store.session import Session

app = noun("Registered models.")
Name = Annotated[str, typer.Argument(help="Name of the model.", show_default=False)]
Version = Annotated[
    int | None,
    typer.Option("--version", "-v", help="Its version; the newest without it.", show_default=False),
]
_COLUMNS = {
    "name": "MODEL",
    "version": "VERSION",
    "framework": "FRAMEWORK",
    "created_at": "CREATED",
    "run_id": "RUN",
}
_FILES = {"name": "FILE", "size_bytes": "SIZE"}


@app.command("list")
def list_(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List the models with their newest versions."""
    with opened(workspace) as session:
        rows = catalog(session, n_runs=1)["models"]
    write_rows(rows, _COLUMNS, as_json=as_json, none="There are no models.")


@app.command()
def show(
    name: Name, version: Version = None, workspace: Folder = HERE, as_json: AsJson = False
) -> None:
    """Show a version: where it came from, its metrics and its files."""
    with opened(workspace) as session:
        found = registry.version_details(session, name, _version(session, name, version))
    facts = {
        "model": f"{found['name']}:{found['version']}",
        "description": found["description"],
        "tags": found["tags"],
        "framework": found["framework"],
        "created_at": found["created_at"],
        "run": found["run_id"],
        **{f"  {metric}": value for metric, value in found["metrics"].items()},
    }
    write_facts(facts, as_json=as_json, everything=found)
    if not as_json and found["files"]:
        typer.echo("")
        write_rows(found["files"], _FILES, as_json=False, none="")


@app.command()
def download(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="Where to; it is made.", show_default=False)],
    version: Version = None,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Copy the files of a version; a file that is there is replaced."""
    with opened(workspace) as session:
        number = _version(session, name, version)
        names = [file["name"] for file in registry.version_details(session, name, number)["files"]]
        for file in names:
            place = folder / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(registry.version_file(session, name, number, file), place)
    _say(
        {"name": name, "version": number, "files": names},
        f"{len(names)} files of {name}:{number} are in {folder}.",
        as_json=as_json,
    )


@app.command()
def delete(
    name: Name,
    version: Annotated[int, typer.Option("--version", "-v", help="Which.", show_default=False)],
    yes: Yes = False,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Remove a version; its number is not used again."""
    confirm(f"Remove {name}:{version}?", yes=yes)
    with opened(workspace) as session:
        found = registry.delete_version(session, name, version)
    _say(found, f"{name}:{version} is gone; {found['left']} versions are left.", as_json=as_json)


def _version(session: Session, name: str, version: int | None) -> int:
    if version is not None:
        return version
    return int(registry.model_details(session, name)["versions"][0]["version"])


def _say(found: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        write_json(found)
    else:
        typer.echo(sentence)
