"""Routes of the REST service, each with and without the right to call it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from nbautoml.api import app as api_app
from nbautoml.api.app import make_app
from nbautoml.api.guard import Guard
from nbautoml.data.datastore import Datastore
from nbautoml.domain.records import DatasetRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NbAutoMLError, StoreUnavailableError
from nbautoml.pipelines.addresses import ENDPOINT_PATH, PIPELINE_PATH, RUN_PATH
from nbautoml.pipelines.endpoint import PipelineEndpoint
from nbautoml.pipelines.published import PublishedPipeline
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, open_memory_session
from nbautoml.workspace.api_tokens import create_token, revoke_token
from tests.unit.pipelines.published_cases import Submitted, publish, stand_in

ADDRESS = "http://127.0.0.1:8127"
PROBLEM = "application/problem+json"


class Client:
    """Calls an application without a network."""

    def __init__(self, app: ASGIApp, base_url: str = ADDRESS) -> None:
        self._app = app
        self._base_url = base_url

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self._base_url) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


@dataclass
class Kit:
    """A workspace with a published pipeline and an endpoint, and a client of its service."""

    workspace: WorkspaceHandle
    session: Session
    client: Client
    pipeline: PublishedPipeline
    endpoint: PipelineEndpoint
    submitted: Submitted

    def token(self, *scopes: str, **options: Any) -> dict[str, str]:
        """Return the header of a new token."""
        given = scopes or ("read", "runs:submit")
        token, _ = create_token(self.session, "test", scopes=given, **options)
        return {"Authorization": f"Bearer {token}"}

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Submit with a token that may."""
        content = {"ExperimentName": "exp"} if body is None else body
        sent = {**self.token(), **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.client.post(path, json=content, headers=sent)

    @property
    def pipeline_path(self) -> str:
        return f"{PIPELINE_PATH}/{self.pipeline.id}"

    @property
    def endpoint_path(self) -> str:
        return f"{ENDPOINT_PATH}/Id/{self.endpoint.id}"

    @property
    def name_path(self) -> str:
        return f"{ENDPOINT_PATH}/Name"


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    with open_memory_session(root=str(tmp_path)) as session:
        workspace = WorkspaceHandle(session)
        pipeline = publish(workspace, "train")
        Datastore(workspace)
        yield Kit(
            workspace=workspace,
            session=session,
            client=Client(make_app(session)),
            pipeline=pipeline,
            endpoint=PipelineEndpoint.publish(workspace, "best model", None, pipeline),
            submitted=stand_in(monkeypatch),
        )


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return the body of an answer that is a problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert "Traceback" not in answer.text
    return body


class TestSubmitting:
    """Runs that callers start."""

    def test_a_pipeline_is_submitted_as_azure_writes_it(self, kit: Kit) -> None:
        body = {
            "ExperimentName": "exp",
            "RunSource": "SDK",
            "ParameterAssignments": {"rate": 0.5},
            "DataPathAssignments": {
                "source": {"DataStoreName": "workspaceblobstore", "RelativePath": "in/b.csv"}
            },
            "DataSetDefinitionValueAssignments": {},
        }

        answer = kit.post(kit.pipeline_path, body)

        assert answer.status_code == 200
        [call] = kit.submitted.calls
        assert call["experiment"] == "exp"
        path = {"datastore": "workspaceblobstore", "path": "in/b.csv"}
        assert call["parameters"] == {"rate": 0.5, "source": path}
        assert call["properties"] == {
            "azureml.pipelineid": kit.pipeline.id,
            "azureml.runType": "HTTP",
        }
        with kit.session.read() as tx:
            assert tx.runs.exists(answer.json()["Id"])

    def test_an_endpoint_runs_its_default_or_a_version(self, kit: Kit) -> None:
        second = publish(kit.workspace, "second")
        kit.endpoint.add(second)
        paths = (
            kit.endpoint_path,
            f"{kit.endpoint_path}/1",
            f"{kit.name_path}?name=best%20model",
            f"{kit.name_path}?name=best+model&pipelineVersion=1",
        )

        statuses = [kit.post(path).status_code for path in paths]

        assert statuses == [200, 200, 200, 200]
        properties = [call["properties"] for call in kit.submitted.calls]
        first = kit.pipeline.id
        ids = [one["azureml.pipelineid"] for one in properties]
        assert ids == [first, second.id, first, second.id]
        assert {one["azureml.pipelineendpointid"] for one in properties} == {kit.endpoint.id}

    def test_its_run_can_be_seen(self, kit: Kit) -> None:
        run_id = kit.post(kit.pipeline_path).json()["Id"]
        with kit.session.write() as tx:
            tx.runs.set_status(run_id, RunStatus.FAILED, reason="no rows", time=9.0)

        answer = kit.client.get(f"{RUN_PATH}/{run_id}", headers=kit.token())

        found = answer.json()
        assert (found["Id"], found["Status"], found["Error"]) == (run_id, "Failed", "no rows")
        assert (found["ExperimentName"], found["PipelineId"]) == ("exp", kit.pipeline.id)
        assert found["EndTimeUtc"] == "1970-01-01T00:00:09+00:00"
        assert found["StartTimeUtc"] is None

    @pytest.mark.parametrize(
        "path", ["{pipeline}x", "{endpoint}x", "{endpoint}/7", "{name}?name=x", "{name}?name=%00"]
    )
    def test_what_is_not_there_is_told(self, kit: Kit, path: str) -> None:
        place = path.format(
            pipeline=kit.pipeline_path, endpoint=kit.endpoint_path, name=kit.name_path
        )

        problem(kit.post(place), 404)

    def test_a_run_that_is_not_there_is_told(self, kit: Kit) -> None:
        problem(kit.client.get(f"{RUN_PATH}/x", headers=kit.token()), 404)

    def test_an_endpoint_needs_its_name(self, kit: Kit) -> None:
        body = problem(kit.post(kit.name_path), 422)

        assert body["errors"][0]["field"] == "name"

    def test_what_is_disabled_is_a_conflict(self, kit: Kit) -> None:
        kit.endpoint.disable()
        assert (
            "endpoint 'best model' is disabled"
            in problem(kit.post(kit.endpoint_path), 409)["detail"]
        )
        kit.pipeline.disable()
        assert "'train' is disabled" in problem(kit.post(kit.pipeline_path), 409)["detail"]
        assert kit.submitted.calls == []


class TestBodies:
    """What is asked for, field by field."""

    def test_unknown_parameters_are_all_named(self, kit: Kit) -> None:
        body = {
            "ExperimentName": "exp",
            "ParameterAssignments": {"rat": 1},
            "DataPathAssignments": {
                "sorce": {"DataStoreName": "workspaceblobstore", "RelativePath": "a"}
            },
        }

        found = problem(kit.post(kit.pipeline_path, body), 422)

        assert [one["field"] for one in found["errors"]] == [
            "ParameterAssignments.rat",
            "DataPathAssignments.sorce",
        ]
        assert "Did you mean 'rate'?" in found["errors"][0]["message"]
        assert "Parameters: rate, source." in found["errors"][1]["message"]
        assert kit.submitted.calls == []

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ([], ""),
            ({}, "ExperimentName"),
            ({"ExperimentName": 3}, "ExperimentName"),
            ({"ExperimentName": "a/b"}, "ExperimentName"),
            ({"ExperimentName": "e", "RunSource": 3}, "RunSource"),
            ({"ExperimentName": "e", "ExperimentNam": "e"}, "ExperimentNam"),
            ({"ExperimentName": "e", "ParameterAssignments": []}, "ParameterAssignments"),
            ({"ExperimentName": "e", "ParameterAssignments": {"rate": {}}}, "*.rate"),
            ({"ExperimentName": "e", "ParameterAssignments": {"rate": [1]}}, "*.rate"),
            ({"ExperimentName": "e", "ParameterAssignments": {"rate": "a\x00"}}, "*.rate"),
            ({"ExperimentName": "e", "ParameterAssignments": {"rate": 10**301}}, "*.rate"),
            ({"ExperimentName": "e", "ParameterAssignments": {"rate": "a" * 65_537}}, "*.rate"),
            ({"ExperimentName": "e", "DataPathAssignments": {"source": "in"}}, "*.source"),
            (
                {
                    "ExperimentName": "e",
                    "DataSetDefinitionValueAssignments": {"data": {"Id": "x"}},
                },
                "*.data",
            ),
        ],
    )
    def test_what_does_not_fit_is_named(self, kit: Kit, body: Any, field: str) -> None:
        found = problem(kit.post(kit.pipeline_path, body), 422)

        [error] = found["errors"]
        assert error["field"].endswith(field.removeprefix("*"))
        assert kit.submitted.calls == []

    @pytest.mark.parametrize(
        "path",
        ["../../etc/passwd", "/etc/passwd", "//proc/self/root", "in/../../x", "..\\x", "a#b"]
        + ["file:///etc/passwd", "s3://bucket/x", "C:/x", "a?b", "a\x00b", ".nbautoml/x", "."],
    )
    def test_a_path_stays_in_its_datastore(self, kit: Kit, path: str) -> None:
        value = {"DataStoreName": "workspaceblobstore", "RelativePath": path}
        body = {"ExperimentName": "e", "DataPathAssignments": {"source": value}}

        problem(kit.post(kit.pipeline_path, body), 422)
        assert kit.submitted.calls == []

    def test_a_dataset_is_given_by_its_id(self, kit: Kit) -> None:
        with kit.session.write() as tx:
            tx.datasets.save_unregistered(
                DatasetRecord(
                    id="d1", name="", version=0, fingerprint="f", definition={}, created_at=1.0
                )
            )
        made = publish(kit.workspace, parameters={"data": {"dataset": "d0"}})
        value = {"SavedDataSetReference": {"Id": "d1"}}
        body = {"ExperimentName": "e", "DataSetDefinitionValueAssignments": {"data": value}}

        kit.post(f"{PIPELINE_PATH}/{made.id}", body)

        assert kit.submitted.calls[0]["parameters"] == {"data": {"dataset": "d1"}}

    def test_a_parameter_that_stands_for_something_else_is_refused(self, kit: Kit) -> None:
        body = {"ExperimentName": "e", "ParameterAssignments": {"source": "in/a.csv"}}

        found = problem(kit.post(kit.pipeline_path, body), 422)
        assert "stands for a DataPath" in found["detail"]

    def test_places_that_are_not_there_are_all_named(self, kit: Kit) -> None:
        body = {
            "ExperimentName": "e",
            "DataPathAssignments": {
                "source": {"DataStoreName": "workspaceblobstor", "RelativePath": "a"}
            },
            "DataSetDefinitionValueAssignments": {"rate": {"SavedDataSetReference": {"Id": "x"}}},
        }

        found = problem(kit.post(kit.pipeline_path, body), 422)

        first, second = found["errors"]
        assert first["field"] == "DataPathAssignments.source"
        assert "Did you mean 'workspaceblobstore'?" in first["message"]
        assert second["field"] == "DataSetDefinitionValueAssignments.rate"
        assert kit.submitted.calls == []

    def test_a_parameter_is_given_once(self, kit: Kit) -> None:
        value = {"SavedDataSetReference": {"Id": "d1"}}
        body = {
            "ExperimentName": "e",
            "ParameterAssignments": {"source": "x"},
            "DataSetDefinitionValueAssignments": {"source": value},
        }

        found = problem(kit.post(kit.pipeline_path, body), 422)
        assert "is given in ParameterAssignments.source, too" in found["detail"]

    @pytest.mark.parametrize("text", ["", "{", '{"a": NaN}', "[" * 100_000, "\xff"])
    def test_a_body_that_is_no_json_is_refused(self, kit: Kit, text: str) -> None:
        headers = {**kit.token(), "Content-Type": "application/json"}
        content = text.encode("latin-1")

        problem(kit.client.post(kit.pipeline_path, content=content, headers=headers), 400)

    def test_a_number_beyond_all_numbers_is_refused(self, kit: Kit) -> None:
        headers = {**kit.token(), "Content-Type": "application/json"}
        content = '{"ExperimentName": "e", "ParameterAssignments": {"rate": 1e999}}'

        problem(kit.client.post(kit.pipeline_path, content=content, headers=headers), 422)

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_a_body_is_called_json(self, kit: Kit, kind: str) -> None:
        headers = {**kit.token(), "Content-Type": kind}

        answer = kit.client.post(kit.pipeline_path, content=b"{}", headers=headers)
        problem(answer, 415)

    def test_a_large_body_is_refused(self, kit: Kit) -> None:
        body = {"ExperimentName": "e", "RunSource": "x" * 2**20}

        problem(kit.post(kit.pipeline_path, body), 413)


