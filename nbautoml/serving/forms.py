r"""Requests and replies: the two forms of the SDK's scoring scripts, and a plain one.

| request | reply |
|---|---|
| ``{"data": [row, …], "method": "predict"}`` | a JSON *text*, ``"{\"result\": […]}"`` |
| ``{"Inputs": {"data": [row, …]}, "GlobalParameters": {"method": …}}`` | ``{"Results": […]}`` |
| ``[row, …]`` or one row, ``?probabilities=true`` | ``{"predictions": […], …}`` |

``"explain": true`` beside ``"data"`` or in ``"GlobalParameters"``, and ``?explain=true``, add what
each column did to the answers.

A row is an object of column names and values, or a list in the order of the training columns.
The first reply is a text inside JSON because the SDK's script returned ``json.dumps(…)`` and
its server encoded that again: notebooks say ``json.loads(service.run(sample))["result"]``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any  # Any: JSON values

from nbautoml.errors import did_you_mean

METHODS = ("predict", "predict_proba")
_BESIDE = ("data", "method", "explain")
AUTO = "auto"
"""Method of a plain request that wants probabilities where the model has classes."""
_WANTED = {
    "true": METHODS[1],
    "1": METHODS[1],
    "false": METHODS[0],
    "0": METHODS[0],
    "": METHODS[0],
}


class Form(Enum):
    """Which of the three forms a request has."""

    DATA = "data"
    INPUTS = "Inputs"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest:
    """A request whose form is right; its rows have not been looked at."""

    form: Form
    rows: Sequence[Any]
    method: str = "predict"
    wants_explanations: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says to the rows of a request.

    ``proba`` and ``explanations`` only where they were asked for.
    """

    values: Sequence[Any]
    proba: Sequence[Sequence[float]] | None = None
    classes: Sequence[Any] | None = None
    explanations: Mapping[str, Any] | None = None
    warnings: Sequence[str] = ()
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong in a request, and where: ``row`` counts from 0."""

    message: str
    row: int | None = None
    column: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields that are known."""
        known = {"row": self.row, "column": self.column, "message": self.message}
        return {name: value for name, value in known.items() if value is not None}

    def __str__(self) -> str:
        """The fault as a sentence that says where it is."""
        where = "" if self.row is None else f"row {self.row}"
        if self.column is not None:
            where = f"{where}, column {self.column!r}" if where else f"column {self.column!r}"
        return f"{where}: {self.message}" if where else self.message


class RequestFaultError(Exception):
    """A request cannot be answered as it is.

    Parameters
    ----------
    faults : sequence of Fault
        What is wrong, the first ones.
    status : int, default 422
        HTTP status.
    n_more : int, default 0
        Faults beside those.
    """

    def __init__(self, faults: Sequence[Fault], *, status: int = 422, n_more: int = 0) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)
        self.status = status
        self.n_more = n_more


def fault(message: str, *, status: int = 422) -> RequestFaultError:
    """Return the error for a request that is wrong as a whole."""
    return RequestFaultError([Fault(message=message)], status=status)


def read_form(
    body: Any, query: Mapping[str, str], columns: frozenset[str] = frozenset()
) -> ScoreRequest:
    """Return a request's rows and what is asked of them.

    Parameters
    ----------
    body : JSON value
        The request.
    query : mapping of str to str
        Behind the address: ``probabilities``, ``explain``.
    columns : frozenset of str
        Columns of the model: an object that has one of them is one row.

    Raises
    ------
    RequestFaultError
        When it has none of the forms.

    Examples
    --------
    >>> read_form({"data": [[1]], "method": "predict_proba"}, {}).method
    'predict_proba'
    >>> read_form([{"age": 60}], {"probabilities": "true"}).form
    <Form.PLAIN: 'plain'>
    """
    # Looked at in all forms, so that nobody believes that a misspelt wish was granted.
    method, explain = _wanted(query.get("probabilities", "")), _asked(query.get("explain", ""))
    if isinstance(body, Mapping) and isinstance(body.get("Inputs"), Mapping):
        return _inputs_form(body)
    if isinstance(body, Mapping) and ("data" in body and "data" not in columns):
        return _data_form(body)
    if isinstance(body, Mapping) and columns & set(body):
        body = [body]
    if isinstance(body, list):
        rows = _rows(body, "The request")
        return ScoreRequest(form=Form.PLAIN, rows=rows, method=method, wants_explanations=explain)
    raise fault(
        'A request is {"data": [...]}, {"Inputs": {"data": [...]}, "GlobalParameters": {...}} or '
        f"a list of rows; got {describe(body)}."
    )


