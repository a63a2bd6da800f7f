from dataclasses import replace

import psutil
import pytest

from nbautoml.compute.cluster_state import ClusterState, write_options, write_state
from nbautoml.compute.clusters import DaskCluster
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.domain.records import ComputeRecord
from nbautoml.services.computes import list_computes
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
