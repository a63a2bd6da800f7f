"""A bundle as a folder for MLflow: its signature, and what its model answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbautoml.errors import ConflictError
from nbautoml.registry.bundle import export_bundle
from nbautoml.registry.mlflow.export import export_pyfunc
from nbautoml.registry.schema import describe_frame
from tests.unit.registry.onnx_models import Data, table

pytest.importorskip("mlflow", reason="pip install 'nbautoml[mlflow]'")


@pytest.fixture(scope="module")
def made() -> Data:
    """Return rows with columns of every type, some with gaps."""
    frame = table().drop(columns=["text", "town", "day", "epoch"])
    rng = np.random.default_rng(0)
    frame["flag"] = pd.Series(rng.random(len(frame)) < 0.5, dtype=object).mask(frame["count"] == 1)
    frame["level"] = frame["kind"].astype("category")
    frame["whole"] = pd.array(frame["count"], dtype="Int64")
    frame.loc[3, "whole"] = None
    return Data(2, frame=frame)


@pytest.fixture(scope="module")
def folder(made: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mlflow")
    schema = describe_frame(
        made.frame, task="classification", label="y", classes=list(made.classes)
    )
    export_bundle(
        made.fit("LogisticRegression"),
        root / "bundle",
        schema=schema,
        sample=made.frame,
        metrics={},
        run_id="AutoML_x_3",
    )
    return export_pyfunc(root / "bundle", root / "model")


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Any:
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(str(folder))


def test_the_signature_is_the_training_schema(loaded: Any) -> None:
    columns = {c.name: (c.type.name, c.required) for c in loaded.metadata.signature.inputs}

    assert columns == {
        "size": ("double", False),
        "count": ("long", True),
        "is_new": ("boolean", True),
        "answer": ("string", True),
        "kind": ("string", False),
        "code": ("long", True),
        "seen": ("datetime", False),
        "price": ("string", False),
        "flag": ("string", False),
        "level": ("string", False),
        "whole": ("double", False),
    }
    assert loaded.metadata.signature.outputs.inputs[0].type.name == "string"


def test_it_answers_as_the_model_does(loaded: Any, made: Data) -> None:
    rows = made.frame.head(40).drop(columns=["flag", "level", "whole"])
    whole = rows.assign(flag=None, level=None, whole=np.nan)
    model = made.fit("LogisticRegression")

    assert loaded.predict(rows).tolist() == model.predict(whole).tolist()
    shares = loaded.predict(rows, params={"method": "predict_proba"})
    np.testing.assert_allclose(shares.to_numpy(), model.predict_proba(whole), rtol=1e-9)
    assert list(shares.columns) == ["class 0", "class 1"]


def test_the_example_is_a_request_that_it_answers(loaded: Any) -> None:
    assert len(loaded.predict(loaded.input_example)) == 5


def test_another_method_is_refused(loaded: Any, made: Data) -> None:
    rows = made.frame.head(2).drop(columns=["flag", "level", "whole"])
    with pytest.raises(ValueError, match="must be"):
        loaded.predict(rows, params={"method": "fit"})


def test_a_model_that_was_changed_is_not_loaded(folder: Path, tmp_path: Path) -> None:
    import shutil

    import mlflow.pyfunc

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (found,) = copy.rglob("model.pkl")
    found.write_bytes(b"other")

    with pytest.raises(ValueError, match="is not the file that manifest"):
        mlflow.pyfunc.load_model(str(copy))


def test_what_is_there_is_not_written_over(folder: Path) -> None:
    with pytest.raises(ConflictError, match="is there already"):
        export_pyfunc(folder.parent / "bundle", folder)


def test_nothing_of_nbautoml_is_asked_for(folder: Path) -> None:
    assert "nbautoml" not in (folder / "requirements.txt").read_text()
    assert not [f for f in folder.rglob("*.py") if "import nbautoml" in f.read_text()]
