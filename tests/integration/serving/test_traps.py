"""What a naive endpoint answers wrongly: a real server, asked over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from nbautoml.registry.model import Model
from nbautoml.serving.guard import MAX_BODY_BYTES
from nbautoml.serving.schema import MAX_ROWS
from nbautoml.serving.webservice import Webservice
from tests.integration.serving.conftest import Kit, ask

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(kit: Kit, model: Model) -> Iterator[Webservice]:
    service = Model.deploy(kit.ws, "traps", [model])
    service.wait_for_deployment()
    assert service.state == "Healthy"
    yield service
    service.delete()


@pytest.fixture(scope="module")
def regression(kit: Kit) -> Iterator[Webservice]:
    service = Model.deploy(kit.ws, "numbers", [kit.numbers("numbers")])
    service.wait_for_deployment()
    yield service
    service.delete()


def problem_of(response: httpx.Response, status: int) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    assert "Traceback" not in response.text
    return told


GOOD = {
    "text for a number": {"age": "60"},
    "text for a float": {"platelets": " 2.65e5 "},
    "text for a flag": {"anaemia": "false"},
    "truth for a flag": {"anaemia": True},
    "text for a truth": {"smoking": "True"},
    "number for a truth": {"smoking": 1},
    "null where null was seen": {"platelets": None},
    "empty text where null was seen": {"platelets": ""},
    "a column that the model does not use left out": {"patient": ...},
    "a date with a time": {"seen": "2025-03-01T10:00:00"},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_values_that_mean_something_are_taken(
    service: Webservice, kit: Kit, changes: dict[str, object]
) -> None:
    response = ask(service, {"data": [kit.sample(**changes)]})

    assert response.status_code == 200, response.text
    reply = json.loads(response.json())
    assert reply["result"][0] in ("yes", "no")
    assert "warnings" not in reply


CELLS = {
    "missing number column": ("age", ..., "missing"),
    "missing text column": ("ward", ..., "missing"),
    "null where none was seen": ("age", None, "must not be null"),
    "empty text where none was seen": ("age", "", "must not be null"),
    "words for a number": ("age", "abc", 'must be a number; got "abc"'),
    "truth for a number": ("age", True, "must be a number; got true"),
    "a list in a cell": ("age", [1], "must be a number; got a list"),
    "an object in a cell": ("ward", {"a": 1}, "must be a text; got an object"),
    "a number in a column of words": ("ward", 5, "must be a text; got 5"),
    "another truth": ("smoking", "maybe", 'must be true or false; got "maybe"'),
    "another number for a truth": ("smoking", 2, "must be true or false; got 2"),
    "no date": ("seen", "yesterdayish", "must be a date"),
    "a number for a date": ("seen", 20250301, "must be a date"),
    "infinity as text": ("age", "inf", "must be a number"),
}


@pytest.mark.parametrize(("column", "value", "said"), CELLS.values(), ids=CELLS)
def test_a_cell_that_cannot_be_used_is_named(
    service: Webservice, kit: Kit, column: str, value: object, said: str
) -> None:
    rows = [kit.sample(), kit.sample(**{column: value})]

    for body in ({"data": rows}, {"Inputs": {"data": rows}, "GlobalParameters": 1.0}, rows):
        told = problem_of(ask(service, body), 422)

        (error,) = told["errors"]
        assert (error["row"], error["column"]) == (1, column)
        assert said in error["message"]
        assert f"row 1, column {column!r}" in told["detail"]


LITERALS = {
    "Infinity": ("Infinity", "must be finite"),
    "-Infinity": ("-Infinity", "must be finite"),
    "NaN where none was seen": ("NaN", "must not be null"),
    "a number of 400 digits": ("9" * 400, "too large"),
    "a number beyond floats": ("1e400", "must be finite"),
}


@pytest.mark.parametrize(("literal", "said"), LITERALS.values(), ids=LITERALS)
def test_numbers_that_json_does_not_have_are_named(
    service: Webservice, kit: Kit, literal: str, said: str
) -> None:
    body = json.dumps({"data": [kit.sample(age=12345)]}).replace("12345", literal)

    (error,) = problem_of(ask(service, body), 422)["errors"]

    assert (error["row"], error["column"]) == (0, "age")
    assert said in error["message"]


def test_nan_is_null_where_null_was_seen(service: Webservice, kit: Kit) -> None:
    """As ``json.dumps(frame.to_dict("records"))`` writes what is missing."""
    body = json.dumps({"data": [kit.sample(platelets=float("nan"))]})

    assert "NaN" in body
    assert ask(service, body).status_code == 200


SHAPES = {
    "empty list": ({"data": []}, "at least one row"),
    "no rows at all": ([], "at least one row"),
    "empty object": ({}, "got an empty object"),
    "data is an object": ({"data": {"age": 1}}, "must be a list of rows; got an object"),
    "data is null": ({"data": None}, "must be a list of rows; got null"),
    "a row is a number": ({"data": [5]}, "row 0: A row must be an object or a list; got 5"),
    "a row is too short": ({"data": [[1, 2]]}, "must have 7 values; got 2"),
    "no rows in Inputs": ({"Inputs": {}}, '"Inputs" must hold "data"'),
    "a text": ("age", "or a list of rows"),
    "a number": (5, "or a list of rows"),
    "another method": ({"data": [[1]], "method": "fit"}, '"method" must be "predict"'),
    "a word that is not known": ({"data": [[1]], "metod": "predict"}, "Did you mean 'method'?"),
}


@pytest.mark.parametrize(("body", "said"), SHAPES.values(), ids=SHAPES)
def test_a_request_of_another_shape_is_explained(
    service: Webservice, body: object, said: str
) -> None:
    told = problem_of(ask(service, json.dumps(body)), 422)

    assert said in told["detail"]


HALF = '{"data": [{"ward": "\\ud800"}]}'
"""Half of a surrogate pair: a text that cannot be written down."""


@pytest.mark.parametrize("body", ["", "age=60", '{"data": [', "[" * 200_000, b"\xff\xfe{}", HALF])
def test_what_is_not_json_is_a_bad_request(service: Webservice, body: str | bytes) -> None:
    assert "not JSON" in problem_of(ask(service, body), 400)["detail"]


def test_too_many_rows_are_refused(service: Webservice, kit: Kit) -> None:
    told = problem_of(ask(service, {"data": [kit.sample()] * (MAX_ROWS + 1)}), 422)

    assert "10,000 rows at most; got 10,001" in told["detail"]


def test_too_many_bytes_are_refused(service: Webservice) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 2**20 + 2):
            yield b" " * 2**20

    told = problem_of(ask(service, b" " * (MAX_BODY_BYTES + 1)), 413)
    assert "32 MiB" in told["detail"]
    # and where their number is not told before
    key = service.get_keys()[0]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    response = httpx.post(
        service.scoring_uri, content=endless(), headers=headers, trust_env=False, timeout=30
    )
    problem_of(response, 413)


def test_another_content_type_is_refused(service: Webservice) -> None:
    problem_of(ask(service, b"{}", headers={"Content-Type": "text/csv"}), 415)


def test_other_addresses_and_methods_are_explained(service: Webservice) -> None:
    headers = {"Authorization": f"Bearer {service.get_keys()[0]}"}
    home = service.scoring_uri.removesuffix("/score")
    with httpx.Client(headers=headers, trust_env=False) as client:
        problem_of(client.post(f"{home}/predict", json={}), 404)
        wrong = client.get(f"{home}/score")
    problem_of(wrong, 405)
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer ключ"])
def test_nobody_is_answered_without_a_key(service: Webservice, given: str) -> None:
    home = service.scoring_uri.removesuffix("/score")
    headers = {"Authorization": given.encode("utf-8"), "Content-Type": "application/json"}
    with httpx.Client(headers=headers, trust_env=False) as client:
        for method, path in (("POST", "score"), ("GET", "swagger.json"), ("GET", "metrics")):
            response = client.request(method, f"{home}/{path}")
            problem_of(response, 401)
            assert response.headers["www-authenticate"] == "Bearer"
        assert client.get(f"{home}/healthz").text == "Healthy"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", ""])
def test_a_foreign_name_is_refused(service: Webservice, kit: Kit, host: str) -> None:
    """A page elsewhere can make a name of its own mean loopback."""
    problem_of(ask(service, {"data": [kit.sample()]}, headers={"Host": host}), 400)


def test_a_foreign_page_is_refused(service: Webservice, kit: Kit) -> None:
    response = ask(service, {"data": [kit.sample()]}, headers={"Origin": "https://evil.example"})

    problem_of(response, 403)


WARNED = {
    "a word that was not seen": ({"ward": "west"}, "row 0, column 'ward': \"west\" was not seen"),
    "null in a column of words": ({"ward": None}, "row 0, column 'ward': null was not seen"),
    "a column that is not known": ({"extra": 1}, "column 'extra' was not in the training data"),
}


@pytest.mark.parametrize(("changes", "said"), WARNED.values(), ids=WARNED)
def test_what_the_model_can_only_guess_at_is_answered_with_a_warning(
    service: Webservice, kit: Kit, changes: dict[str, object], said: str
) -> None:
    response = ask(service, {"data": [kit.sample(**changes)]})

    assert response.status_code == 200, response.text
    (warning,) = json.loads(response.json())["warnings"]
    assert said in warning


def test_all_wrong_cells_are_named_up_to_a_number(service: Webservice, kit: Kit) -> None:
    told = problem_of(ask(service, {"data": [kit.sample(age="x", ward=1)] * 30}), 422)

    assert len(told["errors"]) == 20
    assert {e["row"] for e in told["errors"]} == set(range(10))
    assert "And 59 more" in told["detail"]


def test_the_three_forms_are_answered_as_the_sdk_did(
    service: Webservice, kit: Kit, model: Model
) -> None:
    rows = json.loads(kit.rows.head(20).to_json(orient="records", date_format="iso"))
    loaded = model.load()
    expected = loaded.predict(kit.rows.head(20)).tolist()
    proba = loaded.predict_proba(kit.rows.head(20))

    data = ask(service, {"data": rows}).json()
    lists = ask(service, {"data": [list(row.values()) for row in rows]}).json()
    nested = ask(service, {"Inputs": {"data": rows}, "GlobalParameters": {"method": "predict"}})
    plain = ask(service, rows, params={"probabilities": "true"}).json()
    asked = ask(service, {"data": rows, "method": "predict_proba"}).json()

    assert isinstance(data, str)
    assert json.loads(data) == json.loads(lists) == {"result": expected}
    assert nested.json() == {"Results": expected}
    assert (plain["predictions"], plain["classes"]) == (expected, ["no", "yes"])
    assert plain["model"] == model.id
    np.testing.assert_allclose(plain["probabilities"], proba, rtol=1e-9)
    np.testing.assert_allclose(json.loads(asked)["result"], proba, rtol=1e-9)


def test_one_row_alone_is_a_request(service: Webservice, kit: Kit) -> None:
    assert ask(service, kit.sample()).json()["predictions"][0] in ("yes", "no")


def test_a_model_of_numbers_has_no_probabilities(regression: Webservice, kit: Kit) -> None:
    assert ask(regression, [kit.sample()]).json()["predictions"] == [2.5]
    told = problem_of(ask(regression, {"data": [kit.sample()], "method": "predict_proba"}), 422)
    assert "no probabilities" in told["detail"]


def test_the_document_describes_requests_with_a_sample(service: Webservice) -> None:
    headers = {"Authorization": f"Bearer {service.get_keys()[1]}"}
    document = httpx.get(service.swagger_uri, headers=headers, trust_env=False).json()

    row = document["components"]["schemas"]["Row"]
    assert row["required"] == ["age", "anaemia", "platelets", "smoking", "ward", "seen"]
    assert "Köln" in row["properties"]["ward"]["description"]
    content = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        assert ask(service, example["value"]).status_code == 200
    responses = set(document["paths"]["/score"]["post"]["responses"])
    assert {"200", "400", "401", "403", "413", "415", "422", "500", "503", "504"} == responses


def test_every_request_is_counted(service: Webservice, kit: Kit) -> None:
    headers = {"Authorization": f"Bearer {service.get_keys()[0]}"}
    home = service.scoring_uri.removesuffix("/score")
    ask(service, [kit.sample()])

    text = httpx.get(f"{home}/metrics", headers=headers, trust_env=False).text

    assert 'nbautoml_requests_total{status="200"}' in text
