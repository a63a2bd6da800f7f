from __future__ import annotations

import datetime
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, ConflictError, ModelError, NbAutoMLError, NotFoundError
from nbautoml.registry.model import Framework, HasSession, Model, register_from_run
from nbautoml.store.session import open_memory_session

RUN = "AutoML_x_3"


class Explosive:
    """Fails the test that unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was loaded",))


@pytest.fixture
def ws(tmp_path: Path) -> HasSession:
    ticks = iter(range(1, 1000))
    session = open_memory_session(root=str(tmp_path / "ws"), clock=lambda: float(next(ticks)))
    with session.write() as tx:
        tx.experiments.get_or_create("churn")
        tx.runs.create(
            RunRecord(
                id=RUN,
                experiment="churn",
                type="automl.child",
                status=RunStatus.COMPLETED,
                created_at=0.0,
            )
        )
    session.save_artifact(RUN, "outputs/model.pkl", pickle.dumps({"answer": 42}))
    session.save_artifact(RUN, "outputs/score.py", b"print()")
    session.save_artifact(RUN, "logs/run.txt", b"started")
    return SimpleNamespace(session=session)


@pytest.fixture
def pickle_file(tmp_path: Path) -> Path:
    path = tmp_path / "foreign.pkl"
    path.write_bytes(pickle.dumps({"answer": 7}))
    return path


def _from_run(ws: HasSession, path: str = "outputs", **options: object) -> Model:
    return register_from_run(ws.session, run_id=RUN, model_path=path, model_name="churn", **options)


def test_a_registered_file_gets_version_one_and_the_next_one_two(
    ws: HasSession, pickle_file: Path
) -> None:
    first = Model.register(ws, pickle_file, "churn", tags={"area": "hr"}, description="first try")
    second = Model.register(workspace=ws, model_path=str(pickle_file), model_name="churn")

    assert [(m.name, m.version, m.id) for m in (first, second)] == [
        ("churn", 1, "churn:1"),
        ("churn", 2, "churn:2"),
    ]
    assert (first.tags, first.description, first.run_id) == ({"area": "hr"}, "first try", None)
    assert first.created_time.tzinfo is datetime.UTC


def test_registering_never_loads_a_pickle(ws: HasSession, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pkl"
    path.write_bytes(pickle.dumps(Explosive()))
    ws.session.save_artifact(RUN, "outputs/bomb.pkl", path)

    Model.register(ws, path, "bomb")
    register_from_run(
        ws.session, run_id=RUN, model_path="outputs/bomb.pkl", model_name="bomb"
    ).download(tmp_path / "copy")

    assert Model(ws, "bomb").version == 2


def test_a_foreign_pickle_is_loaded_only_when_trusted(ws: HasSession, pickle_file: Path) -> None:
    model = Model.register(ws, pickle_file, "churn")

    with pytest.raises(ModelError, match=r"from a file, and foreign\.pkl is a pickle.*trust=True"):
        model.load()
    assert model.load(trust=True) == {"answer": 7}


def test_the_model_of_a_run_is_loaded_as_it_is(ws: HasSession) -> None:
    assert _from_run(ws).load() == {"answer": 42}


def test_a_run_id_alone_does_not_make_other_bytes_trusted(ws: HasSession) -> None:
    """What was replaced in the run afterwards is not what the run wrote."""
    model = _from_run(ws, "outputs/model.pkl")
    ws.session.save_artifact(RUN, "outputs/model.pkl", b"other bytes")

    with pytest.raises(ModelError, match="trust=True"):
        model.load()


def test_changed_bytes_are_never_loaded(ws: HasSession, monkeypatch: pytest.MonkeyPatch) -> None:
    model = _from_run(ws)
    bad = Path(ws.session.root) / "tampered.pkl"
    bad.parent.mkdir(parents=True, exist_ok=True)
    bad.write_bytes(pickle.dumps(Explosive()))
    monkeypatch.setattr(type(ws.session), "load_artifact", lambda *_: bad)

    with pytest.raises(NbAutoMLError, match="not the file that was registered"):
        model.load(trust=True)


def test_recorded_versions_are_checked(ws: HasSession) -> None:
    manifest = b'{"python": "2.7.18", "packages": {"numpy": "0.1"}}'
    ws.session.save_artifact(RUN, "outputs/manifest.json", manifest)
    model = _from_run(ws)

    with pytest.raises(
        ModelError, match=r"numpy 0\.1.*use Python 2\.7, then pip install numpy==0\.1"
    ):
        model.load()
    with pytest.warns(UserWarning, match="numpy 0.1"):
        assert model.load(ignore_versions=True) == {"answer": 42}


def test_a_folder_of_a_run_keeps_its_name_and_leaves_out_the_rest(ws: HasSession) -> None:
    assert _from_run(ws, "outputs").get_file_names() == ["outputs/model.pkl", "outputs/score.py"]
    assert _from_run(ws, "outputs/model.pkl").get_file_names() == ["model.pkl"]


def test_a_wrong_path_in_a_run_names_what_there_is(ws: HasSession) -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean 'outputs/model\.pkl'.*logs/run\.txt"):
        _from_run(ws, "outputs/modl.pkl")


def test_a_local_folder_is_registered_and_downloaded_whole(ws: HasSession, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("b")
    model = Model.register(ws, folder, "files")

    path = Path(model.download(tmp_path / "copy"))

    assert path == tmp_path / "copy" / "bundle"
    assert (path / "sub" / "b.txt").read_text() == "b"


def test_downloading_a_file_returns_its_path(ws: HasSession, tmp_path: Path) -> None:
    path = _from_run(ws, "outputs/model.pkl").download(target_dir=str(tmp_path / "new"))

    assert pickle.loads(Path(path).read_bytes()) == {"answer": 42}


def test_download_replaces_nothing_unless_told(ws: HasSession, tmp_path: Path) -> None:
    model = _from_run(ws, "outputs/model.pkl")
    model.download(tmp_path)

    with pytest.raises(ConflictError, match="exist_ok=True"):
        model.download(tmp_path)
    model.download(tmp_path, exist_ok=True)
    model.download(tmp_path, exists_ok=True)


def test_nothing_at_the_path_says_where_it_looked(ws: HasSession, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere does not exist"):
        Model.register(ws, tmp_path / "nowhere", "churn")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="is an empty folder"):
        Model.register(ws, tmp_path / "empty", "churn")
    assert Model.list(ws) == []


@pytest.mark.parametrize("name", ["", "a b", "../up", ".hidden", "x" * 256])
def test_a_name_that_could_not_be_a_file_name_is_refused(
    name: str, ws: HasSession, pickle_file: Path
) -> None:
    with pytest.raises(ConfigError, match="model_name must be"):
        Model.register(ws, pickle_file, name)


def test_look_up_finds_the_latest_a_version_or_an_id(ws: HasSession, pickle_file: Path) -> None:
    for _ in range(3):
        Model.register(ws, pickle_file, "churn")

    assert Model(ws, "churn").version == 3
    assert Model(ws, name="churn", version=2).version == 2
    assert Model(ws, id="churn:1").version == 1


def test_look_up_by_run_or_tags(ws: HasSession, pickle_file: Path) -> None:
    _from_run(ws, tags={"stage": "test"})
    Model.register(ws, pickle_file, "churn", tags={"stage": "live"})

    assert Model(ws, "churn", run_id=RUN).version == 1
    assert Model(ws, tags={"stage": "live"}).version == 2
    with pytest.raises(NotFoundError, match=r"No model fits tags=\['gone'\]\. There are: churn"):
        Model(ws, tags=["gone"])


def test_what_is_not_there_says_what_is(ws: HasSession, pickle_file: Path) -> None:
    Model.register(ws, pickle_file, "churn")

    with pytest.raises(NotFoundError, match="churn"):
        Model(ws, "chrun")
    with pytest.raises(NotFoundError, match="no version 7; it has 1"):
        Model(ws, "churn", version=7)
    with pytest.raises(ConfigError, match="'name:version'"):
        Model(ws, id="churn:last")


def test_list_filters_by_tags_in_every_spelling(ws: HasSession, pickle_file: Path) -> None:
    Model.register(ws, pickle_file, "a", tags={"area": "hr"})
    Model.register(ws, pickle_file, "b", tags={"area": "it"})
    Model.register(ws, pickle_file, "c")

    assert {m.name for m in Model.list(ws, tags=["area"])} == {"a", "b"}
    assert [m.name for m in Model.list(ws, tags=[["area", "hr"]])] == ["a"]
    assert [m.name for m in Model.list(ws, tags={"area": "it"})] == ["b"]


def test_list_latest_and_by_run(ws: HasSession, pickle_file: Path) -> None:
    _from_run(ws)
    Model.register(ws, pickle_file, "churn")

    assert [m.id for m in Model.list(ws, name="churn")] == ["churn:2", "churn:1"]
    assert [m.id for m in Model.list(ws, latest=True)] == ["churn:2"]
    assert [m.id for m in Model.list(ws, run_id=RUN)] == ["churn:1"]


def test_tags_and_description_change_and_stay_changed(ws: HasSession, pickle_file: Path) -> None:
    model = Model.register(ws, pickle_file, "churn", tags={"a": "1"}, properties={"p": "q"})

    model.add_tags({"b": 2})
    model.remove_tags("a")
    model.update(description="better")
    assert (model.tags, model.description) == ({"b": "2"}, "better")
    model.update(tags={"c": "3"})

    again = Model(ws, "churn")
    assert (again.tags, again.description) == ({"c": "3"}, "better")
    assert again.properties == {"p": "q"}


def test_what_is_handed_out_is_a_copy(ws: HasSession, pickle_file: Path) -> None:
    model = Model.register(ws, pickle_file, "churn", tags={"a": "1"})

    model.tags["a"] = "2"

    assert model.tags == {"a": "1"}


def test_a_deleted_version_is_gone_and_its_number_is_not_used_again(
    ws: HasSession, pickle_file: Path, tmp_path: Path
) -> None:
    model = Model.register(ws, pickle_file, "churn")

    model.delete()

    assert Model.list(ws) == []
    with pytest.raises(NotFoundError, match="churn:1 has no files here"):
        model.download(tmp_path)
    assert Model.register(ws, pickle_file, "churn").version == 2


def test_framework_and_datasets_are_kept(ws: HasSession, pickle_file: Path) -> None:
    model = Model.register(
        ws,
        pickle_file,
        "churn",
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="1.9",
        datasets=[("training data", SimpleNamespace(id="abc"))],
    )

    assert (model.model_framework, model.model_framework_version) == ("ScikitLearn", "1.9")
    assert Model(ws, "churn").serialize()["datasets"] == [["training data", "abc"]]
    assert Framework.SCIKITLEARN is Model.Framework.SCIKITLEARN


def test_several_pickles_or_none_are_named(ws: HasSession, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "a.pkl").write_bytes(b"")
    (folder / "b.joblib").write_bytes(b"")
    (tmp_path / "net.onnx").write_bytes(b"")

    with pytest.raises(ModelError, match=r"several pickles.*two/a\.pkl, two/b\.joblib"):
        Model.register(ws, folder, "two").load(trust=True)
    with pytest.raises(ModelError, match=r"no pickle to load.*net\.onnx"):
        Model.register(ws, tmp_path / "net.onnx", "net").load(trust=True)


def test_html_escapes_what_people_wrote(ws: HasSession, pickle_file: Path) -> None:
    model = Model.register(ws, pickle_file, "churn", description="<script>x</script>")

    shown = model._repr_html_()

    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert repr(model) == "Model(name='churn', version=1, run_id=None)"


def test_a_copy_of_the_pickle_in_a_folder_below_does_not_count(ws: HasSession) -> None:
    ws.session.save_artifact(RUN, "outputs/mlflow-model/data/model.pkl", pickle.dumps("copy"))

    assert _from_run(ws).load() == {"answer": 42}
