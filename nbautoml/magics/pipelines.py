"""``%automl pipeline``: what is published, runs of it, and when it runs by itself."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any  # Any: rows of what is published

from IPython.display import display

import nbautoml
from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.magics.home import DEFAULT_RUN, Home
from nbautoml.magics.say import say, show_table
from nbautoml.services.pipeline_details import change_endpoint, change_pipeline, change_schedule
from nbautoml.services.pipeline_typed import (
    ENDPOINT,
    find_published,
    find_schedule,
    published_names,
    typed_parameters,
)
from nbautoml.services.pipelines import pipeline_endpoints, published_pipelines, schedules
from nbautoml.widgets.words import moment_text

PARAM, EXPERIMENT, VERSION = "--param", "--experiment", "--version"
FLAGS = (PARAM, EXPERIMENT, VERSION)
"""What may follow ``%automl pipeline run NAME``; the first one any number of times."""


def pipeline(home: Home, words: str) -> None:
    """List what is published, show one (``NAME``), or do something with it (``run NAME``)."""
    parts = shlex.split(words)
    workspace = home.known_workspace()
    if workspace is None:
        raise NotFoundError(
            "There is no workspace here yet, so there are no pipelines. %%automl makes one."
        )
    word = parts[0] if parts else "list"
    act = ACTIONS.get(word)
    if act is not None:
        act(home, workspace, parts[1:])
    elif len(parts) == 1:
        _show(home, workspace, parts)
    else:
        raise ConfigError(
            f"%automl pipeline takes {', '.join(ACTIONS)} or a name; got {words!r}."
            f"{did_you_mean(word, ACTIONS)}"
        )


def _list(_home: Home, workspace: nbautoml.Workspace, parts: Sequence[str]) -> None:
    _check_none("list", parts)
    rows = [
        [
            one["name"],
            one["version"],
            one["status"],
            str(len(one["steps"])),
            _parameters(one["parameters"]),
            moment_text(one["created_at"]),
        ]
        for one in published_pipelines(workspace.session)["pipelines"]
    ]
    head = ["Pipeline", "Version", "Status", "Steps", "Parameters", "Published"]
    _table(head, rows, "Nothing is published. To do it: pipeline.publish(name)")


def _endpoints(_home: Home, workspace: nbautoml.Workspace, parts: Sequence[str]) -> None:
    _check_none("endpoints", parts)
    rows = [
        [
            one["name"],
            one["status"],
            one["default_version"],
            ", ".join(version["version"] for version in one["versions"]),
            one["address"],
        ]
        for one in pipeline_endpoints(workspace.session)["endpoints"]
    ]
    head = ["Endpoint", "Status", "Default", "Versions", "Address"]
    nothing = (
        "There are no endpoints. To make one: PipelineEndpoint.publish(ws, name, text, pipeline)"
    )
    _table(head, rows, nothing)


def _schedules(_home: Home, workspace: nbautoml.Workspace, parts: Sequence[str]) -> None:
    _check_none("schedules", parts)
    rows = [
        [
            one["name"],
            one["status"],
            one["target"],
            one["when"],
            "" if one["next_at"] is None else moment_text(one["next_at"]),
            one["error"],
        ]
        for one in schedules(workspace.session)["schedules"]
    ]
    head = ["Schedule", "Status", "Runs", "When", "Next", "Problem"]
    _table(head, rows, "There are no schedules. To make one: Schedule.create(ws, …)")


def _show(_home: Home, workspace: nbautoml.Workspace, parts: Sequence[str]) -> None:
    kind, row = find_published(workspace.session, _one("show", parts))
    display(_object(workspace, kind, row))  # type: ignore[no-untyped-call]


def _run(home: Home, workspace: nbautoml.Workspace, parts: Sequence[str]) -> None:
    name, given = _parsed(parts)
    kind, row = find_published(workspace.session, name)
    published = _object(workspace, kind, row)
    experiment = (given[EXPERIMENT] or [_experiment_of(row["name"])])[-1]
    if kind == ENDPOINT:
        version = given[VERSION][-1] if given[VERSION] else None
        defaults = published.get_pipeline(version).parameters
        values = typed_parameters(given[PARAM], defaults)
        run = published.submit(experiment, values, pipeline_version=version)
    elif given[VERSION]:
        raise ConfigError(f"{name} is a published pipeline, which has no versions; leave it out.")
    else:
        values = typed_parameters(given[PARAM], row["parameters"])
        run = published.submit(workspace, experiment, values)
    home.assign(DEFAULT_RUN, run)
    say(f"{DEFAULT_RUN} = {run.id}, in the experiment {experiment}")
    nbautoml.RunDetails(run).show()


def _turn(is_enabled: bool) -> Callable[[Home, nbautoml.Workspace, Sequence[str]], None]:
    word = "enable" if is_enabled else "disable"

    def act(_home: Home, workspace: nbautoml.Workspace, parts: Sequence[str]) -> None:
        session, asked = workspace.session, {"enabled": is_enabled}
        if parts[:1] == ["schedule"]:
            row = find_schedule(session, _one(f"{word} schedule", parts[1:]))
            change_schedule(session, row["id"], asked)
        else:
            kind, row = find_published(session, _one(word, parts))
            change = change_endpoint if kind == ENDPOINT else change_pipeline
            change(session, row["id"], asked)
        say(f"{row['name']} is {word}d.")

    return act


ACTIONS: Mapping[str, Callable[[Home, nbautoml.Workspace, Sequence[str]], None]] = {
    "list": _list,
    "show": _show,
    "run": _run,
    "enable": _turn(True),
    "disable": _turn(False),
    "endpoints": _endpoints,
    "schedules": _schedules,
}
"""What can be said behind ``%automl pipeline``, besides the name of what is to be shown."""


def candidates(words: Sequence[str], home: Home) -> list[str]:
    """Return what could be the next of these words behind ``%automl pipeline``."""
    workspace = home.known_workspace()
    names = [] if workspace is None else published_names(workspace.session)
    if not words:
        return [*ACTIONS, *names]
    if len(words) == 1:
        return [] if words[0] in ("list", "endpoints", "schedules") else names
    if words[0] != "run" or workspace is None:
        return []
    if words[-1] == PARAM and words[1] in names:
        return [f"{name}=" for name in find_published(workspace.session, words[1])[1]["parameters"]]
    if words[-1] == EXPERIMENT:
        return list(workspace.experiments)
    return [] if words[-1] == VERSION else list(FLAGS)


def _object(workspace: nbautoml.Workspace, kind: str, row: Mapping[str, Any]) -> Any:
    home = nbautoml.PipelineEndpoint if kind == ENDPOINT else nbautoml.PublishedPipeline
    return home.get(workspace, id=row["id"])


def _parsed(parts: Sequence[str]) -> tuple[str, dict[str, list[str]]]:
    """Return the name, and the values of each flag, which may stand behind it or after ``=``."""
    given: dict[str, list[str]] = {flag: [] for flag in FLAGS}
    names, rest = [], list(parts)
    while rest:
        part = rest.pop(0)
        flag, equals, value = part.partition("=")
        if not part.startswith("--"):
            names.append(part)
        elif flag not in FLAGS:
            raise ConfigError(
                f"%automl pipeline run has no flag {flag}.{did_you_mean(flag, FLAGS)}"
            )
        elif equals:
            given[flag].append(value)
        elif rest:
            given[flag].append(rest.pop(0))
        else:
            raise ConfigError(f"{flag} of %automl pipeline run needs a value.")
    return _one("run", names), given


def _one(word: str, parts: Sequence[str]) -> str:
    if len(parts) != 1:
        raise ConfigError(f"%automl pipeline {word} takes one name; got {' '.join(parts)!r}.")
    return parts[0]


def _check_none(word: str, parts: Sequence[str]) -> None:
    if parts:
        raise ConfigError(f"Nothing stands behind %automl pipeline {word}; got {parts[0]!r}.")


def _experiment_of(name: str) -> str:
    """Return the name of an experiment for what is called so."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)
    return kept.lstrip("._-") or "pipeline"


def _parameters(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


def _table(head: list[str], rows: list[list[str]], nothing: str) -> None:
    if rows:
        show_table(head, rows)
    else:
        say(nothing)
