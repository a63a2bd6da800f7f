from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbautoml.compute import AmlCompute, ComputeTarget, DaskCluster, check_target, default_spec
from nbautoml.domain.records import ComputeRecord, SessionAddress
from nbautoml.errors import ComputeTargetException, ConfigError, NotAvailableError
from nbautoml.store.session import create_session


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[SimpleNamespace]:
    state = tmp_path / ".nbautoml"
    state.mkdir()
    session = create_session(
        SessionAddress(
            name="ws",
            root=str(tmp_path),
            store_url=f"sqlite:///{state / 'store.db'}",
            artifact_root=str(state / "artifacts"),
        )
    )
    yield SimpleNamespace(session=session)
    session.close()


@pytest.fixture
def foreign(workspace: SimpleNamespace) -> str:
    """A target that other code has recorded."""
    with workspace.session.write() as tx:
        tx.computes.put(ComputeRecord(name="farm", kind="zeppelin", options={}, created_at=1.0))
    return "farm"


@pytest.mark.parametrize("cls", [ComputeTarget, AmlCompute])
def test_local_is_always_there(workspace: SimpleNamespace, cls: type[ComputeTarget]) -> None:
    target = cls(workspace=workspace, name="local")

    assert (target.name, target.type, target.provisioning_state) == (
        "local",
        "local",
        "Succeeded",
    )
    assert [t.name for t in ComputeTarget.list(workspace)] == ["local"]


def test_absent_target_is_the_error_that_notebooks_branch_on(
    workspace: SimpleNamespace, foreign: str
) -> None:
    with pytest.raises(ComputeTargetException) as caught:
        ComputeTarget(workspace, "Locall")

    message = caught.value.message
    assert "Did you mean 'local'?" in message
    assert "There are: local, farm." in message


def test_target_of_an_unknown_type_is_refused_by_name(
    workspace: SimpleNamespace, foreign: str
) -> None:
    with pytest.raises(NotAvailableError, match="'farm' is of type 'zeppelin'"):
        check_target(workspace.session, foreign)


def test_status_tells_what_the_machine_has(workspace: SimpleNamespace) -> None:
    spec = default_spec()
    status = ComputeTarget(workspace, "local").get_status().serialize()

    assert status["provisioningState"] == "Succeeded"
    assert status["currentNodeCount"] == 1
    assert status["cores"] == spec.n_workers * spec.threads_per_worker
    assert status["memoryBytes"] == spec.n_workers * (spec.memory_limit_bytes or 0)


def test_html_and_repr_show_the_target(workspace: SimpleNamespace) -> None:
    target = ComputeTarget(workspace, "local")

    assert repr(target) == "ComputeTarget(name='local', type='local')"
    assert "<td>local</td>" in target._repr_html_()
    assert "<td>Succeeded</td>" in target._repr_html_()


def test_there_is_nothing_to_wait_for(workspace: SimpleNamespace) -> None:
    target = ComputeTarget(workspace, "local")
    target.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)

    assert target.provisioning_state == "Succeeded"


def test_local_is_neither_deleted_nor_scaled(workspace: SimpleNamespace) -> None:
    target = ComputeTarget(workspace, "local")
    with pytest.raises(ComputeTargetException, match="'local' cannot be deleted"):
        target.delete()
    with pytest.raises(ComputeTargetException, match="only a cluster"):
        target.update(max_nodes=2)
    with pytest.raises(ComputeTargetException, match="is not attached"):
        target.detach()


@pytest.mark.parametrize("name", ["local", "", "9lives", "a b", "../up", "x" * 65, None])
def test_names_of_targets_are_plain(workspace: SimpleNamespace, name: str) -> None:
    config = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2")
    with pytest.raises(ComputeTargetException, match="must begin with a letter"):
        ComputeTarget.create(workspace, name, config)


def test_configurations_come_from_their_makers(workspace: SimpleNamespace) -> None:
    with pytest.raises(ConfigError, match="provisioning_configuration must come from"):
        ComputeTarget.create(workspace, "c", provisioning_configuration=object())
    with pytest.raises(ConfigError, match="attach_configuration must come from"):
        ComputeTarget.attach(workspace, "c", attach_configuration=object())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"min_nodes": 3, "max_nodes": 2}, "not above max_nodes"),
        ({"max_nodes": 0}, "max_nodes must be 1"),
        ({"min_nodes": -1}, "at least 0"),
        ({"idle_seconds_before_scaledown": -5}, "must not be negative"),
        ({"vm_sizes": "STANDARD_D2_V2"}, "Did you mean 'vm_size'"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        AmlCompute.provisioning_configuration(**settings)


def test_what_the_sdk_had_for_networks_is_passed_over() -> None:
    config = AmlCompute.provisioning_configuration(
        vm_size="STANDARD_D2_V2",
        vm_priority="lowpriority",
        max_nodes=6,
        vnet_name="v",
        subnet_name="s",
        admin_username="me",
        identity_type="SystemAssigned",
    )
    options = config.options
    assert (options.min_nodes, options.max_nodes, options.idle_seconds) == (0, 6, 1800)


def test_supported_sizes_have_the_sdks_keys() -> None:
    sizes = {size["name"]: size for size in AmlCompute.supported_vmsizes(workspace=None)}
    assert sizes["Standard_DS3_V2"]["vCPUs"] == 4
    assert sizes["Standard_NC6"]["gpus"] == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [("somewhere", "tcp://host:port"), ("http://a:1", "tcp://"), ("tls://a:1", "tls_ca_file")],
)
def test_addresses_are_looked_at(address: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        DaskCluster.attach_configuration(address)


def test_a_scheduler_that_is_not_there_is_not_attached(workspace: SimpleNamespace) -> None:
    config = DaskCluster.attach_configuration("tcp://127.0.0.1:1")
    with pytest.raises(ComputeTargetException, match="No Dask scheduler answers"):
        ComputeTarget.attach(workspace, "team", config)
    assert [target.name for target in ComputeTarget.list(workspace)] == ["local"]


def test_a_cluster_of_another_machine_is_told_from_ours(workspace: SimpleNamespace) -> None:
    options = {"cluster": DaskCluster.provisioning_configuration().options.to_dict()}
    record = ComputeRecord(
        name="farm", kind="AmlCompute", options={**options, "host": "elsewhere"}, created_at=1.0
    )
    with workspace.session.write() as tx:
        tx.computes.put(record)
    check_target(workspace.session, "farm")
    target = ComputeTarget(workspace, "farm")
    assert target.get_status().current_node_count == 0
    with pytest.raises(ComputeTargetException, match="belongs to the machine elsewhere"):
        target.update(max_nodes=2)


@pytest.mark.parametrize("name", [None, "local"])
def test_a_run_may_use_the_local_target(workspace: SimpleNamespace, name: str | None) -> None:
    check_target(workspace.session, name)


def test_run_on_an_absent_target_is_refused(workspace: SimpleNamespace) -> None:
    with pytest.raises(ComputeTargetException, match="no compute target called 'gpu'"):
        check_target(workspace.session, "gpu")
