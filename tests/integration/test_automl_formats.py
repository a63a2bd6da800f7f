"""A real run with ONNX and MLflow: its files, what runs them, and the mirror of it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml import (
    AutoMLConfig,
    AutoMLRun,
    Experiment,
    Model,
    OnnxConverter,
    OnnxInferenceHelper,
    Workspace,
)
from nbautoml.errors import ModelError, NotFoundError
from nbautoml.registry.mlflow.export import export_model
from nbautoml.services.files import trial_file

pytestmark = pytest.mark.integration

for _package, _extra in (("onnxruntime", "onnx"), ("onnx", "onnx"), ("mlflow", "mlflow")):
    pytest.importorskip(_package, reason=f"pip install 'nbautoml[{_extra}]'")

# A process in which nothing of nbautoml can be imported.
WITHOUT = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "nbautoml":
            raise ImportError("nbautoml is not installed here")
sys.meta_path.insert(0, Refuse())
"""


def customers(n_rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n_rows),
            "income": rng.gamma(3.0, 1e4, n_rows),
            "plan": rng.choice(["basic", "plus", "pro"], n_rows),
            "since": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 900, n_rows), "D"),
            "is_new": rng.random(n_rows) < 0.3,
        }
    )
    frame.loc[rng.random(n_rows) < 0.05, "income"] = np.nan
    frame.loc[rng.random(n_rows) < 0.05, "plan"] = None
    level = frame["age"] / 30 + (frame["plan"] == "pro") + rng.normal(scale=0.5, size=n_rows)
    return frame.assign(churn=np.where(level > level.median(), "yes", "no"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=tmp_path_factory.mktemp("workspace"))
    yield workspace
    workspace.stop_mlflow_mirror()
    workspace.session.close()


@pytest.fixture(scope="module")
def silent_server() -> Iterator[socket.socket]:
    """Yield a server that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture(scope="module")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a real server; it is started early, as it takes its time."""
    pytest.importorskip("flask", reason="pip install 'nbautoml[dev]'")
    folder, port = tmp_path_factory.mktemp("server"), _free_port()
    store = f"sqlite:///{folder / 'mlflow.db'}"
    command = ["server", "--backend-store-uri", store, "--port", str(port), "--workers", "1"]
    with _mlflow(command, folder):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def run(workspace: Workspace, silent_server: socket.socket, tracking_server: str) -> AutoMLRun:
    """Return a finished run, mirrored to a server that hangs all the while."""
    began = time.monotonic()
    workspace.mirror_to_mlflow(f"http://127.0.0.1:{silent_server.getsockname()[1]}")
    assert time.monotonic() - began < 5.0
    config = AutoMLConfig(
        "classification",
        training_data=customers(),
        label_column_name="churn",
        iterations=4,
        n_cross_validations=3,
        allowed_models=["LightGBM", "LogisticRegression", "XGBoostClassifier"],
        enable_onnx_compatible_models=True,
        save_mlflow=True,
        model_explainability=False,
    )
    made = Experiment(workspace, "churn").submit(config)
    made.wait_for_completion()
    return made


def best_files(run: AutoMLRun) -> Any:
    """Return the best child, once its bundle is whole."""
    best = run.get_best_child()
    end = time.monotonic() + 60.0
    while "outputs/model.onnx" not in best.get_file_names():
        assert time.monotonic() < end, best.properties
        time.sleep(0.1)
    return best


def test_a_server_that_hangs_does_not_harm_the_run(
    run: AutoMLRun, silent_server: socket.socket
) -> None:
    silent_server.settimeout(60.0)
    connection, _ = silent_server.accept()  # the mirror has called, and waits
    connection.close()

    assert run.get_status() == "Completed"


def test_the_bundle_of_the_best_model_has_it_as_onnx(run: AutoMLRun) -> None:
    best = best_files(run)
    manifest = json.loads(
        run.session.load_artifact(best.id, "outputs/manifest.json").read_text(encoding="utf-8")
    )
    content = run.session.load_artifact(best.id, "outputs/model.onnx").read_bytes()

    assert manifest["files"]["model.onnx"] == hashlib.sha256(content).hexdigest()
    assert {"model_onnx.json", "score_onnx.py"} <= set(manifest["files"])
    assert best.properties["onnx_model_resource"] == "outputs/model_onnx.json"


def test_the_sdks_cells_run_the_graph(run: AutoMLRun, tmp_path: Path) -> None:
    best, onnx_model = run.get_output(return_onnx_model=True)
    _, model = run.get_output()
    OnnxConverter.save_onnx_model(onnx_model, tmp_path / "best_model.onnx")
    best.download_file("outputs/model_onnx.json", tmp_path / "resource.json")
    resource = json.loads((tmp_path / "resource.json").read_text())
    rows = customers(50).drop(columns="churn")
    helper = OnnxInferenceHelper(onnx_model.SerializeToString(), resource)

    labels, shares = helper.predict(rows)

    np.testing.assert_allclose(shares, model.predict_proba(rows), atol=1e-5)
    assert labels.tolist() == model.predict(rows).tolist()


def test_any_other_child_is_converted_when_it_is_asked_for(run: AutoMLRun) -> None:
    other = next(c for c in run.get_children() if c.id != run.get_best_child().id)
    child, onnx_model = run.get_output(iteration=other.number, return_onnx_model=True)

    assert [i.name for i in onnx_model.graph.input] == ["age", "income", "plan", "since", "is_new"]
    assert child.id == other.id
    path = trial_file(run.session, run.id, other.number or 0, "outputs/model.onnx")
    assert path.read_bytes() == onnx_model.SerializeToString()
    with pytest.raises(NotFoundError):
        trial_file(run.session, run.id, 99, "outputs/model.onnx")


def test_the_graph_runs_without_nbautoml(run: AutoMLRun, tmp_path: Path) -> None:
    best = best_files(run)
    for name in ("model.onnx", "model_onnx.json", "score_onnx.py"):
        best.download_file(f"outputs/{name}", tmp_path / name)
    rows = customers(40).drop(columns="churn")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    code = WITHOUT + "import runpy; runpy.run_path('score_onnx.py', run_name='__main__')"

    _python(code, tmp_path, "rows.csv", "out.csv")

    found = pd.read_csv(tmp_path / "out.csv")
    _, model = run.get_output()
    assert found["prediction"].tolist() == model.predict(rows).tolist()
    shares = found[["probability_no", "probability_yes"]].to_numpy()
    np.testing.assert_allclose(shares, model.predict_proba(rows), atol=1e-5)


def _python(code: str, folder: Path, *arguments: str) -> str:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_registered_model_has_all_formats(run: AutoMLRun) -> None:
    best_files(run)
    model = run.register_model(model_name="churn")

    names = {name.removeprefix("outputs/") for name in model.get_file_names()}
    assert {"model.pkl", "model.onnx", "mlflow-model/MLmodel"} <= names


def test_mlflow_serves_the_exported_model_without_nbautoml(run: AutoMLRun, tmp_path: Path) -> None:
    best_files(run)
    folder = run.register_model(model_name="churn").export_mlflow(tmp_path / "model")
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(WITHOUT)
    port = _free_port()
    command = ["models", "serve", "-m", folder, "--env-manager", "local", "-p", str(port)]
    rows = customers(30).drop(columns="churn")
    table = json.loads(rows.to_json(orient="split", date_format="iso"))
    _, model = run.get_output()
    with _mlflow(command, tmp_path, PYTHONPATH=str(tmp_path / "without")):
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/ping")
        labels = _post(f"{address}/invocations", {"dataframe_split": table})
        wanted = {"params": {"method": "predict_proba"}}
        shares = _post(f"{address}/invocations", {"dataframe_split": table} | wanted)

    assert labels == model.predict(rows).tolist()
    np.testing.assert_allclose(pd.DataFrame(shares).to_numpy(), model.predict_proba(rows))


def _post(url: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["predictions"]


def test_a_real_server_gets_all_that_it_missed(
    workspace: Workspace, tracking_server: str, run: AutoMLRun
) -> None:
    _wait_for(f"{tracking_server}/health")
    address = workspace.mirror_to_mlflow(tracking_server)
    parent, children = _mirrored(address, run.id)

    best = run.get_best_child()
    assert workspace.get_mlflow_tracking_uri() == address
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["accuracy"] == pytest.approx(best.get_metrics()["accuracy"])
    assert parent.data.params["label"] == "churn"
    assert len(children) == 4
    for child in run.get_children():
        found = children[child.id]
        assert found.info.status == "FINISHED"
        assert found.data.metrics["accuracy"] == pytest.approx(child.get_metrics()["accuracy"])


def _mirrored(address: str, run_id: str) -> tuple[Any, dict[str, Any]]:
    """Return a run and its children as the server has them, once the run has ended there."""
    from mlflow import MlflowClient

    client = MlflowClient(address)
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        experiment = client.get_experiment_by_name("churn")
        runs = client.search_runs([experiment.experiment_id]) if experiment else []
        named = {r.data.tags["nbautoml.run_id"]: r for r in runs}
        if run_id in named and named[run_id].info.status == "FINISHED":
            parent = named.pop(run_id)
            return parent, named
        time.sleep(0.2)
    raise AssertionError(f"{run_id} did not end on the server; it has {list(named)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _mlflow:  # noqa: N801 - used as a statement
    """Runs MLflow's command while the block is entered."""

    def __init__(self, command: list[str], folder: Path, **variables: str) -> None:
        code = "from mlflow.cli import cli; cli()"
        quiet = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "OMP_NUM_THREADS": "1",
        }
        env = os.environ | quiet | variables
        self._log = (folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *command],
            cwd=folder,
            env=env,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> None:
        """Wait for nothing: see `_wait_for`."""

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, 15)
        self._process.wait(timeout=30)
        self._log.close()


def _wait_for(url: str) -> None:
    end = time.monotonic() + 180.0
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert time.monotonic() < end, url
            time.sleep(0.2)


def test_a_model_that_no_run_made_is_not_exported(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "net.bin").write_bytes(b"1")
    model = Model.register(workspace, tmp_path / "net.bin", "net")

    with pytest.raises(ModelError, match="not the bundle of an AutoML run, as it lacks model.pkl"):
        export_model(model, tmp_path / "out")
