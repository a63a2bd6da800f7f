import json
import re
import subprocess
import sys
from urllib.parse import quote

import pytest
from tornado.httpclient import HTTPClientError

from nbautoml.domain.ids import child_run_id
from nbautoml.labserver.extension import ROUTES
from nbautoml.services.workspaces import remember_workspace
from nbautoml.store.session import open_session

RUN = "AutoML_x"


@pytest.fixture
def workspace(tmp_path, make_workspace):
    address = make_workspace(tmp_path / "project")
    remember_workspace(address)
    return address


def our_rules(app):
    """Return (pattern, handler class) of each of our routes."""
    rules = [rule for group in app.web_app.default_router.rules for rule in group.target.rules]
    return [
        (rule.matcher.regex.pattern, rule.target)
        for rule in rules
        if "/nbautoml/v1" in getattr(rule.matcher, "regex", re.compile("")).pattern
    ]


def part_of_path(found):
    """Return something that fits a named part of a pattern."""
    return {"number": "1", "version": "1", "turn": "start"}.get(found[1], "roc")


async def error_of(request):
    with pytest.raises(HTTPClientError) as caught:
        await request
    response = caught.value.response
    return response.code, json.loads(response.body)["error"]


async def test_every_handler_refuses_who_has_no_token(jp_serverapp, jp_fetch):
    rules = our_rules(jp_serverapp)
    assert len(rules) == len(ROUTES)
    methods = set()
    for pattern, handler in rules:
        path = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", part_of_path, pattern)
        path = path.rstrip("$").replace("\\.", ".")
        path = path.removeprefix(jp_serverapp.base_url.rstrip("/"))
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if getattr(handler, method.lower()) is getattr(
                handler.__mro__[-2], method.lower(), None
            ):
                continue
            body = None if method in {"GET", "DELETE"} else "{}"
            with pytest.raises(HTTPClientError) as caught:
                await jp_fetch(
                    *path.strip("/").split("/"),
                    method=method,
                    body=body,
                    headers={"Authorization": "token wrong"},
                    follow_redirects=False,
                )
            assert caught.value.code in {302, 403, 405}, f"{method} {path}"
            answer = caught.value.response.body
            assert not answer.startswith(b'{"error"'), (
                f"{method} {path} reached the handler: {answer!r}"
            )
            if caught.value.code != 405:
                methods.add(f"{method} {path}")
    assert len(methods) >= len(ROUTES)
    assert {method.split()[0] for method in methods} == {"GET", "POST", "PATCH", "DELETE"}


async def test_workspaces_lists_what_was_opened(jp_fetch, workspace):
    response = await jp_fetch("nbautoml", "v1", "workspaces")
    assert json.loads(response.body) == {"workspaces": [{"name": "ws", "root": workspace.root}]}


async def test_run_is_the_whole_view(jp_fetch, workspace):
    response = await jp_fetch("nbautoml", "v1", "runs", RUN, params={"workspace": workspace.root})
    full = json.loads(response.body)
    assert (full["run_id"], full["seq"], full["workspace"]) == (RUN, 3, workspace.root)
    assert [t["n"] for t in full["trials"]] == [0]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_trial_has_its_details(jp_fetch, workspace):
    response = await jp_fetch(
        "nbautoml", "v1", "runs", RUN, "trials", "0", params={"workspace": workspace.root}
    )
    assert json.loads(response.body)["params"] == {"depth": 3}


async def test_request_reaches_the_store(jp_fetch, workspace):
    await jp_fetch(
        *("nbautoml", "v1", "runs", RUN, "requests"),
        params={"workspace": workspace.root},
        method="POST",
        body='{"kind": "add_minutes", "minutes": 5}',
    )
    with open_session(workspace) as session, session.read() as tx:
        (request,) = tx.requests.read(RUN)
    assert (request.kind.value, request.payload) == ("add_minutes", {"minutes": 5.0})


@pytest.mark.parametrize("body", ["", "no json", "[]", '"cancel"', "{}", '{"kind": "explode"}'])
async def test_wrong_body_is_a_bad_request(jp_fetch, workspace, body):
    code, error = await error_of(
        jp_fetch(
            *("nbautoml", "v1", "runs", RUN, "requests"),
            params={"workspace": workspace.root},
            method="POST",
            body=body,
        )
    )
    assert (code, error["code"]) == (400, "bad_request")


async def test_unknown_run_and_trial_are_not_found(jp_fetch, workspace):
    where = {"workspace": workspace.root}
    code, error = await error_of(jp_fetch("nbautoml", "v1", "runs", "nope", params=where))
    assert (code, error["code"]) == (404, "not_found")
    path = ("nbautoml", "v1", "runs", RUN, "trials", "9")
    assert (await error_of(jp_fetch(*path, params=where)))[0] == 404


@pytest.mark.parametrize("root", ["", "/", "/etc", "..", "relative"])
async def test_folders_that_nobody_opened_are_refused(jp_fetch, workspace, root):
    code, error = await error_of(
        jp_fetch("nbautoml", "v1", "runs", RUN, params={"workspace": root})
    )
    assert (code, error["code"]) == (403, "not_allowed")


async def test_workspace_below_the_servers_folder_needs_no_list(
    jp_fetch, jp_root_dir, make_workspace
):
    address = make_workspace(jp_root_dir / "project")
    response = await jp_fetch("nbautoml", "v1", "runs", RUN, params={"workspace": address.root})
    assert response.code == 200


