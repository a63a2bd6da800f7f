"""Stages, aliases, filters, data and children of registered models."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbautoml.domain.records import DeploymentRecord, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, ConflictError, ModelError, NotFoundError
from nbautoml.registry.files import MODEL_PATHS_VARIABLE
from nbautoml.registry.model import Model, register_from_run
from nbautoml.runs.child_process import ADDRESS_VARIABLE, RUN_VARIABLE
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import create_session
from nbautoml.workspace.config_file import address_for

PARENT, CHILD = "AutoML_x", "AutoML_x_3"


@pytest.fixture
def ws(tmp_path: Path) -> WorkspaceHandle:
    session = create_session(address_for("w", tmp_path / "ws"))
    with session.write() as tx:
        tx.experiments.get_or_create("churn")
        for run_id, parent in ((PARENT, None), (CHILD, PARENT)):
            tx.runs.create(
                RunRecord(
                    id=run_id,
                    experiment="churn",
                    type="automl" if parent is None else "automl.child",
                    status=RunStatus.COMPLETED,
                    created_at=0.0,
                    parent_id=parent,
                    number=None if parent is None else 3,
                    settings={"training_data": "data-1"} if parent is None else {},
                )
            )
    session.save_artifact(CHILD, "outputs/model.pkl", pickle.dumps(42))
    session.save_artifact(CHILD, "outputs/schema.json", b"{}")
    return WorkspaceHandle(session)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"net")
    return path


def data(number: int) -> SimpleNamespace:
    return SimpleNamespace(id=f"data-{number}")


def test_moving_to_production_archives_the_version_from_before(
    ws: WorkspaceHandle, file: Path
) -> None:
    first, second = (Model.register(ws, file, "churn") for _ in range(2))
    assert first.stage == "None"

    first.set_stage("Production")
    second.set_stage("production")
    first.refresh()

    assert (first.stage, second.stage) == ("Archived", "Production")
    assert Model(ws, "churn", stage="Production").id == "churn:2"
    assert [m.id for m in Model.list(ws, stage="Archived")] == ["churn:1"]
    with pytest.raises(ConfigError, match="Did you mean 'Production'"):
        first.set_stage("Produktion")
    with pytest.raises(NotFoundError, match="stage='Staging'"):
        Model(ws, "churn", stage="Staging")


def test_an_alias_stands_for_one_version_and_moves(ws: WorkspaceHandle, file: Path) -> None:
    first, second = (Model.register(ws, file, "churn") for _ in range(2))
    Model.register(ws, file, "other").set_alias("champion")

    first.set_alias("champion")
    assert Model(ws, "churn", alias="champion").version == 1
    second.set_alias("champion")

    assert Model(ws, "churn", alias="champion").version == 2
    assert Model(ws, "churn", version=1).aliases == ()
    assert Model(ws, "other", alias="champion").version == 1
    second.remove_alias("champion")
    with pytest.raises(NotFoundError, match="champion"):
        Model(ws, "churn", alias="champion")
    with pytest.raises(ConfigError, match="give its name"):
        Model(ws, alias="champion")


@pytest.mark.parametrize("alias", ["", "latest", "Latest", "1st", "a b", "x" * 65, None])
def test_what_cannot_be_an_alias_is_refused(alias: object, ws: WorkspaceHandle, file: Path) -> None:
    with pytest.raises(ConfigError, match="An alias must be"):
        Model.register(ws, file, "churn").set_alias(alias)


def test_properties_are_added_but_never_changed(ws: WorkspaceHandle, file: Path) -> None:
    model = Model.register(ws, file, "churn", properties={"source": "crm"})

    model.add_properties({"area": "hr", "source": "crm"})
    model.update_tags_properties(add_tags={"a": 1}, add_properties={"rows": 9})
    model.update_tags_properties(remove_tags=["a"])

    assert model.properties == {"source": "crm", "area": "hr", "rows": "9"}
    assert model.tags == {}
    with pytest.raises(ConflictError, match="'source' of churn:1 is 'crm'"):
        model.add_properties({"source": "web"})


def test_list_takes_the_filters_of_the_sdk(ws: WorkspaceHandle, file: Path) -> None:
    Model.register(ws, file, "a", properties={"p": "1"}, model_framework=Model.Framework.ONNX)
    Model.register(ws, file, "b", properties={"p": "2"}, datasets=[("training", data(2))])
    register_from_run(ws.session, run_id=CHILD, model_path="outputs", model_name="c")

    def names(**wanted: object) -> list[str]:
        return sorted(m.name for m in Model.list(ws, **wanted))

    assert names(properties={"p": "2"}) == ["b"]
    assert names(properties=["p"]) == ["a", "b"]
    assert names(model_framework="Onnx") == ["a"]
    assert names(dataset_id="data-2") == ["b"]
    assert names(dataset_id="data-1") == ["c"]  # taken in by the parent of the run
    assert names(expand=False, page_count=5, latest=True) == ["a", "b", "c"]
    assert Model(ws, properties={"p": "1"}).name == "a"
    assert Model(ws, model_framework="Onnx", expand=True).name == "a"


def test_several_datasets_of_one_word_are_kept(ws: WorkspaceHandle, file: Path) -> None:
    model = Model.register(
        ws,
        file,
        "churn",
        datasets=[("training", data(1)), ("training", data(2))],
        sample_input_dataset=data(3),
        resource_configuration=None,
    )
    model.add_dataset_references([("test", data(4)), ("training", data(1))])
    model.update(sample_output_dataset=data(5))

    told = Model(ws, "churn").serialize()
    assert told["datasets"] == [["training", "data-1"], ["training", "data-2"], ["test", "data-4"]]
    assert (told["sampleInputDatasetId"], told["sampleOutputDatasetId"]) == ("data-3", "data-5")
    with pytest.raises(ConfigError, match=r"dataset = dataset\.register"):
        Model.register(ws, file, "churn", datasets=[("training", SimpleNamespace(id=None))])
    with pytest.raises(ConfigError, match="list of pairs"):
        Model.register(ws, file, "churn", datasets=["training"])


def test_only_the_children_that_were_named_are_registered(
    ws: WorkspaceHandle, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        (folder / name).write_text(name)

    model = Model.register(ws, folder, "files", child_paths=["a.txt", "sub"])
    assert model.get_file_names() == ["bundle/a.txt", "bundle/sub/c.txt"]
    with pytest.raises(NotFoundError, match=r"Did you mean 'a\.txt'.*sub/c\.txt"):
        Model.register(ws, folder, "files", child_paths=["a.tx"])

    run = Run.get(ws, CHILD)
    kept = run.register_model("one", "outputs", child_paths=["model.pkl"], model_framework="Custom")
    assert kept.get_file_names() == ["outputs/model.pkl"]
    assert (kept.run.id, kept.model_framework) == (CHILD, "Custom")


def test_a_model_that_is_served_is_not_deleted(ws: WorkspaceHandle, file: Path) -> None:
    model = Model.register(ws, file, "churn")
    with ws.session.write() as tx:
        tx.deployments.create(
            DeploymentRecord(
                name="live", kind="ACI", created_at=0.0, updated_at=0.0, models=("churn:1",)
            )
        )

    with pytest.raises(ConflictError, match="churn:1 is served by live"):
        model.delete()
    assert Model(ws, "churn").version == 1


def test_a_script_finds_a_checked_copy_of_a_model(
    ws: WorkspaceHandle, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Model.register(ws, file, "churn")
    monkeypatch.delenv(MODEL_PATHS_VARIABLE, raising=False)

    path = Path(Model.get_model_path("churn", _workspace=ws))
    assert path.read_bytes() == b"net"
    monkeypatch.setenv(ADDRESS_VARIABLE, json.dumps(asdict(ws.session.address)))
    monkeypatch.setenv(RUN_VARIABLE, PARENT)
    assert Model.get_model_path("churn", 1) == str(path)

    path.write_bytes(b"other")
    with pytest.raises(ModelError, match="not the file that was registered"):
        Model.get_model_path("churn")


def test_a_pickle_alone_knows_its_versions_by_its_run(ws: WorkspaceHandle) -> None:
    manifest = {"python": "2.7.18", "packages": {"numpy": "0.1"}}
    ws.session.save_artifact(CHILD, "outputs/manifest.json", json.dumps(manifest).encode())
    model = Run.get(ws, CHILD).register_model("churn", "outputs/model.pkl")

    with pytest.raises(ModelError, match="numpy 0.1"):
        model.load()


def test_the_configuration_is_printed_without_keys(
    ws: WorkspaceHandle, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from nbautoml.serving.configs import InferenceConfig
    from nbautoml.serving.webservice import AciWebservice

    model = Model.register(ws, file, "churn")
    config = AciWebservice.deploy_configuration(primary_key="a secret of mine", cpu_cores=2)
    Model.print_configuration([model], InferenceConfig("score.py"), config, None)

    said = capsys.readouterr().out
    assert "models: churn:1\nentry script: score.py\n" in said
    assert "cpu_cores: 2" in said
    assert "secret" not in said
