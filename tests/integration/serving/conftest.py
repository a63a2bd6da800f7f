"""A workspace with registered models of nbautoml's form, and deployments that are all stopped."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import psutil
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.registry.bundle import export_bundle
from nbautoml.registry.model import Model, register_from_run
from nbautoml.registry.schema import describe_frame
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter
from nbautoml.serving.lifecycle import remove
from nbautoml.serving.webservice import Webservice
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for

LABEL = "died"
ANSWERS = ("yes", "no")
KINDS = {
    "age": "number",
    "anaemia": "number",
    "platelets": "number",
    "smoking": "boolean",
    "ward": "category",
    "seen": "date",
    "patient": "drop",
}


def patients(n_rows: int = 300) -> pd.DataFrame:
    """Return made-up patients: each kind of column that a request can hold."""
    rng = np.random.default_rng(0)
    age = rng.integers(40, 95, n_rows).astype(float)
    ward = rng.choice(["north", "south", "Köln"], n_rows)
    platelets = rng.normal(250_000, 60_000, n_rows)
    platelets[:: n_rows // 10] = np.nan
    return pd.DataFrame(
        {
            "age": age,
            "anaemia": rng.integers(0, 2, n_rows),
            "platelets": platelets,
            "smoking": rng.random(n_rows) < 0.4,
            "ward": ward,
            "seen": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 300, n_rows), "D"),
            "patient": [f"p{i}" for i in range(n_rows)],
            LABEL: np.where(
                age + 10 * (ward == "north") + rng.normal(0, 8, n_rows) > 70, "yes", "no"
            ),
        }
    )


def fit(frame: pd.DataFrame, estimator: object) -> Pipeline:
    adapter = InputAdapter([ColumnFormat(name=n, kind=k) for n, k in KINDS.items()])
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    numbers = make_column_selector(dtype_include="number")
    words = make_column_selector(dtype_include="category")
    features = make_column_transformer((encoder, words), ("passthrough", numbers))
    return make_pipeline(adapter, features, estimator).fit(frame.drop(columns=LABEL), frame[LABEL])


def boosted() -> LGBMClassifier:
    return LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1, random_state=0)


@dataclass(frozen=True)
class Kit:
    """A workspace, its data, and ways to put models into it."""

    session: Session
    frame: pd.DataFrame

    @property
    def ws(self) -> WorkspaceHandle:
        return WorkspaceHandle(self.session)

    @property
    def rows(self) -> pd.DataFrame:
        """Rows without the label."""
        return self.frame.drop(columns=LABEL)

    def sample(self, **changes: object) -> dict[str, object]:
        """Return one row as a caller sends it."""
        row = {
            "age": 60,
            "anaemia": 0,
            "platelets": 265_000.0,
            "smoking": False,
            "ward": "north",
            "seen": "2025-03-01",
            "patient": "p1",
        }
        return {k: v for k, v in {**row, **changes}.items() if v is not ...}

    def register(self, name: str, model: Pipeline, *, task: str = "classification") -> Model:
        """Register a model as a run of this workspace would."""
        run_id = f"AutoML_{name}_{time.time_ns()}_0"
        classes = getattr(model, "classes_", None)
        schema = describe_frame(self.rows, task=task, label=LABEL, classes=classes)
        with tempfile.TemporaryDirectory() as folder:
            bundle = export_bundle(
                model, Path(folder), schema=schema, sample=self.rows, metrics={}, run_id=run_id
            )
            with self.session.write() as tx:
                tx.experiments.get_or_create("e")
                tx.runs.create(
                    RunRecord(
                        id=run_id,
                        experiment="e",
                        type="automl.child",
                        status=RunStatus.COMPLETED,
                        created_at=0.0,
                    )
                )
            self.session.save_artifacts(
                run_id, {f"outputs/{n}": bundle.folder / n for n in bundle.files}
            )
        return register_from_run(self.session, run_id=run_id, model_path="outputs", model_name=name)

    def constant(self, name: str, answer: str) -> Model:
        """Register a model that always says the same."""
        frame = self.frame.assign(**{LABEL: answer})
        return self.register(name, fit(frame, DummyClassifier()))

    def numbers(self, name: str) -> Model:
        """Register a model that predicts a number."""
        frame = self.frame.assign(**{LABEL: 2.5})
        return self.register(name, fit(frame, DummyRegressor()), task="regression")


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    session = create_session(address_for("w", tmp_path_factory.mktemp("ws")))
    yield Kit(session=session, frame=patients())
    with session.read() as tx:
        names = [record.name for record in tx.deployments.list()]
    for name in names:
        remove(session, name)
    session.close()


@pytest.fixture(scope="module")
def model(kit: Kit) -> Model:
    return kit.register("heart", fit(kit.frame, boosted()))


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Return what waits until something is true."""

    def wait(is_true: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.02)

    return wait


def processes_of(service: Webservice) -> list[psutil.Process]:
    """Return the supervisor and its workers."""
    with service.session.read() as tx:
        owner = tx.deployments.get(service.name).owner
    assert owner is not None
    supervisor = psutil.Process(owner.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def worker_of(service: Webservice) -> psutil.Process:
    """Return the process that answers."""
    (worker,) = processes_of(service)[1:]
    return worker


def ask(
    service: Webservice, body: object, *, key: str | None = None, **options: object
) -> httpx.Response:
    """Send a request as a program elsewhere does."""
    headers = {"Authorization": f"Bearer {service.get_keys()[0] if key is None else key}"}
    content = {"content": body} if isinstance(body, (bytes, str)) else {"json": body}
    if "content" in content:
        headers["Content-Type"] = "application/json"
    headers |= options.pop("headers", {})
    return httpx.post(
        service.scoring_uri, headers=headers, timeout=30, trust_env=False, **content, **options
    )


@contextlib.contextmanager
def deleted_at_the_end(service: Webservice) -> Iterator[Webservice]:
    """Give a deployment for the length of a block."""
    try:
        yield service
    finally:
        with contextlib.suppress(LookupError):
            service.delete()
