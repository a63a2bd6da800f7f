from dataclasses import replace

import psutil
import pytest

from nbautoml.compute.cluster_state import ClusterState, write_options, write_state
from nbautoml.compute.clusters import DaskCluster
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import ComputeTargetException, ConfigError
from nbautoml.services.computes import change_compute, compute_details, list_computes
from nbautoml.store.session import open_memory_session


@pytest.fixture
def session(tmp_path):
    with open_memory_session(root=str(tmp_path)) as session:
        yield session


def test_this_machine_is_always_there_and_ready(session):
    (local,) = list_computes(session)
    assert (local["name"], local["kind"], local["state"]) == ("local", "local", "Succeeded")
    assert local["cores"] >= 1
    assert local["memory_bytes"] > 0
    assert (local["nodes"], local["dashboard"], local["problem"]) == (1, None, "")


def put(session, options):
    with session.write() as tx:
        tx.computes.put(ComputeRecord(name="big", kind="dask", options=options, created_at=1.0))


def test_what_cannot_be_used_says_why(session):
    put(session, {})
    big, local = list_computes(session)
    assert (big["name"], big["state"], big["cores"]) == ("big", "NotAvailable", None)
    assert "of type 'dask'" in big["problem"]
    assert local["name"] == "local"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:8787/status", "http://127.0.0.1:8787/status"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("", None),
    ],
)
def test_a_dashboard_is_an_address_that_a_browser_may_open(session, address, shown):
    options = DaskCluster.provisioning_configuration(max_nodes=1, cores=1).options
    record = ComputeRecord(
        name="big",
        kind="AmlCompute",
        options=ClusterBackend.record_options(options),
        created_at=1.0,
    )
    with session.write() as tx:
        tx.computes.put(record)
    folder = session.state_dir / "clusters" / "big"
    write_options(folder, options)
    me = psutil.Process()
    node = {"id": "0", "state": "running", "cores": 1, "memory_bytes": 5}
    state = ClusterState(
        pid=me.pid,
        started_at=me.create_time(),
        written_at=1.0,
        address="tcp://127.0.0.1:1",
        dashboard=address,
        n_wanted=1,
        nodes=(node,),
    )
    write_state(folder, state)
    big = list_computes(session)[0]
    assert (big["name"], big["kind"], big["state"]) == ("big", "AmlCompute", "Succeeded")
    assert (big["nodes"], big["cores"], big["problem"]) == (1, 1, "")
    assert big["dashboard"] == shown
    write_state(folder, replace(state, error="no port was free"))
    assert list_computes(session)[0]["problem"] == "no port was free"


def put_cluster(session):
    options = DaskCluster.provisioning_configuration(max_nodes=3, cores=1).options
    record = ComputeRecord(
        name="big",
        kind="AmlCompute",
        options=ClusterBackend.record_options(options),
        created_at=1.0,
    )
    with session.write() as tx:
        tx.computes.put(record)


def test_a_cluster_says_how_far_it_scales_and_whether_it_runs(session):
    put_cluster(session)
    big = compute_details(session, "big")
    assert (big["is_started"], big["list_nodes"]) == (False, [])
    assert (big["scale"]["min_nodes"], big["scale"]["max_nodes"]) == (0, 3)
    local = compute_details(session, "local")
    assert (local["is_started"], local["scale"]) == (None, None)


def test_a_cluster_is_scaled(session):
    put_cluster(session)
    changed = change_compute(session, "big", {"max_nodes": 5, "idle_seconds": 7.5})
    assert changed["scale"] == {"min_nodes": 0, "max_nodes": 5, "idle_seconds": 7.5}
    assert list_computes(session)[0]["scale"] == changed["scale"]


@pytest.mark.parametrize(
    "changes",
    [{"max_nodes": "5"}, {"max_nodes": 2.5}, {"min_nodes": True}, {"cores": 4}, {"max_nodes": -1}],
)
def test_a_wrong_change_is_refused_and_changes_nothing(session, changes):
    put_cluster(session)
    with pytest.raises(ConfigError):
        change_compute(session, "big", changes)
    assert list_computes(session)[0]["scale"]["max_nodes"] == 3


def test_what_has_no_nodes_of_its_own_is_not_scaled(session):
    with pytest.raises(ComputeTargetException, match="only a cluster"):
        change_compute(session, "local", {"max_nodes": 5})
