import pytest

from nbautoml.domain.records import MetricPoint, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError
from nbautoml.services.catalog import MOST_RUNS_EVER, catalog
from nbautoml.store.session import open_session
from nbautoml.testing.scripted_pipeline import ScriptedPipeline

RUN = "AutoML_x"


@pytest.fixture
def session(tmp_path, make_workspace):
    with open_session(make_workspace(tmp_path)) as session:
        yield session


def test_a_workspace_lists_its_runs_newest_first(session):
    with session.write() as tx:
        tx.runs.create(
            RunRecord(
                id="AutoML_y",
                experiment="exp",
                type="automl",
                status=RunStatus.COMPLETED,
                created_at=5.0,
                ended_at=9.0,
                properties={"primary_metric": "accuracy", "best_child_run_id": "AutoML_y_3"},
            )
        )
        tx.runs.create(
            RunRecord(
                id="AutoML_y_3",
                experiment="exp",
                type="automl.child",
                status=RunStatus.COMPLETED,
                created_at=6.0,
                parent_id="AutoML_y",
                number=3,
            )
        )
        tx.metrics.log("AutoML_y_3", [MetricPoint(name="accuracy", value=0.75)])
    newest, oldest = catalog(session)["runs"]
    assert (newest["id"], newest["score"], newest["is_live"]) == ("AutoML_y", 0.75, False)
    assert (oldest["id"], oldest["score"], oldest["is_live"]) == (RUN, None, True)
    assert (newest["best"], oldest["best"]) == (3, None)


def test_a_pipeline_tells_how_many_steps_are_done(session):
    ScriptedPipeline(session, "Pipeline_1").play()
    rows = {row["id"]: row for row in catalog(session)["runs"]}
    assert rows["Pipeline_1"]["steps"] == (6, 8)
    assert rows[RUN]["steps"] is None
    assert "Pipeline_1_1" not in rows  # its steps are in its own view


def test_only_the_latest_version_is_listed(session):
    with session.write() as tx:
        for n_rows in (10, 20):
            tx.datasets.register(
                "heart",
                id=f"d{n_rows}",
                definition={},
                fingerprint=f"f{n_rows}",
                create_new_version=True,
                n_rows=n_rows,
                n_columns=3,
            )
            tx.models.register("m")
    found = catalog(session)
    assert [(d["name"], d["version"], d["rows"]) for d in found["datasets"]] == [("heart", 2, 20)]
    assert [(m["name"], m["version"]) for m in found["models"]] == [("m", 2)]


def test_as_many_runs_are_listed_as_are_asked_for(session):
    with session.write() as tx:
        for n in range(3):
            tx.runs.create(
                RunRecord(
                    id=f"AutoML_{n}",
                    experiment="exp",
                    type="automl",
                    status=RunStatus.FAILED,
                    created_at=10.0 + n,
                    reason="x" * 1000,
                )
            )
    found = catalog(session, n_runs=2)
    assert [run["id"] for run in found["runs"]] == ["AutoML_2", "AutoML_1"]
    assert found["runs"][0]["reason"] == "x" * 300
    assert found["workspace"]["runs"] == 4
    with pytest.raises(ConfigError, match="up to 1000; got 1001"):
        catalog(session, n_runs=MOST_RUNS_EVER + 1)


@pytest.mark.parametrize("child", ["AutoML_other_3", "AutoML_x_", "AutoML_x_three", "AutoML_x"])
def test_a_best_child_that_is_not_its_own_is_none(session, child):
    with session.write() as tx:
        tx.runs.set_properties(RUN, {"best_child_run_id": child})
    assert catalog(session)["runs"][0]["best"] is None


def test_a_workspace_says_which_it_is_and_what_it_holds(session):
    assert catalog(session)["workspace"] == {
        "name": "ws",
        "root": session.address.root,
        "store": "SQLite",
        "runs": 1,
        "experiments": 1,
    }
