from __future__ import annotations

import builtins
import importlib.util
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nbautoml import (
    GatewayCluster,
    KubernetesCluster,
    RemoteCompute,
    SlurmCluster,
    SshCluster,
)
from nbautoml.compute.cluster_options import ClusterOptions, shape_of
from nbautoml.compute.gpus import Gpu, machine_gpus, parse_nvidia_smi, read_nvidia_smi
from nbautoml.compute.kinds import CLUSTERS
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.compute.naming import is_attached, named_for
from nbautoml.compute.nodes import MODULES
from nbautoml.compute.nodes.ssh import ssh_command
from nbautoml.compute.places import Place, SlurmPlace, SshPlace
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import ComputeTargetException, ConfigError, MissingExtraError

HERE = SimpleNamespace(state_dir=Path("/no-such-workspace"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SshCluster.provisioning_configuration([]), "at least one machine"),
        (lambda: SshCluster.provisioning_configuration("node1"), r"write \['node1'\]"),
        (lambda: SshCluster.provisioning_configuration(["-oProxyCommand=x"]), "name or an address"),
        (lambda: SshCluster.provisioning_configuration(["a b"]), "name or an address"),
        (
            lambda: SshCluster.provisioning_configuration(["a", "a"]),
            "must not name a machine twice",
        ),
        (lambda: SshCluster.provisioning_configuration(["a"], user="-l"), "name of an account"),
        (lambda: SshCluster.provisioning_configuration(["a"], port=70_000), "port must be 1 to"),
        (lambda: SshCluster.provisioning_configuration(["a"], ssh_options=["x"]), "'Name=value'"),
        (lambda: SshCluster.provisioning_configuration(["a"], gpus=-1), "must not be negative"),
        (lambda: RemoteCompute.attach_configuration("me", "vm", password="x"), "no password"),
        (lambda: SlurmCluster.provisioning_configuration(walltime="soon"), "as Slurm writes it"),
        (lambda: SlurmCluster.provisioning_configuration(directives=["x"]), "option of sbatch"),
        (lambda: GatewayCluster.provisioning_configuration("host:8000"), "must be http://host"),
        (lambda: GatewayCluster.provisioning_configuration(auth="magic"), "must be 'basic'"),
        (lambda: KubernetesCluster.provisioning_configuration(""), "container image"),
    ],
)
def test_a_place_that_cannot_be_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()


@pytest.mark.parametrize(
    "config",
    [
        SshCluster.provisioning_configuration(["a", "b"], ssh_options=["ProxyJump=gate"]),
        SlurmCluster.provisioning_configuration(prologue=["module load cuda"], gpus=1),
        GatewayCluster.provisioning_configuration("http://g", cluster_options={"image": "x"}),
        KubernetesCluster.provisioning_configuration("x", env={"A": "b"}),
    ],
    ids=lambda config: config.options.kind,
)
def test_options_come_back_as_they_were_recorded(config: Any) -> None:
    options = config.options
    assert ClusterOptions.from_dict(options.to_dict()) == options
    assert options.kind in CLUSTERS
    assert options.kind in MODULES


def test_a_place_of_another_version_is_read() -> None:
    place = SshPlace.from_dict({"hosts": ["a"], "of_tomorrow": 1})
    assert place.hosts == ("a",)
    assert isinstance(place, Place)


def test_ssh_is_told_no_more_than_it_needs() -> None:
    place = SshPlace(hosts=("a",), key_file="/k", ssh_options=("ProxyJump=gate",))
    command = ssh_command(place, "a")
    assert command[:3] == ["ssh", "-T", "-x"]
    assert "BatchMode=yes" in command
    assert command[command.index("-i") + 1] == "/k"
    assert command[-3:-1] == ["a", "--"]
    assert command[-1].startswith("exec env PYTHONPATH=")


def test_names_elsewhere_are_unique_and_say_whose_they_are(tmp_path: Any) -> None:
    slurm = SlurmCluster.provisioning_configuration().options
    one, two = (named_for(slurm, "Big_one", tmp_path).place["job_name"] for _ in range(2))
    assert one != two
    assert one.startswith("nbautoml-big-one-")
    pods = named_for(KubernetesCluster.provisioning_configuration("x").options, "p", tmp_path)
    assert pods.place["folder"] == str(tmp_path)
    here = ClusterOptions()
    assert named_for(here, "p", tmp_path) is here