@pytest.mark.parametrize("run_id", ["../../etc/passwd", "a b", "x" * 300, "a%00b"])
async def test_strange_run_ids_have_no_route(jp_fetch, workspace, run_id):
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("nbautoml", "v1", "runs", quote(run_id, safe=""))
    assert caught.value.code in {400, 404}


def test_server_process_stays_light():
    code = (
        "import sys, nbautoml.labserver; "
        "heavy = ('sklearn', 'pandas', 'dask', 'distributed', 'lightgbm', 'xgboost', 'plotly'); "
        "print(*(m for m in heavy if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


async def test_charts_of_a_model_and_one_of_them_to_keep(jp_fetch, workspace):
    matrix = {"data": {"class_labels": ["no", "yes"], "matrix": [[3, 1], [0, 4]]}}
    with open_session(workspace) as session:
        session.save_artifacts(
            child_run_id(RUN, 0), {"confusion_matrix": json.dumps(matrix).encode()}
        )
    params = {"workspace": workspace.root}
    path = ("nbautoml", "v1", "runs", RUN, "trials", "0", "charts")
    charts = json.loads((await jp_fetch(*path, params=params)).body)
    assert charts["figures"][0]["name"] == "confusion_matrix"
    page = await jp_fetch(*path, "confusion_matrix", params=params)
    assert page.headers["Content-Disposition"] == (
        f'attachment; filename="{RUN}_0_confusion_matrix.html"'
    )
    assert page.body.startswith(b"<!doctype html>")
    status, error = await error_of(jp_fetch(*path, "roc", params=params))
    assert (status, error["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "key"), [(("log",), "lines"), (("code",), "again"), (("columns",), "columns")]
)
async def test_answers_about_a_run(jp_fetch, workspace, path, key):
    response = await jp_fetch(
        "nbautoml", "v1", "runs", RUN, *path, params={"workspace": workspace.root}
    )
    assert key in json.loads(response.body)


async def test_the_log_refuses_what_is_no_number(jp_fetch, workspace):
    params = {"workspace": workspace.root, "after": "-1"}
    status, error = await error_of(jp_fetch("nbautoml", "v1", "runs", RUN, "log", params=params))
    assert (status, error["code"]) == (400, "bad_request")


async def test_files_are_sent_to_be_saved(jp_fetch, workspace):
    content = bytes(range(256)) * 10_000  # more than one part
    with open_session(workspace) as session:
        session.save_artifacts(child_run_id(RUN, 0), {"outputs/big.bin": content})
    params = {"workspace": workspace.root}
    files = ("nbautoml", "v1", "runs", RUN, "trials", "0", "files")
    response = await jp_fetch(*files, "outputs", "big.bin", params=params)
    assert response.body == content
    assert response.headers["Content-Disposition"] == f'attachment; filename="{RUN}_0_big.bin"'
    status, _ = await error_of(jp_fetch(*files, "outputs", "none.bin", params=params))
    assert status == 404
    table = await jp_fetch("nbautoml", "v1", "runs", RUN, "leaderboard.csv", params=params)
    assert table.headers["Content-Type"].startswith("text/csv")
    assert table.body.startswith(b"iteration,pipeline")


@pytest.mark.parametrize("body", [{}, {"name": " "}, {"name": 3}, {"name": "a", "tags": [1]}])
async def test_a_model_is_not_registered_under_nothing(jp_fetch, workspace, body):
    path = ("nbautoml", "v1", "runs", RUN, "trials", "0", "register")
    status, error = await error_of(
        jp_fetch(*path, params={"workspace": workspace.root}, method="POST", body=json.dumps(body))
    )
    assert (status, error["code"]) == (400, "bad_request")


async def test_a_trial_without_a_model_is_not_registered(jp_fetch, workspace):
    path = ("nbautoml", "v1", "runs", RUN, "trials", "0", "register")
    body = json.dumps({"name": "heart"})
    status, _ = await error_of(
        jp_fetch(*path, params={"workspace": workspace.root}, method="POST", body=body)
    )
    assert status == 404


async def test_catalog_lists_a_workspace(jp_fetch, workspace):
    response = await jp_fetch("nbautoml", "v1", "catalog", params={"workspace": workspace.root})
    found = json.loads(response.body)
    assert [run["id"] for run in found["runs"]] == [RUN]
    assert found["workspace"]["name"] == "ws"
    params = {"workspace": workspace.root, "runs": "many"}
    status, error = await error_of(jp_fetch("nbautoml", "v1", "catalog", params=params))
    assert (status, error["code"]) == (400, "bad_request")


async def test_deployments_are_listed_and_mistakes_told(jp_fetch, workspace):
    params = {"workspace": workspace.root}
    path = ("nbautoml", "v1", "deployments")
    assert json.loads((await jp_fetch(*path, params=params)).body) == {"deployments": []}
    for tail, method in (((), "GET"), (("log",), "GET"), ((), "DELETE"), (("keys",), "GET")):
        request = jp_fetch(*path, "heart", *tail, params=params, method=method)
        assert (await error_of(request))[0] == 404
    wrong = jp_fetch(*path, params=params, method="POST", body="{}")
    code, error = await error_of(wrong)
    assert (code, error["code"]) == (400, "bad_request")
    assert "name of the deployment" in error["message"]
    unknown = {"name": "heart", "run_id": "nope", "number": 0}
    request = jp_fetch(*path, params=params, method="POST", body=json.dumps(unknown))
    assert (await error_of(request))[0] == 404
