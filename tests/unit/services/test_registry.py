import io
import json
import zipfile
from types import SimpleNamespace

import pytest

from nbautoml.domain.records import DeploymentRecord, MetricPoint, RunRecord
from nbautoml.domain.status import ModelStage, RunStatus
from nbautoml.errors import ConfigError, ConflictError, NotFoundError
from nbautoml.registry.model import Model, register_from_run
from nbautoml.services.archive import archive
from nbautoml.services.registry import (
    change_version,
    delete_version,
    model_details,
    version_archive,
    version_details,
    version_file,
)
from nbautoml.store.session import open_session

RUN, CHILD = "AutoML_x", "AutoML_x_0"
SCHEMA = {
    "task": "classification",
    "label": "y",
    "columns": [{"name": "age", "dtype": "int64", "is_nullable": True, "minimum": 3}],
}


@pytest.fixture
def session(tmp_path, make_workspace):
    with open_session(make_workspace(tmp_path)) as session:
        with session.write() as tx:
            tx.runs.set_properties(RUN, {"primary_metric": "log_loss"})
            tx.runs.create(
                RunRecord(
                    id=CHILD,
                    experiment="exp",
                    type="automl.child",
                    status=RunStatus.COMPLETED,
                    created_at=2.0,
                    parent_id=RUN,
                    number=0,
                )
            )
            points = {"log_loss": 0.25, "accuracy": 0.9, "odd": None}
            tx.metrics.log(CHILD, [MetricPoint(name=k, value=v) for k, v in points.items()])
        session.save_artifacts(
            CHILD,
            {
                "outputs/model.pkl": bytes(range(256)) * 10_000,
                "outputs/schema.json": json.dumps(SCHEMA).encode(),
            },
        )
        register_from_run(session, run_id=CHILD, model_path="outputs", model_name="churn")
        yield session


def register_file(session, tmp_path, name="churn", content=b"7", file="a.bin"):
    path = tmp_path / file
    path.write_bytes(content)
    return Model.register(SimpleNamespace(session=session), path, name, tags={"a": "1"})


def test_versions_are_listed_newest_first_with_run_and_score(session, tmp_path):
    register_file(session, tmp_path)
    newest, oldest = model_details(session, "churn")["versions"]
    assert (newest["version"], newest["run_id"], newest["parent_id"]) == (2, None, None)
    assert (newest["metric"], newest["score"], newest["tags"]) == (None, None, {"a": "1"})
    assert (oldest["run_id"], oldest["parent_id"]) == (CHILD, RUN)
    assert (oldest["metric"], oldest["score"]) == ("log_loss", 0.25)


def test_a_model_whose_run_is_not_here_has_no_run_to_show(session):
    with session.write() as tx:
        tx.models.register("m", run_id="AutoML_elsewhere_1")
    (version,) = model_details(session, "m")["versions"]
    assert (version["run_id"], version["parent_id"]) == ("AutoML_elsewhere_1", None)


def test_a_version_has_files_metrics_and_schema(session):
    found = version_details(session, "churn", 1)
    assert [(f["name"], f["size_bytes"]) for f in found["files"]][0] == (
        "outputs/model.pkl",
        2_560_000,
    )
    assert found["metrics"] == {"accuracy": 0.9, "log_loss": 0.25, "odd": None}
    assert found["minimized"] == ["log_loss"]
    assert found["schema"]["columns"] == [{"name": "age", "dtype": "int64", "is_nullable": True}]
    assert (found["schema"]["label"], found["schema"]["task"]) == ("y", "classification")
    json.dumps(found, allow_nan=False)


def test_a_version_has_a_picture_of_its_history_and_its_standing(session):
    with session.write() as tx:
        tx.models.set_stage("churn", 1, ModelStage.PRODUCTION)
        tx.models.set_alias("churn", 1, "champion")

    found = version_details(session, "churn", 1)

    assert (found["stage"], found["aliases"]) == ("Production", ["champion"])
    kinds = [(box["kind"], box["id"]) for box in found["lineage"]["boxes"]]
    assert kinds == [("run", RUN), ("model", "churn:1")]
    assert found["lineage"]["lines"] == ((0, 1),)


def test_a_version_that_is_served_is_not_deleted(session):
    with session.write() as tx:
        tx.deployments.create(
            DeploymentRecord(
                name="live", kind="ACI", created_at=0.0, updated_at=0.0, models=("churn:1",)
            )
        )
    with pytest.raises(ConflictError, match="served by live"):
        delete_version(session, "churn", 1)


@pytest.mark.parametrize("content", [b"{}", b"no json", b"[1]", b'{"columns": [{"name": "a"}]}'])
def test_another_file_of_that_name_is_no_schema(session, tmp_path, content):
    register_file(session, tmp_path, "other", content, "schema.json")
    assert version_details(session, "other", 1)["schema"] is None


def test_words_are_changed_and_tags_replaced(session):
    change_version(session, "churn", 1, {"tags": {"a": "1", "b": "2"}})
    changed = change_version(session, "churn", 1, {"tags": {"b": "3"}, "description": "good"})
    assert changed == {"description": "good", "tags": {"b": "3"}}
    assert change_version(session, "churn", 1, {"description": ""})["tags"] == {"b": "3"}
    with pytest.raises(ConfigError, match="nothing else"):
        change_version(session, "churn", 1, {"name": "x"})


def test_a_version_is_deleted_and_its_run_keeps_the_files(session, tmp_path):
    register_file(session, tmp_path)
    assert delete_version(session, "churn", 1) == {"name": "churn", "version": 1, "left": 1}
    assert [v["version"] for v in model_details(session, "churn")["versions"]] == [2]
    assert session.load_artifact(CHILD, "outputs/model.pkl").is_file()
    with pytest.raises(NotFoundError, match="it has 2"):
        delete_version(session, "churn", 1)


def test_the_archive_holds_what_was_registered(session):
    content = b"".join(version_archive(session, "churn", 1))
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        assert found.namelist() == ["outputs/model.pkl", "outputs/schema.json"]
        assert found.read("outputs/model.pkl") == bytes(range(256)) * 10_000
        assert json.loads(found.read("outputs/schema.json")) == SCHEMA


def test_an_archive_comes_in_parts_that_are_never_empty_nor_whole(tmp_path):
    import random

    path = tmp_path / "big"
    path.write_bytes(random.Random(3).randbytes(5_000_000))  # does not become smaller
    parts = list(archive([("big", path), ("again", path)]))
    assert all(parts)
    assert max(map(len, parts)) < 2_500_000
    assert sum(map(len, parts)) > 10_000_000


def test_one_file_is_found_by_its_name_only(session):
    assert version_file(session, "churn", 1, "outputs/schema.json").read_bytes() == (
        json.dumps(SCHEMA).encode()
    )
    for name in ("outputs/scheme.json", "../../etc/passwd", "/etc/passwd", ""):
        with pytest.raises(NotFoundError, match="has no file"):
            version_file(session, "churn", 1, name)


def test_a_version_without_files_has_no_archive(session):
    with session.write() as tx:
        tx.models.register("bare")
    with pytest.raises(NotFoundError, match="bare:1 has no files"):
        version_archive(session, "bare", 1)


def test_unknown_models_and_versions_are_told(session):
    with pytest.raises(NotFoundError, match="Did you mean 'churn'"):
        model_details(session, "chrun")
    with pytest.raises(NotFoundError, match="has no version 9"):
        version_details(session, "churn", 9)
