import json

import pytest
from tornado.httpclient import HTTPClientError

CSV = "age;sex;died\n" + "".join(f"{i};{'fm'[i % 2]};{'yn'[i % 3 == 0]}\n" for i in range(40))
SETTINGS = {"label_column_name": "died", "task": "classification", "iterations": "3"}


def draft(source="file:heart.csv", **settings):
    form = {"settings": SETTINGS | settings, "columns": {}, "experiment": ""}
    return json.dumps({"source": source, "folder": "", "form": form})


async def error_of(request):
    with pytest.raises(HTTPClientError) as caught:
        await request
    return caught.value.code, json.loads(caught.value.response.body)["error"]


async def test_the_form_is_served_from_options_to_code(jp_fetch, jp_root_dir, make_workspace):
    address = make_workspace(jp_root_dir)
    (jp_root_dir / "heart.csv").write_text(CSV)
    route = ("nbautoml", "v1", "wizard")
    params = {"workspace": address.root, "folder": ""}
    options = json.loads((await jp_fetch(*route, "options", params=params)).body)
    assert options["workspace"]["root"] == address.root
    source = f"file:{options['files'][0]['path']}"

    table = json.loads((await jp_fetch(*route, "data", params=params | {"source": source})).body)
    assert table["label"]["name"] == "died"
    assert [column["name"] for column in table["columns"]] == ["age", "sex", "died"]

    response = await jp_fetch(*route, "code", params=params, method="POST", body=draft(source))
    code = json.loads(response.body)
    assert code["cell"] == "%%automl heart.csv\nlabel: died\ntask: classification\niterations: 3"
    assert "from_delimited_files('heart.csv', separator=';')" in code["python"]
    response = await jp_fetch(
        *route, "code", params=params, method="POST", body=draft(iterations="x")
    )
    assert [p["field"] for p in json.loads(response.body)["problems"]] == ["iterations"]


async def test_the_server_reads_only_what_is_below_its_folder(jp_fetch, tmp_path):
    (tmp_path / "secret.csv").write_text(CSV)
    params = {"source": "file:../secret.csv"}
    status, error = await error_of(jp_fetch("nbautoml", "v1", "wizard", "data", params=params))
    assert (status, error["code"]) == (403, "not_allowed")
    params = {"workspace": "/etc"}
    status, _ = await error_of(jp_fetch("nbautoml", "v1", "wizard", "options", params=params))
    assert status == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("no json", 400),
        ("{}", 400),
        (draft("file:none.csv"), 404),
        (draft(iterations="0"), 400),
        (draft(compute_target="gpu"), 404),
    ],
)
async def test_a_run_that_cannot_start_says_why(jp_fetch, jp_root_dir, body, status):
    (jp_root_dir / "heart.csv").write_text(CSV)
    found, error = await error_of(
        jp_fetch("nbautoml", "v1", "wizard", "run", method="POST", body=body)
    )
    assert found == status
    assert error["message"]