def test_what_was_attached_can_be_detached() -> None:
    attach = RemoteCompute.attach_configuration("me", "vm", ssh_port=2222)
    record = ComputeRecord(name="vm", kind=attach.kind, options=attach.options, created_at=1.0)
    assert is_attached(record)
    options = ClusterOptions.from_dict(attach.options["cluster"])
    assert SshPlace.from_dict(options.place) == SshPlace(hosts=("vm",), user="me", port=2222)


NEEDED = {
    "Ssh": (SshCluster.provisioning_configuration(["a"]), "ssh", "cryptography", "nbautoml[ssh]"),
    "Slurm": (
        SlurmCluster.provisioning_configuration(),
        "sbatch",
        "dask_jobqueue",
        "nbautoml[slurm]",
    ),
    "DaskGateway": (
        GatewayCluster.provisioning_configuration("http://g"),
        "",
        "dask_gateway",
        "nbautoml[gateway]",
    ),
    "Kubernetes": (
        KubernetesCluster.provisioning_configuration("x"),
        "",
        "dask_kubernetes",
        "nbautoml[kubernetes]",
    ),
}


def backend(kind: str) -> ClusterBackend:
    options = ClusterBackend.record_options(NEEDED[kind][0].options)
    record = ComputeRecord(name="c", kind=kind, options=options, created_at=1.0)
    return CLUSTERS[kind](HERE, record)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", NEEDED)
def test_a_missing_package_is_one_error_that_names_the_extra(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, module, extra = NEEDED[kind]
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else find(name)
    )
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/bin/{name}")
    with pytest.raises(MissingExtraError) as caught:
        backend(kind).check_programs()
    assert f"pip install '{extra}'" in caught.value.message


@pytest.mark.parametrize("kind", ["Ssh", "Slurm"])
def test_a_missing_program_is_one_error_that_names_it(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: builtins.object())
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)
    with pytest.raises(ComputeTargetException, match=f"program {NEEDED[kind][1]}"):
        backend(kind).check_programs()


@pytest.mark.parametrize(
    ("options", "has", "gpus", "nodes"),
    [
        ({"vm_size": "Standard_NC6", "max_nodes": 4}, 2, 1, 2),
        ({"vm_size": "Standard_NC6", "max_nodes": 4}, 0, 0, 4),
        ({"vm_size": "Standard_NC24", "max_nodes": 4}, 2, 2, 1),
        ({"vm_size": "Standard_D2_v2", "max_nodes": 4}, 2, 0, 4),
        ({"cores": 1, "gpus": 1, "max_nodes": 8}, 3, 1, 3),
        ({"vm_size": "Standard_NC6", "gpus": 0, "max_nodes": 1}, 3, 0, 1),
    ],
)
def test_sizes_bring_cards_as_far_as_there_are_some(
    options: dict[str, Any], has: int, gpus: int, nodes: int
) -> None:
    shape = shape_of(
        ClusterOptions(**options), machine_cores=96, machine_bytes=1 << 40, gpus_here=has
    )
    assert (shape.gpus, shape.max_nodes) == (gpus, nodes)
    assert shape.n_gpus == gpus * nodes


def test_the_machine_is_asked_for_its_cards_once() -> None:
    asked = []

    def probe() -> tuple[Gpu, ...]:
        asked.append(1)
        return (Gpu(index=0, memory_bytes=5, name="pretended"),)

    assert machine_gpus(probe) == machine_gpus(probe)
    assert len(asked) == 1


def test_a_machine_without_the_drivers_program_has_no_card(tmp_path: Any) -> None:
    assert read_nvidia_smi("no-such-nvidia-smi") == ()
    broken = tmp_path / "nvidia-smi"
    broken.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    broken.chmod(0o755)
    assert read_nvidia_smi(str(broken)) == ()
    assert parse_nvidia_smi("No devices were found\n") == ()


def test_slurm_wants_a_number_of_minutes() -> None:
    assert SlurmPlace(walltime="1-00:00:00").walltime == "1-00:00:00"
