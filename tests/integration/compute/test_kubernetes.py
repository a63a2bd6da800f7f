"""Clusters of pods, against the recorded calls of the operator's client: no Kubernetes here."""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml import ComputeTarget, KubernetesCluster, Workspace
from nbautoml.compute.cluster_options import shape_of
from nbautoml.testing.compute_contract import check_cluster_lives_and_ends
from tests.integration.compute.conftest import wait_for

pytestmark = pytest.mark.integration

RECORDED = Path(__file__).parent / "recorded"
PODS = {
    "max_nodes": 1,
    "idle_seconds": 1,
    "namespace": "science",
    "volume_claim": "projects",
    "node_selector": {"pool": "big"},
    "env": {"LANG": "C.UTF-8"},
}


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that stands for the resources of a Kubernetes cluster."""
    folder = tmp_path / "resources"
    folder.mkdir()
    monkeypatch.setenv("RECORDED_KUBERNETES", str(folder))
    monkeypatch.syspath_prepend(str(RECORDED))
    yield folder
    assert list(folder.iterdir()) == []


def test_it_lives_and_ends(workspace: Workspace, resources: Path) -> None:
    config = KubernetesCluster.provisioning_configuration("team/nbautoml:1", **PODS)
    check_cluster_lives_and_ends(workspace, "pods", config)


def test_the_resource_says_what_was_asked_for(workspace: Workspace, resources: Path) -> None:
    config = KubernetesCluster.provisioning_configuration(
        "team/nbautoml:1", cores=2, memory_gb=8, gpus=1, **PODS
    )
    assert shape_of(config.options).n_gpus == 1
    target = ComputeTarget.create(workspace, "pods", config)
    wait_for(lambda: len(list(resources.iterdir())) == 1, "no resource was made")
    target.wait_for_completion()
    (file,) = resources.iterdir()
    assert file.name.startswith("nbautoml-pods-")
    spec = json.loads(file.read_text())["spec"]
    worker, scheduler = (spec[part]["spec"] for part in ("worker", "scheduler"))
    wanted = {"cpu": "2", "memory": str(8 << 30), "nvidia.com/gpu": "1"}
    assert worker["containers"][0]["resources"] == {"requests": wanted, "limits": wanted}
    assert "resources" not in scheduler["containers"][0]
    assert worker["containers"][0]["args"][:2] == ["dask", "worker"]
    assert "GPU=1" in worker["containers"][0]["args"]
    assert scheduler["containers"][0]["args"][:2] == ["dask", "scheduler"]
    assert worker["nodeSelector"] == {"pool": "big"}
    for pod in (worker, scheduler):
        (mount,) = pod["containers"][0]["volumeMounts"]
        assert mount["mountPath"] == str(workspace.session.root)
        assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "projects"}
    target.delete()


def parameters(path: Path) -> dict[str, list[str]]:
    """Return the names of the parameters of each function of a file, methods by class."""
    found: dict[str, list[str]] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for function in inner:
            if isinstance(function, ast.FunctionDef):
                arguments = function.args
                names = [a.arg for a in (*arguments.args, *arguments.kwonlyargs)]
                prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                found[f"{prefix}{function.name}"] = names
    return found


@pytest.mark.skipif(
    importlib.util.find_spec("dask_kubernetes") is None, reason="dask-kubernetes is not installed"
)
def test_the_recorded_calls_are_those_of_the_package() -> None:
    spec = importlib.util.find_spec("dask_kubernetes")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent / "operator" / "kubecluster" / "kubecluster.py"
    real = parameters(package)
    recorded = parameters(RECORDED / "dask_kubernetes" / "operator" / "__init__.py")
    for name in ("make_cluster_spec", "KubeCluster.scale", "KubeCluster.close"):
        assert recorded[name] == real[name]
    assert set(recorded["KubeCluster.__init__"]) <= set(real["KubeCluster.__init__"])
    assert recorded["KubeCluster.from_name"] == real["KubeCluster.from_name"]
