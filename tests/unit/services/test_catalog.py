import pytest

from nbautoml.domain.records import ComputeRecord, MetricPoint, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.services.catalog import catalog
from nbautoml.store.session import open_session

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


def test_this_machine_is_always_a_compute_target(session):
    assert catalog(session)["computes"] == [{"name": "local", "kind": "local"}]
    with session.write() as tx:
        tx.computes.put(ComputeRecord(name="big", kind="dask", options={}, created_at=1.0))
    assert [c["name"] for c in catalog(session)["computes"]] == ["big", "local"]


def test_a_workspace_says_which_it_is(session):
    assert catalog(session)["workspace"] == {"name": "ws", "root": session.address.root}
