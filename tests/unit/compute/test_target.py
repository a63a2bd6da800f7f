from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbautoml.compute import AmlCompute, ComputeTarget, default_spec, executor_for
from nbautoml.domain.records import ComputeRecord, SessionAddress
from nbautoml.errors import ComputeTargetException, NotAvailableError
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
        executor_for(workspace.session, foreign, None)


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


def test_clusters_are_refused_with_a_plain_sentence(workspace: SimpleNamespace) -> None:
    refused = "Compute clusters are not available yet; use the compute target 'local'"
    with pytest.raises(NotAvailableError, match=refused):
        AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4)
    with pytest.raises(NotAvailableError, match=f"'c' cannot be created. {refused}"):
        ComputeTarget.create(workspace, "c", provisioning_configuration=object())
    with pytest.raises(NotAvailableError, match=f"'c' cannot be attached. {refused}"):
        ComputeTarget.attach(workspace, "c", attach_configuration=object())


@pytest.mark.parametrize("name", [None, "local"])
def test_run_on_local_gets_this_machine(workspace: SimpleNamespace, name: str | None) -> None:
    assert executor_for(workspace.session, name, 1) == default_spec(1)


def test_run_on_an_absent_target_is_refused(workspace: SimpleNamespace) -> None:
    with pytest.raises(ComputeTargetException, match="no compute target called 'gpu'"):
        executor_for(workspace.session, "gpu", None)
