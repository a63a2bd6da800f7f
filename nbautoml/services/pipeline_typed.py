"""What people type about pipelines in a line: names of what is published, values of parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any  # Any: JSON values

from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.services.pipeline_details import pipeline_catalog
from nbautoml.services.pipelines import schedules
from nbautoml.store.session import Session

ENDPOINT, PIPELINE = "endpoint", "pipeline"
_ACTIVE = "Active"


def find_published(session: Session, word: str) -> tuple[str, dict[str, Any]]:
    """Return the endpoint or published pipeline that a word names, by its name or its id.

    An endpoint goes before a pipeline of the same name, of those the newest active one.

    Returns
    -------
    tuple
        ``"endpoint"`` or ``"pipeline"``, and its row, with the ``parameters`` that it takes.

    Raises
    ------
    NotFoundError
        When nothing is called so.
    """
    known = pipeline_catalog(session)
    for row in known["endpoints"]:
        if word in (row["id"], row["name"]):
            return ENDPOINT, row | {"parameters": _default(row)["parameters"]}
    rows = sorted(
        known["pipelines"], key=lambda row: row["status"] != _ACTIVE
    )  # stays newest first
    for row in rows:
        if word in (row["id"], row["name"]):
            return PIPELINE, row
    names = published_names(session)
    what = f" There are: {', '.join(names)}." if names else " pipeline.publish(name) makes one."
    raise NotFoundError(
        f"No pipeline or endpoint is published as {word!r}.{did_you_mean(word, names)}{what}"
    )


def published_names(session: Session) -> list[str]:
    """Return the names of endpoints and published pipelines, each once."""
    known = pipeline_catalog(session)
    return list(dict.fromkeys(row["name"] for row in [*known["endpoints"], *known["pipelines"]]))


def find_schedule(session: Session, word: str) -> dict[str, Any]:
    """Return the row of the schedule that a word names, by its name or its id.

    Raises
    ------
    NotFoundError
        When none is called so.
    """
    rows = schedules(session)["schedules"]
    for row in rows:
        if word in (row["id"], row["name"]):
            return dict(row)
    names = [row["name"] for row in rows]
    raise NotFoundError(f"No schedule is called {word!r}.{did_you_mean(word, names)}")


def typed_parameters(pairs: Iterable[str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of parameters that were typed as ``name=value``.

    A value is a text where the default is one, and where there is no such parameter, which whoever
    starts the run refuses; else it is JSON.

    Raises
    ------
    ConfigError
        When a pair is no pair, a name comes twice, or a value cannot be read.

    Examples
    --------
    >>> typed_parameters(["rate=0.5", "city=7"], {"rate": 0.1, "city": "Ulm"})
    {'rate': 0.5, 'city': '7'}
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ConfigError(f"A parameter is given as name=value; got {pair!r}.")
        if name in found:
            raise ConfigError(f"The parameter {name!r} is given twice.")
        usual = defaults.get(name, "")
        found[name] = text if isinstance(usual, str) else _read(name, text, usual)
    return found


def _default(row: Mapping[str, Any]) -> Mapping[str, Any]:
    chosen: Mapping[str, Any] = next(one for one in row["versions"] if one["is_default"])
    return chosen


def _read(name: str, text: str, usual: Any) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"{name} must be written as {json.dumps(usual)} is; got {text or 'nothing'}."
        ) from error
