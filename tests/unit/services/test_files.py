import csv
import io
import json
import zipfile

import pytest

from nbautoml.domain.ids import child_run_id
from nbautoml.errors import NotFoundError
from nbautoml.services.code import run_code, trial_script
from nbautoml.services.data import run_columns
from nbautoml.services.files import leaderboard_csv, trial_archive, trial_file
from nbautoml.store.session import open_session

RUN = "AutoML_x"
SCRIPT = "outputs/generated_code/script.py"
NOTEBOOK = "outputs/generated_code/script_run_notebook.ipynb"


@pytest.fixture
def session(tmp_path, make_workspace):
    with open_session(make_workspace(tmp_path)) as session:
        yield session


def test_the_leaderboard_is_a_table(session):
    rows = list(csv.DictReader(leaderboard_csv(session, RUN).splitlines()))
    assert [(row["iteration"], row["pipeline"], row["accuracy"]) for row in rows] == [
        ("0", "LightGBM", "0.5")
    ]


def test_a_stored_file_is_found(session):
    session.save_artifacts(child_run_id(RUN, 0), {"outputs/run_id.txt": b"x"})
    assert trial_file(session, RUN, 0, "outputs/run_id.txt").read_bytes() == b"x"


@pytest.mark.parametrize("name", ["outputs/run_id.text", "../../etc/passwd", "/etc/passwd"])
def test_what_is_not_stored_is_not_found(session, name):
    session.save_artifacts(child_run_id(RUN, 0), {"outputs/run_id.txt": b"x"})
    with pytest.raises(NotFoundError, match="has no file"):
        trial_file(session, RUN, 0, name)


def test_all_that_a_trial_leaves_comes_in_one_archive(session):
    files = {"outputs/model.pkl": b"m", "outputs/manifest.json": b"{}", SCRIPT: b"print(1)"}
    session.save_artifacts(child_run_id(RUN, 0), {**files, "internal/oof.npy": b"x"})
    content = b"".join(trial_archive(session, RUN, 0))
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert {name: found.read(name) for name in found.namelist()} == files


def test_a_trial_without_a_model_has_no_archive(session):
    with pytest.raises(NotFoundError, match="has no file 'outputs/model.pkl'"):
        trial_archive(session, RUN, 0)


def test_code_that_is_written_already_is_read(session):
    files = {SCRIPT: b"print(1)", NOTEBOOK: b"{}"}
    session.save_artifacts(child_run_id(RUN, 0), files)
    assert trial_script(session, RUN, 0) == {"script": "print(1)"}


def test_a_trial_without_code_says_why(session):
    with pytest.raises(NotFoundError, match="has no code: it has no model"):
        trial_script(session, RUN, 0)


def test_the_code_of_a_run_is_python(session):
    code = run_code(session, RUN)
    for text in code.values():
        compile(text, "code.py", "exec")
    assert f"Workspace.from_config({session.address.root!r})" in code["again"]
    assert f"ws.get_run({RUN!r})" in code["predict"]


def test_columns_are_those_of_the_profile(session):
    column = {
        "name": "age",
        "dtype": "int64",
        "purpose": "Numeric",
        "reason": "Numbers.",
        "form": {},
        "stats": {"n_rows": 9, "n_missing": 1, "mean": 4.5},
        "notes": [],
    }
    content = {"n_rows": 9, "columns": [column, {**column, "purpose": "Ignore"}], "options": {}}
    label = {"name": "ill", "kind": "classes", "rows": [9], "bars": [["no", [9]]], "others": 0}
    stored = {"internal/profile.json": content, "internal/label.json": label}
    session.save_artifacts(RUN, {name: json.dumps(v).encode() for name, v in stored.items()})
    found = run_columns(session, RUN)
    assert found["label"] == label
    assert found["rows"] == 9
    assert [c["used"] for c in found["columns"]] == [True, False]
    assert found["columns"][0]["n_missing"] == 1
    assert "n_rows" not in found["columns"][0]


def test_a_run_that_has_not_looked_at_its_data_has_no_columns(session):
    assert run_columns(session, RUN) == {"rows": 0, "columns": [], "label": None}
