"""Batch jobs on real workers: the same answers as the model, whatever is killed on the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from nbautoml.compute import ComputeTarget, DaskCluster
from nbautoml.errors import ConflictError, DatasetError, ModelError
from nbautoml.registry.model import Model
from tests.integration.serving.conftest import Kit, patients

pytestmark = pytest.mark.integration

N_ROWS, PARTITION_ROWS = 1_050, 100


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    frame = patients(N_ROWS).drop(columns="died")
    return frame.assign(visit=[f"{i:05d}" for i in range(N_ROWS)])


@pytest.fixture(scope="module")
def cluster(kit: Kit) -> Iterator[ComputeTarget]:
    """A cluster of its own process, with one node."""
    options = DaskCluster.provisioning_configuration(1, 1, cores=1)
    target = ComputeTarget.create(kit.ws, "batch", options)
    yield target
    target.delete()


@pytest.fixture
def csv(rows: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "patients.csv"
    rows.to_csv(path, index=False)
    return path


def test_every_form_of_rows_gets_the_models_answers_in_order(
    model: Model,
    rows: pd.DataFrame,
    csv: Path,
    cluster: ComputeTarget,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = rows.drop(columns="visit")
    expected = model.load().predict(known)
    proba = model.load().predict_proba(known)

    done = model.score(
        csv,
        tmp_path / "out.csv",
        partition_rows=PARTITION_ROWS,
        probabilities=True,
        show_output=True,
    )
    said = capsys.readouterr().out
    assert said.startswith("11 partitions\n")
    assert re.search(r"11 of 11 partitions, 1,050 rows\nwritten to .*out\.csv\n$", said)
    kept = model.score(
        rows, tmp_path / "out", columns=["visit"], partition_rows=400, compute_target=cluster
    )

    assert (done.n_rows, done.n_partitions, done.n_resumed) == (N_ROWS, 11, 0)
    assert done.model == model.id
    found = pd.read_csv(tmp_path / "out.csv", dtype={"visit": str})
    assert found["prediction"].tolist() == expected.tolist()
    assert found["visit"].tolist() == rows["visit"].tolist()
    np.testing.assert_allclose(found["probability of yes"], proba[:, 1], rtol=1e-9)
    assert kept.n_partitions == 3
    again = kept.to_pandas_dataframe()
    assert list(again.columns) == ["visit", "prediction"]
    assert again["prediction"].tolist() == expected.tolist()
    assert not list(tmp_path.glob("*.unfinished"))
    with pytest.raises(ConflictError, match="overwrite=True"):
        model.score(csv, tmp_path / "out.csv")


def test_a_bad_cell_is_named_by_partition_and_row(
    model: Model, rows: pd.DataFrame, cluster: ComputeTarget, tmp_path: Path
) -> None:
    path = tmp_path / "bad.csv"
    bad = rows.astype({"age": object})
    bad.loc[333, "age"] = "sixty"
    bad.to_csv(path, index=False)

    with pytest.raises(DatasetError) as error:
        model.score(
            path, tmp_path / "out.parquet", partition_rows=PARTITION_ROWS, compute_target="batch"
        )

    said = f"{model.id} cannot predict partition 3, data row 334 of {path}: column 'age' must be"
    assert str(error.value).startswith(said)
    assert '"sixty"' in str(error.value)
    assert not (tmp_path / "out.parquet").exists()


class Slow(ClassifierMixin, BaseEstimator):
    """Takes its time, so that a job can be killed in the middle."""

    def fit(self, X: pd.DataFrame, y: pd.Series) -> Slow:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        time.sleep(0.25)
        return np.where(np.asarray(X)[:, 0] > 0, self.classes_[0], self.classes_[-1])


def test_a_job_that_is_killed_goes_on_with_what_is_missing(
    kit: Kit, csv: Path, rows: pd.DataFrame, tmp_path: Path, until: Callable[..., None]
) -> None:
    import cloudpickle

    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        data = cloudpickle.dumps(Slow().fit(rows, np.array(["no", "yes"] * (N_ROWS // 2))))
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    (tmp_path / "model.pkl").write_bytes(data)
    model = Model.register(kit.ws, tmp_path / "model.pkl", "slow")
    numbers = tmp_path / "numbers.csv"
    rows[["age", "anaemia"]].to_csv(numbers, index=False)
    output = tmp_path / "out.csv"
    with pytest.raises(ModelError, match="trust=True"):
        model.score(numbers, output)

    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from nbautoml.registry.model import Model\n"
        "from nbautoml.runs.workspace_handle import WorkspaceHandle\n"
        "from nbautoml.store.session import open_session\n"
        "from nbautoml.workspace.config_file import address_for\n"
        "ws = WorkspaceHandle(open_session(address_for('w', Path(sys.argv[1]))))\n"
        "Model(ws, 'slow').score(sys.argv[2], sys.argv[3], partition_rows=100, "
        "max_concurrent=1, trust=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(kit.session.root), str(numbers), str(output)],
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    marks = tmp_path / "out.csv.unfinished" / "marks"
    until(lambda: len(list(marks.glob("*.json"))) >= 2 or process.poll() is not None)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    n_left = len(list(marks.glob("*.json")))
    assert 2 <= n_left < 11
    assert not output.exists()
    part = marks.parent / "parts" / "part-00000.csv"
    part.write_bytes(part.read_bytes()[:-10])  # as after a power cut: no longer whole

    done = model.score(numbers, output, partition_rows=100, trust=True)

    assert (done.n_rows, done.n_partitions, done.n_resumed) == (N_ROWS, 11, n_left - 1)
    found = pd.read_csv(output)
    assert found["age"].tolist() == rows["age"].tolist()
    assert set(found["prediction"]) <= {"no", "yes"}
    assert not marks.parent.exists()
