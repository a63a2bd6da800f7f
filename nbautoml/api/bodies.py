"""What a caller asks for: the JSON of a submission, checked field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn  # Any: JSON values

from starlette.requests import Request

from nbautoml.api.problems import Refused, unprocessable
from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.runs.experiment import check_experiment_name
from nbautoml.store.session import Reader

MAX_BODY_BYTES = 2**20
MAX_VALUE_CHARACTERS = 65_536
MAX_NUMBER = 1e300
"""Beyond it, sums of a few numbers are infinite, which JSON cannot say."""
EXPERIMENT, SOURCE = "ExperimentName", "RunSource"
VALUES, PATHS, DATASETS = (
    "ParameterAssignments",
    "DataPathAssignments",
    "DataSetDefinitionValueAssignments",
)
FIELDS = (EXPERIMENT, SOURCE, VALUES, PATHS, DATASETS)
_DATASTORE, _PATH = "DataStoreName", "RelativePath"
_REFERENCE, _ID = "SavedDataSetReference", "Id"

_PART = r"[^./\\?#:\x00-\x1f][^/\\?#:\x00-\x1f]*"
PATH_PATTERN = rf"({_PART}(/{_PART})*/?)?"
"""A path in a datastore: no part begins with a dot, and nothing in it leads elsewhere."""
_INSIDE = re.compile(PATH_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A run that is asked for.

    ``parameters`` maps the name of each parameter to its value, as a published pipeline takes it;
    ``fields`` maps it to the field of the body that it was in.
    """

    experiment: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


async def read_json(request: Request) -> Any:
    """Return the JSON of a request.

    Raises
    ------
    Refused
        When it is not called JSON, too large, or none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f'Send the header "Content-Type: application/json"; got {kind!r:.100}.',
        )
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_BODY_BYTES:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The body may have {MAX_BODY_BYTES:,} bytes.",
                headers={"Connection": "close"},
            )
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"The body is no JSON: {error}.") from error


def read_submission(body: Any) -> Submission:
    """Return the run that a body asks for.

    Parameters
    ----------
    body : object
        As `read_json` returns it.

    Raises
    ------
    Refused
        With all that does not fit.
    """
    if not isinstance(body, dict):
        raise unprocessable(("", "The body must be an object."))
    errors = [*_unknown(body), *_experiment(body), *_source(body)]
    parameters: dict[str, Any] = {}
    fields: dict[str, str] = {}
    for group, read in ((VALUES, _value), (PATHS, _path), (DATASETS, _dataset)):
        given = body.get(group)
        if given is None:
            continue
        if not isinstance(given, dict):
            errors.append((group, f"{group} must be an object of names and values."))
            continue
        for name, value in given.items():
            place = f"{group}.{name}"
            found, problem = read(value)
            if problem:
                errors.append((place, f"{place} {problem}"))
            elif name in parameters:
                errors.append((place, f"{name!r} is given in {fields[name]}, too."))
            parameters[name], fields[name] = found, place
    if errors:
        raise unprocessable(*errors)
    return Submission(experiment=body[EXPERIMENT], parameters=parameters, fields=fields)


def check_names(submission: Submission, known: Mapping[str, Any]) -> None:
    """Raise an error for parameters that a pipeline does not have.

    Raises
    ------
    Refused
        With each of them.
    """
    there = ", ".join(known) or "none"
    unknown = [
        (
            submission.fields[name],
            f"The pipeline has no parameter {name!r}.{did_you_mean(name, known)} "
            f"Parameters: {there}.",
        )
        for name in submission.parameters
        if name not in known
    ]
    if unknown:
        raise unprocessable(*unknown)


def check_places(submission: Submission, tx: Reader) -> None:
    """Raise an error for values that name a datastore or a dataset that is not there.

    Raises
    ------
    Refused
        With each of them.
    """
    errors = []
    for name, value in submission.parameters.items():
        try:
            if isinstance(value, Mapping) and "datastore" in value:
                tx.datastores.get(value["datastore"])
            elif isinstance(value, Mapping):
                tx.datasets.get_by_id(value["dataset"])
        except NotFoundError as error:
            errors.append((submission.fields[name], str(error)))
    if errors:
        raise unprocessable(*errors)


def _unknown(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in body:
        if name not in FIELDS:
            said = f"There is no field {name!r:.100}.{did_you_mean(name, FIELDS)}"
            yield name[:100], f"{said} Fields: {', '.join(FIELDS)}."


def _experiment(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = body.get(EXPERIMENT)
    if not isinstance(name, str):
        yield EXPERIMENT, f"{EXPERIMENT} must be a text; got {name!r:.100}."
        return
    try:
        check_experiment_name(name)
    except ConfigError as error:
        yield EXPERIMENT, str(error)


def _source(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    source = body.get(SOURCE)
    if source is not None and not isinstance(source, str):
        yield SOURCE, f"{SOURCE} must be a text; got {source!r:.100}."


def _value(value: Any) -> tuple[Any, str]:
    """Return a plain value, and what is wrong with it."""
    if isinstance(value, str):
        if "\x00" in value:
            return None, "holds the character U+0000."
        is_long = len(value) > MAX_VALUE_CHARACTERS
        return value, f"may have {MAX_VALUE_CHARACTERS:,} characters." if is_long else ""
    if isinstance(value, int | float) and abs(value) > MAX_NUMBER:
        return None, f"is a number beyond {MAX_NUMBER:g}."
    if value is None or isinstance(value, bool | int | float):
        return value, ""
    return None, "must be a text, a number, a truth value or null."


def _path(value: Any) -> tuple[Any, str]:
    """Return a path in a datastore, and what is wrong with it."""
    form = f'must be {{"{_DATASTORE}": …, "{_PATH}": …}}.'
    if not isinstance(value, dict) or set(value) != {_DATASTORE, _PATH}:
        return None, form
    datastore, path = value[_DATASTORE], value[_PATH]
    if not isinstance(datastore, str) or not isinstance(path, str) or "\x00" in datastore:
        return None, form
    if not _is_inside(path):
        return None, f"must have a path inside of the datastore; got {path!r:.100}."
    return {"datastore": datastore, "path": path}, ""


def _dataset(value: Any) -> tuple[Any, str]:
    """Return a dataset, and what is wrong with it."""
    form = f'must be {{"{_REFERENCE}": {{"{_ID}": …}}}}.'
    reference = value.get(_REFERENCE) if isinstance(value, dict) and len(value) == 1 else None
    found = reference.get(_ID) if isinstance(reference, dict) and len(reference) == 1 else None
    if not isinstance(found, str) or "\x00" in found:
        return None, form
    return {"dataset": found}, ""


def _is_inside(path: str) -> bool:
    """Whether a path stays in its datastore, whatever reads it.

    Examples
    --------
    >>> [_is_inside(path) for path in ("in/a.csv", "in/", "../a", "/etc/passwd", "s3://b/a")]
    [True, True, False, False, False]
    """
    return _INSIDE.fullmatch(path) is not None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
