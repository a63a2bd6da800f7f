"""``nbautoml pipelines …``: what is published, runs of it, and when it runs by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any  # Any: JSON values

import typer

from nbautoml.commands._base import (
    HERE,
    AsJson,
    Folder,
    noun,
    opened,
    write_facts,
    write_json,
    write_rows,
)
from nbautoml.services.pipeline_details import (
    change_endpoint,
    change_pipeline,
    change_schedule,
    endpoint_details,
    pipeline_details,
)
from nbautoml.services.pipeline_typed import (
    ENDPOINT,
    find_published,
    find_schedule,
    typed_parameters,
)
from nbautoml.services.pipelines import (
    pipeline_endpoints,
    published_pipelines,
    run_endpoint,
    run_published,
)
from nbautoml.services.pipelines import schedules as list_schedules

app = noun("Pipelines: what is published, its endpoints and schedules.")
Name = Annotated[
    str,
    typer.Argument(help="Name or id of an endpoint or a published pipeline.", show_default=False),
]
ScheduleName = Annotated[
    str, typer.Argument(help="Name or id of the schedule.", show_default=False)
]
_PIPELINES = {
    "name": "PIPELINE",
    "version": "VERSION",
    "status": "STATUS",
    "steps": "STEPS",
    "parameters": "PARAMETERS",
    "created_at": "PUBLISHED",
}
_ENDPOINTS = {
    "name": "ENDPOINT",
    "status": "STATUS",
    "default_version": "DEFAULT",
    "versions": "VERSIONS",
    "address": "ADDRESS",
}
_SCHEDULES = {
    "name": "SCHEDULE",
    "status": "STATUS",
    "target": "RUNS",
    "when": "WHEN",
    "next_at": "NEXT",
    "error": "PROBLEM",
}


@app.command("list")
def list_(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List the published pipelines."""
    with opened(workspace) as session:
        rows = published_pipelines(session)["pipelines"]
    shown = rows if as_json else [row | {"steps": len(row["steps"])} for row in rows]
    write_rows(shown, _PIPELINES, as_json=as_json, none="There are no published pipelines.")


@app.command()
def endpoints(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List the endpoints."""
    with opened(workspace) as session:
        rows = pipeline_endpoints(session)["endpoints"]
    shown = rows if as_json else [row | {"versions": _numbers(row)} for row in rows]
    write_rows(shown, _ENDPOINTS, as_json=as_json, none="There are no pipeline endpoints.")


@app.command()
def schedules(workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List the schedules."""
    with opened(workspace) as session:
        rows = list_schedules(session)["schedules"]
    write_rows(rows, _SCHEDULES, as_json=as_json, none="There are no schedules.")


@app.command()
def show(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Show one: steps, parameters with their defaults, address."""
    with opened(workspace) as session:
        kind, row = find_published(session, name)
        details = endpoint_details if kind == ENDPOINT else pipeline_details
        found = details(session, row["id"])
    facts = {
        kind: found["name"],
        "id": found["id"],
        "description": found["description"],
        "status": found["status"],
        "version": found["version"],
        "versions": _numbers(found),
        "steps": [step["name"] for step in found["steps"]],
        "parameters": found["parameters"],
        "schedules": [one["name"] for one in found["schedules"]],
        "runs": len(found["runs"]),
        "address": found["address"],
        "published_at": found["created_at"],
    }
    write_facts(facts, as_json=as_json, everything=found)


@app.command()
def run(
    name: Name,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="name=value, any number of times.", show_default=False),
    ] = None,
    experiment: Annotated[
        str, typer.Option("--experiment", "-e", help="Where the run belongs.")
    ] = "pipelines",
    version: Annotated[
        str, typer.Option(help="Version of an endpoint; its default when left out.")
    ] = "",
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Start a run; 'nbautoml runs logs --follow' follows it."""
    with opened(workspace) as session:
        kind, row = find_published(session, name)
        values = typed_parameters(param or (), _defaults(row, version))
        asked: dict[str, Any] = {"experiment": experiment, "parameters": values}
        if version:
            asked["version"] = version
        start = run_endpoint if kind == ENDPOINT else run_published
        found = start(session, row["id"], asked)
    if as_json:
        write_json(found)
    else:
        typer.echo(f"{found['run_id']} runs. To follow it: nbautoml runs logs -f {found['run_id']}")


@app.command()
def enable(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Let it be run."""
    _turn(name, workspace, is_enabled=True, as_json=as_json)


@app.command()
def disable(name: Name, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Let it not be run any more; runs under way go on."""
    _turn(name, workspace, is_enabled=False, as_json=as_json)


@app.command("set-default")
def set_default(
    name: Name,
    version: Annotated[str, typer.Argument(help="The version.", show_default=False)],
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Say which version of an endpoint runs when none is named."""
    with opened(workspace) as session:
        _kind, row = find_published(session, name)
        found = change_endpoint(session, row["id"], {"default_version": version})
    _say(found, f"Version {version} of '{found['name']}' runs from now on.", as_json=as_json)


@app.command("enable-schedule")
def enable_schedule(name: ScheduleName, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Let a schedule start runs."""
    _turn_schedule(name, workspace, is_enabled=True, as_json=as_json)


@app.command("disable-schedule")
def disable_schedule(name: ScheduleName, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """Let a schedule start no more runs."""
    _turn_schedule(name, workspace, is_enabled=False, as_json=as_json)


def _turn(name: str, workspace: Folder, *, is_enabled: bool, as_json: bool) -> None:
    with opened(workspace) as session:
        kind, row = find_published(session, name)
        change = change_endpoint if kind == ENDPOINT else change_pipeline
        found = change(session, row["id"], {"enabled": is_enabled})
    _say(found, f"'{found['name']}' is {_state(is_enabled)}.", as_json=as_json)


def _turn_schedule(name: str, workspace: Folder, *, is_enabled: bool, as_json: bool) -> None:
    with opened(workspace) as session:
        row = find_schedule(session, name)
        found = change_schedule(session, row["id"], {"enabled": is_enabled})
    _say(found, f"'{found['name']}' is {_state(is_enabled)}.", as_json=as_json)


def _state(is_enabled: bool) -> str:
    return "enabled" if is_enabled else "disabled"


def _say(found: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        write_json(found)
    else:
        typer.echo(text)


def _numbers(row: Mapping[str, Any]) -> list[str]:
    return [one["version"] for one in row["versions"]]


def _defaults(row: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    """Return the parameters of the version that is to run, where it is an endpoint's."""
    for one in row.get("versions", ()):
        if one["version"] == version:
            found: Mapping[str, Any] = one["parameters"]
            return found
    usual: Mapping[str, Any] = row["parameters"]
    return usual
