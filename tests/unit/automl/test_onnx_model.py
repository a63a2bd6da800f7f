"""Where an ONNX model of a child lies, and what is kept of a refusal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from nbautoml.automl.artifacts import (
    MANIFEST,
    ONNX_MODEL,
    ONNX_REFUSED,
    ONNX_RESOURCE,
    SERVED_MODEL,
)
from nbautoml.automl.onnx_model import ensure_onnx, onnx_of_bundle, write_onnx
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ModelError, NotFoundError
from nbautoml.runs import files
from nbautoml.store.session import Session, open_memory_session
from tests.unit.registry.onnx_models import Data

pytest.importorskip("onnxruntime", reason="pip install 'nbautoml[onnx]'")
pytest.importorskip("onnx", reason="pip install 'nbautoml[onnx]'")

RUN = "AutoML_x"
CHILD = child_run_id(RUN, 3)


@pytest.fixture
def session() -> Iterator[Session]:
    with open_memory_session() as session:
        with session.write() as tx:
            tx.experiments.get_or_create("churn")
            for run_id, kind, parent in ((RUN, "automl", None), (CHILD, "automl.child", RUN)):
                tx.runs.create(
                    RunRecord(
                        id=run_id,
                        experiment="churn",
                        type=kind,
                        status=RunStatus.COMPLETED,
                        created_at=0.0,
                        parent_id=parent,
                        settings={"config": {"enable_onnx_compatible_models": True}},
                    )
                )
        yield session


def properties(session: Session) -> dict[str, str]:
    with session.read() as tx:
        return dict(tx.runs.get(CHILD).properties)


def test_the_files_are_in_the_manifest_of_the_bundle(session: Session) -> None:
    made = Data(2, columns=("size", "kind"))
    session.save_artifact(CHILD, MANIFEST, json.dumps({"files": {"model.pkl": "1"}}).encode())

    write_onnx(session, RUN, 3, made.fit("LogisticRegression"), made.frame)

    manifest = json.loads(session.load_artifact(CHILD, MANIFEST).read_bytes())
    content = session.load_artifact(CHILD, ONNX_MODEL).read_bytes()
    assert manifest["files"]["model.pkl"] == "1"
    assert manifest["files"]["model.onnx"] == hashlib.sha256(content).hexdigest()
    assert set(manifest["files"]) >= {"model_onnx.json", "score_onnx.py"}
    assert properties(session) == {"onnx_model_resource": ONNX_RESOURCE}
    ensure_onnx(session, RUN, 3)  # it is there: no process is started


def test_a_refusal_is_kept_with_its_reason_and_not_tried_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"price": [f"${i},000" for i in range(220)], "x": np.arange(220.0)})
    made = Data(2, frame=frame)

    with pytest.raises(ModelError, match="column 'price'"):
        write_onnx(session, RUN, 3, made.fit("LogisticRegression"), frame)

    assert "column 'price' holds numbers as texts" in properties(session)[ONNX_REFUSED]
    monkeypatch.setattr(
        "nbautoml.automl.onnx_model.run_apart", lambda *a: pytest.fail("tried again")
    )
    onnx_of_bundle(session, RUN, 3)


def test_what_another_process_says_is_the_message(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.save_artifact(CHILD, SERVED_MODEL, b"x")
    monkeypatch.setattr("nbautoml.automl.onnx_model.run_apart", lambda *a: "It cannot be.")

    with pytest.raises(ModelError, match=r"^It cannot be\.$"):
        ensure_onnx(session, RUN, 3)
    assert ONNX_MODEL not in files.names(session, CHILD)
    onnx_of_bundle(session, RUN, 3)  # a bundle is a bundle without it, too


def test_a_child_without_a_model_has_none_as_onnx(session: Session) -> None:
    with pytest.raises(NotFoundError, match="has no model to write as ONNX"):
        ensure_onnx(session, RUN, 3)