def _data_form(body: Mapping[str, Any]) -> ScoreRequest:
    unknown = [str(name) for name in body if name not in _BESIDE]
    if unknown:
        hint = did_you_mean(unknown[0], _BESIDE)
        words = '"method" and "explain"'
        raise fault(f'{unknown[0]!r} beside "data" is not known.{hint} There are {words}.')
    rows = _rows(body["data"], '"data"')
    method = _method(body.get("method", "predict"))
    explain = _truth(body.get("explain", False))
    return ScoreRequest(form=Form.DATA, rows=rows, method=method, wants_explanations=explain)


def _inputs_form(body: Mapping[str, Any]) -> ScoreRequest:
    inputs, options = body["Inputs"], body.get("GlobalParameters")
    if "data" not in inputs:
        raise fault(f'"Inputs" must hold "data", a list of rows; it holds {sorted(inputs)}.')
    # The SDK's own sample has 1.0 here; only an object says something.
    wanted = options if isinstance(options, Mapping) else {}
    method, explain = wanted.get("method", "predict"), _truth(wanted.get("explain", False))
    rows = _rows(inputs["data"], '"data" in "Inputs"')
    return ScoreRequest(
        form=Form.INPUTS, rows=rows, method=_method(method), wants_explanations=explain
    )


def _rows(value: Any, what: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise fault(f"{what} must be a list of rows; got {describe(value)}.")
    if not value:
        raise fault(f"{what} must hold at least one row; got an empty list.")
    return value


def _method(value: Any) -> str:
    if value not in METHODS:
        raise fault(f'"method" must be "predict" or "predict_proba"; got {describe(value)}.')
    return str(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise fault(f'"explain" must be true or false; got {describe(value)}.')
    return value


def _asked(text: str) -> bool:
    if text.lower() not in _WANTED:
        raise fault(f"explain must be true or false; got {text!r}.")
    return _WANTED[text.lower()] == METHODS[1]


def _wanted(text: str) -> str:
    word = text.lower()
    if word != AUTO and word not in _WANTED:
        raise fault(f"probabilities must be true, false or auto; got {text!r}.")
    return _WANTED.get(word, AUTO)


def write_form(form: Form, found: Prediction) -> Any:
    """Return the reply to a request of a form, as a JSON value.

    Examples
    --------
    >>> write_form(Form.INPUTS, Prediction(values=["yes"]))
    {'Results': ['yes']}
    >>> write_form(Form.DATA, Prediction(values=["yes"]))
    '{"result": ["yes"]}'
    """
    told: dict[str, Any] = {"warnings": list(found.warnings)} if found.warnings else {}
    if found.explanations is not None:
        told["explanations"] = found.explanations
    if form is Form.PLAIN:
        reply: dict[str, Any] = {"predictions": list(found.values)}
        if found.proba is not None:
            reply |= {"classes": list(found.classes or ()), "probabilities": list(found.proba)}
        return {**reply, "model": found.model, **told}
    values = list(found.values if found.proba is None else found.proba)
    if form is Form.INPUTS:
        return {"Results": values, **told}
    return json.dumps({"result": values, **told}, ensure_ascii=False, allow_nan=False)


def describe(value: Any, limit: int = 40) -> str:
    """Return a value of a request as a message shows it: its beginning.

    Examples
    --------
    >>> describe("abc"), describe(None), describe([1])
    ('"abc"', 'null', 'a list')
    """
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Mapping):
        return "an object" if value else "an empty object"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**limit:
        return "a whole number that is too large"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else f"{text[:limit]}…"
