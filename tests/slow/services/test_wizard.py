"""The form's server side, with the process that answers it."""

import subprocess
import sys

import pandas as pd
import pytest

from nbautoml.data.factory import TabularDatasetFactory
from nbautoml.errors import ConfigError, DatasetError, NotAllowedError, NotFoundError
from nbautoml.runs.asked_process import AskedProcess
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.sessions import SessionPool
from nbautoml.services.wizard import MODULE, Wizard
from nbautoml.services.workspaces import known_workspaces
from nbautoml.store.session import open_session

FRAME = pd.DataFrame(
    {"age": range(40), "sex": ["f", "m"] * 20, "died": ["yes", "no", "no", "no"] * 10}
)
SETTINGS = {"label_column_name": "died", "task": "classification", "iterations": "3"}


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    FRAME.to_csv(folder / "heart.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def process():
    """The process that answers, for all tests: each would wait for its imports."""
    with AskedProcess(MODULE) as process:
        yield process


@pytest.fixture
def wizard(root, process, monkeypatch):
    # Tables and runs are given processes of their own; the routes' tests start them.
    monkeypatch.setattr("nbautoml.services.wizard.AskedProcess", lambda *_, **__: Kept(process))
    pool = SessionPool()
    yield Wizard(root, pool)
    pool.close()


@pytest.fixture
def own_wizard(root):
    """With processes of its own, which know the home folder of the test."""
    pool = SessionPool()
    wizard = Wizard(root, pool)
    yield wizard
    wizard.close()
    pool.close()


class Kept:
    """A process that outlives those who ask it."""

    def __init__(self, process):
        self.ask = process.ask

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def asked(source="file:heart.csv", folder="", columns=None, **settings):
    form = {"settings": SETTINGS | settings, "columns": columns or {}, "experiment": ""}
    return {"source": source, "folder": folder, "form": form}


def register(address):
    with open_session(address) as session:
        data = TabularDatasetFactory.from_pandas_dataframe(FRAME)
        data.register(WorkspaceHandle(session), "heart")


def test_options_without_a_workspace(wizard):
    found = wizard.options("", "")
    assert found["form"]["tasks"] == ["classification", "regression"]
    assert found["workspace"] is None
    assert [file["path"] for file in found["files"]] == ["heart.csv"]
    assert found["computes"] == [{"name": "local", "kind": "local"}]


def test_options_of_the_workspace_that_the_folder_is_in(wizard, root, make_workspace):
    address = make_workspace(root)
    register(address)
    (root / "notebooks").mkdir()
    found = wizard.options("", "notebooks")
    assert found["workspace"] == {"name": "ws", "root": address.root}
    assert [(d["name"], d["rows"]) for d in found["datasets"]] == [("heart", 40)]
    assert found["workspaces"] == [{"name": "ws", "root": address.root}]
    assert wizard.options(address.root, "")["workspace"] == found["workspace"]


def test_a_workspace_that_is_not_for_this_server_is_not_opened(wizard, tmp_path, make_workspace):
    outside = make_workspace(tmp_path / "outside")
    with pytest.raises(NotAllowedError):
        wizard.options(outside.root, "")
    above = make_workspace(tmp_path)  # a notebook would find it; the server leaves it alone
    assert wizard.options("", "")["workspace"] is None
    code = wizard.code("", asked())["python"]
    assert above.root not in code


def test_a_file_and_a_dataset_have_the_same_profile(wizard, root, make_workspace):
    register(make_workspace(root))
    file = wizard.data("", "", "file:heart.csv")
    dataset = wizard.data("", "", "dataset:heart:1")
    assert file["label"] == dataset["label"] == {"name": "died", "reason": file["label"]["reason"]}
    names = ["age", "sex", "died"]
    assert [c["name"] for c in file["columns"]] == [c["name"] for c in dataset["columns"]] == names
    assert file["rows"] == dataset["rows"] == 40


@pytest.mark.parametrize(
    "source", ["file:../secret.csv", "file:link/secret.csv", "file:a/../../secret.csv"]
)
def test_files_elsewhere_are_refused(wizard, root, tmp_path, source):
    FRAME.to_csv(tmp_path / "secret.csv", index=False)
    (root / "link").symlink_to(tmp_path, target_is_directory=True)
    for call in (lambda: wizard.data("", "", source), lambda: wizard.code("", asked(source))):
        with pytest.raises(NotAllowedError, match="is not below the server's folder"):
            call()
    with pytest.raises(NotAllowedError):
        wizard.options("", "..")


def test_an_absolute_path_is_one_below_the_servers_folder(wizard, root):
    assert wizard.data("", "", "file:/heart.csv")["rows"] == 40
    with pytest.raises(NotFoundError, match="There is no file"):
        wizard.data("", "", f"file:{root}/heart.csv")


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("file:none.csv", NotFoundError, "There is no file"),
        ("file:bad.csv", DatasetError, "is empty"),
        ("file:table.xlsx", NotFoundError, "none of the files that can be read"),
        ("dataset:heart", NotFoundError, "choose a workspace first"),
        ("heart.csv", ConfigError, "source must be"),
        ("file:", ConfigError, "source must be"),
        ("", ConfigError, "source must be"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(wizard, root, source, kind, message):
    (root / "bad.csv").write_text("")
    (root / "table.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(kind, match=message) as caught:
        wizard.data("", "", source)
    assert "\n" not in str(caught.value)


def test_code_names_things_as_the_notebooks_folder_sees_them(wizard, root, make_workspace):
    address = make_workspace(root / "project")
    (root / "notes").mkdir()
    code = wizard.code(address.root, asked(folder="notes"))
    assert code["problems"] == []
    assert code["cell"].splitlines()[:2] == ["%%automl ../heart.csv", "label: died"]
    assert "ws = Workspace.from_config('../project')" in code["setup"]
    assert "from_delimited_files('../heart.csv')" in code["python"]
    inside = wizard.code(address.root, asked(folder="project"))
    assert inside["setup"] == "%load_ext nbautoml"
    assert "ws = Workspace.from_config()\n" in inside["python"]


def test_without_a_workspace_the_cell_makes_one_and_python_says_so(wizard):
    code = wizard.code("", asked())
    assert code["setup"] == "%load_ext nbautoml"
    assert "ws = Workspace.create('server', exist_ok=True)" in code["python"]


def test_a_file_that_looks_like_a_home_folder_is_written_out(wizard, root):
    FRAME.to_csv(root / "~notes.csv", index=False)
    cell = wizard.code("", asked("file:~notes.csv"))["cell"]
    assert cell.splitlines()[0] == f"%%automl '{root}/~notes.csv'"


def test_problems_come_with_their_fields_and_no_code(wizard):
    code = wizard.code("", asked(iterations="0", columns={"died": "Text"}))
    assert (code["cell"], code["python"], code["setup"]) == (None, None, None)
    assert code["problems"] == [
        {
            "field": "iterations",
            "message": "iterations must be a whole number of at least 1; got 0.",
        }
    ]


def test_a_file_that_changes_is_read_again(wizard, root):
    assert wizard.code("", asked())["problems"] == []
    FRAME.rename(columns={"died": "dead"}).to_csv(root / "heart.csv", index=False)
    (problem,) = wizard.code("", asked())["problems"]
    assert "'died', which is no column of training_data" in problem["message"]


@pytest.mark.parametrize("body", [{}, {"form": []}, {"form": {"settings": 3}, "source": "file:x"}])
def test_what_no_form_sends_is_refused(wizard, root, body):
    (root / "x").write_text("")
    with pytest.raises((ConfigError, NotFoundError)):
        wizard.code("", body)


def test_a_run_that_cannot_start_says_why_and_nothing_is_kept(own_wizard, root, make_workspace):
    address = make_workspace(root)
    with pytest.raises(NotFoundError, match="gpu"):
        own_wizard.start("", asked(compute_target="gpu"))
    with pytest.raises(ConfigError, match="iterations must be"):
        own_wizard.start("", asked(iterations="0"))
    with open_session(address) as session, session.read() as tx:
        assert [run.id for run in tx.runs.list()] == ["AutoML_x"]
    assert [known.root for known in known_workspaces()] == [address.root]


def test_the_server_itself_loads_nothing_heavy():
    light = "import sys, nbautoml.services.wizard; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