def every_call(kit: Kit) -> list[tuple[str, str]]:
    """Return method and path of all routes but the open one."""
    return [
        ("POST", kit.pipeline_path),
        ("POST", kit.endpoint_path),
        ("POST", f"{kit.endpoint_path}/0"),
        ("POST", f"{kit.name_path}?name=best%20model"),
        ("GET", f"{RUN_PATH}/x"),
        ("GET", "/openapi.json"),
        ("GET", "/nothing/here"),
        ("DELETE", kit.pipeline_path),
    ]


class TestRights:
    """Who is let in."""

    def test_the_list_of_calls_is_whole(self, kit: Kit) -> None:
        document = kit.client.get("/openapi.json", headers=kit.token()).json()
        n_documented = sum(len(one) for one in document["paths"].values())

        assert n_documented == len(every_call(kit)) - 2 + 1  # two are no routes, one is open

    @pytest.mark.parametrize(
        "authorization",
        ["", "Bearer ", "Bearer nba_000000000000_" + "a" * 43, "Basic dTpw", "Bearer é", "nba_x"],
    )
    def test_no_route_answers_without_a_token(self, kit: Kit, authorization: str) -> None:
        headers = {"Authorization": authorization.encode("latin-1")}
        for method, path in every_call(kit):
            answer = kit.client.request(method, path, headers=headers if authorization else {})
            problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        assert kit.submitted.calls == []

    def test_an_open_path_tells_that_the_service_lives(self, kit: Kit) -> None:
        answer = kit.client.get("/healthz")

        assert (answer.status_code, answer.text) == (200, "Healthy")

    def test_an_expired_or_revoked_token_is_none(self, kit: Kit) -> None:
        late = kit.token("admin", seconds=10.0, now=1.0)
        problem(kit.client.get("/openapi.json", headers=late), 401)

        token, record = create_token(kit.session, "t", scopes=["admin"])
        headers = {"Authorization": f"Bearer {token}"}
        assert kit.client.get("/openapi.json", headers=headers).status_code == 200
        revoke_token(kit.session, record.id)
        problem(kit.client.get("/openapi.json", headers=headers), 401)

    @pytest.mark.parametrize(
        ("scope", "may_see", "may_submit"),
        [
            ("read", True, False),
            ("runs:submit", False, True),
            ("admin", True, True),
            ("pipelines:{pipeline}", True, True),
            ("pipelines:{endpoint}", False, False),
            ("pipelines:other", False, False),
        ],
    )
    def test_a_token_allows_what_its_scopes_say(
        self, kit: Kit, scope: str, may_see: bool, may_submit: bool
    ) -> None:
        run_id = kit.post(kit.pipeline_path).json()["Id"]
        headers = kit.token(scope.format(pipeline=kit.pipeline.id, endpoint=kit.endpoint.id))

        seen = kit.client.get(f"{RUN_PATH}/{run_id}", headers=headers)
        made = kit.client.post(kit.pipeline_path, json={"ExperimentName": "e"}, headers=headers)

        assert seen.status_code == (200 if may_see else 403)
        assert made.status_code == (200 if may_submit else 403)

    def test_a_token_of_an_endpoint_is_for_its_runs(self, kit: Kit) -> None:
        headers = kit.token(f"pipelines:{kit.endpoint.id}")
        asked = {"json": {"ExperimentName": "e"}, "headers": headers}

        made = kit.client.post(f"{kit.name_path}?name=best%20model", **asked)

        assert made.status_code == 200
        run = kit.client.get(f"{RUN_PATH}/{made.json()['Id']}", headers=headers)
        assert run.status_code == 200

    def test_who_may_do_nothing_is_not_told_what_there_is(self, kit: Kit) -> None:
        headers = kit.token("pipelines:other")
        for path in (f"{PIPELINE_PATH}/missing", kit.pipeline_path):
            answer = kit.client.post(path, json={"ExperimentName": "e"}, headers=headers)
            problem(answer, 403)
        problem(kit.client.get(f"{RUN_PATH}/missing", headers=headers), 403)

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8127", "", "["])
    def test_a_foreign_name_of_the_service_is_refused(self, kit: Kit, host: str) -> None:
        headers = {**kit.token(), "Host": host}

        problem(kit.client.get("/openapi.json", headers=headers), 400)
        problem(kit.client.get("/healthz", headers=headers), 400)

    @pytest.mark.parametrize("host", ["localhost:8127", "127.0.0.1", "[::1]:8127", "LOCALHOST"])
    def test_names_of_this_machine_are_good(self, kit: Kit, host: str) -> None:
        assert kit.client.get("/healthz", headers={"Host": host}).status_code == 200

    def test_elsewhere_any_name_of_the_service_is_good(self, kit: Kit) -> None:
        app = make_app(kit.session, is_local=False)
        client = Client(app, "http://pipelines.example")

        assert client.get("/healthz").status_code == 200
        assert client.get("/openapi.json").status_code == 401

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ("https://evil.example", 403),
            ("null", 403),
            ("http://localhost:9999", 403),
            ("http://[", 403),
            (ADDRESS, 200),
        ],
    )
    def test_pages_of_others_are_refused(self, kit: Kit, origin: str, status: int) -> None:
        headers = {**kit.token(), "Origin": origin}

        answer = kit.client.get("/openapi.json", headers=headers)

        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers

    def test_a_store_that_is_away_is_told(self, kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
        headers = kit.token()

        def fail() -> None:
            raise StoreUnavailableError("the server is away")

        monkeypatch.setattr(kit.session, "read", fail)
        answer = kit.client.get("/openapi.json", headers=headers)

        problem(answer, 503)
        assert answer.headers["retry-after"] == "5"


class TestForms:
    """Answers that have nothing to do with pipelines."""

    def test_another_method_is_told_which_are_known(self, kit: Kit) -> None:
        answer = kit.client.request("DELETE", kit.pipeline_path, headers=kit.token())

        problem(answer, 405)
        assert answer.headers["allow"] == "POST"

    def test_another_path_is_not_there(self, kit: Kit) -> None:
        for path in ("/nothing", "/openapi.json/", "/"):
            problem(kit.client.get(path, headers=kit.token()), 404)

    def test_what_breaks_is_told_by_an_id_of_the_log(
        self, kit: Kit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_args: object) -> None:
            raise KeyError("secret")

        monkeypatch.setattr(api_app, "openapi_document", fail)
        with caplog.at_level(logging.ERROR):
            answer = kit.client.get("/openapi.json", headers=kit.token())

        found = problem(answer, 500)
        assert "secret" not in answer.text
        assert found["detail"].split()[-1].rstrip(".") in caplog.text

    def test_an_error_that_has_no_status_is_told_by_an_id(
        self, kit: Kit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_args: object) -> None:
            raise NbAutoMLError("about the inside")

        monkeypatch.setattr(api_app, "openapi_document", fail)
        answer = kit.client.get("/openapi.json", headers=kit.token())

        problem(answer, 500)
        assert "about the inside" not in answer.text

    def test_what_is_no_request_is_handed_on(self, kit: Kit) -> None:
        seen: list[str] = []

        async def inner(scope: Any, _receive: Any, _send: Any) -> None:
            seen.append(scope["type"])

        guard = Guard(inner, kit.session, is_local=True)
        asyncio.run(guard({"type": "lifespan"}, None, None))  # type: ignore[arg-type]

        assert seen == ["lifespan"]

    def test_a_dataset_is_described(self, kit: Kit) -> None:
        publish(kit.workspace, "other", parameters={"data": {"dataset": "d0"}})
        document = kit.client.get("/openapi.json", headers=kit.token()).json()

        fields = document["components"]["schemas"]["Submission"]["properties"]
        datasets = fields["DataSetDefinitionValueAssignments"]["properties"]
        assert datasets["data"]["required"] == ["SavedDataSetReference"]

    def test_the_document_lists_what_is_published(self, kit: Kit) -> None:
        document = kit.client.get("/openapi.json", headers=kit.token()).json()

        [path] = [one for one in document["paths"] if one.startswith(PIPELINE_PATH)]
        [named, *_] = document["paths"][path]["post"]["parameters"]
        assert named["schema"]["enum"] == [kit.pipeline.id]
        fields = document["components"]["schemas"]["Submission"]["properties"]
        assert list(fields["ParameterAssignments"]["properties"]) == ["rate"]
        assert list(fields["DataPathAssignments"]["properties"]) == ["source"]
        json.dumps(document)


class TestRepeating:
    """Requests that are sent twice."""

    def test_a_repeated_request_finds_the_first_run(self, kit: Kit) -> None:
        headers = {**kit.token(), "Idempotency-Key": "k1"}
        answers = [
            kit.client.post(kit.pipeline_path, json={"ExperimentName": "e"}, headers=headers)
            for _ in range(3)
        ]

        assert len({answer.json()["Id"] for answer in answers}) == 1
        assert len(kit.submitted.calls) == 1

    def test_keys_of_different_tokens_have_nothing_to_do_with_each_other(self, kit: Kit) -> None:
        ids = {kit.post(kit.pipeline_path, Idempotency_Key="k").json()["Id"] for _ in range(2)}

        assert len(ids) == 2

    def test_a_key_is_for_one_request(self, kit: Kit) -> None:
        headers = {**kit.token(), "Idempotency-Key": "k1"}
        first, other = {"ExperimentName": "e"}, {"ExperimentName": "f"}
        kit.client.post(kit.pipeline_path, json=first, headers=headers)

        problem(kit.client.post(kit.pipeline_path, json=other, headers=headers), 409)
        problem(kit.client.post(kit.endpoint_path, json=first, headers=headers), 409)
        assert len(kit.submitted.calls) == 1

    def test_a_request_that_was_refused_may_come_again(self, kit: Kit) -> None:
        headers = {**kit.token(), "Idempotency-Key": "k1"}
        wrong = {"ExperimentName": "e", "ParameterAssignments": {"rat": 1}}
        right = {"ExperimentName": "e", "ParameterAssignments": {"rate": 1}}

        problem(kit.client.post(kit.pipeline_path, json=wrong, headers=headers), 422)
        answer = kit.client.post(kit.pipeline_path, json=right, headers=headers)

        assert answer.status_code == 200

    @pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
    def test_a_key_that_cannot_be_one_is_refused(self, kit: Kit, key: str) -> None:
        headers = {**kit.token(), "Idempotency-Key": key.encode("latin-1")}

        answer = kit.client.post(kit.pipeline_path, json={"ExperimentName": "e"}, headers=headers)
        problem(answer, 400)
