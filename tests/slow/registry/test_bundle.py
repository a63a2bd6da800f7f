from __future__ import annotations

import json
import pickle
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_iris
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from nbautoml.errors import ModelError
from nbautoml.registry import bundle as bundles
from nbautoml.registry.schema import describe_frame
from nbautoml.registry.trust import sha256_of
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter


@pytest.fixture(scope="module")
def iris() -> tuple[pd.DataFrame, pd.Series]:
    data = load_iris(as_frame=True)
    return data.data, data.target.map(dict(enumerate(data.target_names)))


@pytest.fixture(scope="module")
def model(iris: tuple[pd.DataFrame, pd.Series]) -> Pipeline:
    X, y = iris
    columns = [ColumnFormat(name=name, kind="number") for name in X.columns]
    tree = DecisionTreeClassifier(random_state=0, max_depth=3)
    return make_pipeline(InputAdapter(columns), StandardScaler(), tree).fit(X, y)


@pytest.fixture
def bundle(model: Pipeline, iris: tuple[pd.DataFrame, pd.Series], tmp_path: Path) -> bundles.Bundle:
    return _export(model, iris[0], tmp_path / "bundle")


def _export(model: object, X: pd.DataFrame, folder: Path) -> bundles.Bundle:
    return bundles.export_bundle(
        model,
        folder,
        schema=describe_frame(X, task="classification", label="species"),
        sample=X,
        metrics={"accuracy": 0.9, "log_loss": float("nan")},
        run_id="AutoML_x_3",
        clock=lambda: 12.5,
    )


def test_the_manifest_names_every_other_file_with_its_hash(bundle: bundles.Bundle) -> None:
    manifest = json.loads((bundle.folder / "manifest.json").read_text())
    others = {p.name: sha256_of(p) for p in bundle.folder.iterdir() if p.name != "manifest.json"}

    assert manifest["files"] == others
    assert set(bundle.files) == {*others, "manifest.json"}


def test_the_manifest_says_where_it_comes_from(bundle: bundles.Bundle) -> None:
    manifest = json.loads((bundle.folder / "manifest.json").read_text())

    assert (manifest["run_id"], manifest["created_at"]) == ("AutoML_x_3", 12.5)
    assert manifest["metrics"] == {"accuracy": 0.9, "log_loss": None}
    assert manifest["sample_result"] == ["setosa"] * bundles.SAMPLE_ROWS


def test_the_pins_are_what_the_model_imports_and_no_more(bundle: bundles.Bundle) -> None:
    names = {line.split("==")[0] for line in _requirements(bundle)}

    assert {"cloudpickle", "numpy", "pandas", "scikit-learn"} <= names
    assert names & {"nbautoml", "lightgbm", "xgboost", "xgboost-cpu", "dask", "plotly"} == set()


def test_the_conda_file_holds_the_same_pins(bundle: bundles.Bundle) -> None:
    environment = yaml.safe_load((bundle.folder / "conda_env_v_1_0_0.yml").read_text())

    assert environment["dependencies"][-1]["pip"] == _requirements(bundle)


def test_the_model_predicts_the_same_after_loading(
    bundle: bundles.Bundle, model: Pipeline, iris: tuple[pd.DataFrame, pd.Series]
) -> None:
    loaded = pickle.loads((bundle.folder / "model.pkl").read_bytes())

    np.testing.assert_array_equal(loaded.predict(iris[0]), model.predict(iris[0]))
    np.testing.assert_allclose(loaded.predict_proba(iris[0]), model.predict_proba(iris[0]))


def test_a_second_export_replaces_the_first(
    bundle: bundles.Bundle, model: Pipeline, iris: tuple[pd.DataFrame, pd.Series]
) -> None:
    again = _export(model, iris[0].iloc[5:], bundle.folder)

    assert again.files["sample.json"] != bundle.files["sample.json"]
    assert "manifest.json" not in json.loads((again.folder / "manifest.json").read_text())["files"]


def test_code_of_nbautoml_outside_the_runtime_is_refused() -> None:
    data = b"cnbautoml.domain.tasks\nTask\n."

    with pytest.raises(
        ModelError, match=r"nbautoml\.domain\.tasks\.Task.*belongs in nbautoml\.run"
    ):
        bundles.load_and_trace(data)


def test_a_module_of_no_installed_package_is_refused() -> None:
    with pytest.raises(ModelError, match="'my_own_code', which belongs to no installed package"):
        bundles.versions_of(frozenset({"my_own_code"}))


def test_a_model_that_changes_when_it_is_pickled_is_refused(
    iris: tuple[pd.DataFrame, pd.Series], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="predicts other values after it was written"):
        _export(Forgetful(), iris[0], tmp_path)

    assert not (tmp_path / "model.pkl").exists()


class Forgetful:
    """Loses its state on the way through a pickle."""

    value = 1

    def __reduce__(self) -> tuple[type[list[int]], tuple[()]]:
        return (_Zeros, ())

    def predict(self, X: pd.DataFrame) -> list[int]:
        return [self.value] * len(X)


class _Zeros(list[int]):
    def predict(self, X: pd.DataFrame) -> list[int]:
        return [0] * len(X)


def test_modules_that_the_pickle_imports_by_name_are_traced() -> None:
    _, modules = bundles.load_and_trace(cloudpickle.dumps(lambda: yaml.safe_dump({})))

    assert "yaml" in modules


def test_xgboost_is_pinned_for_each_platform() -> None:
    assert bundles.requirement_lines({"xgboost": "3.2.0"}) == [
        'xgboost-cpu==3.2.0 ; sys_platform != "darwin"',
        'xgboost==3.2.0 ; sys_platform == "darwin"',
    ]


def test_by_value_pickling_is_switched_off_afterwards(bundle: bundles.Bundle) -> None:
    assert b"nbautoml.runtime.input_adapter" in cloudpickle.dumps(InputAdapter([]))
    assert len(cloudpickle.dumps(InputAdapter([]))) < len(bundles.dump_by_value(InputAdapter([])))


def _requirements(bundle: bundles.Bundle) -> list[str]:
    return (bundle.folder / "requirements.txt").read_text().splitlines()


def test_the_scripts_of_a_bundle_share_their_code_word_by_word() -> None:
    """Each has to work when it is copied alone, so that it holds all that it needs."""
    import ast

    folder = Path(bundles.__file__).parent / "templates"
    functions: dict[str, set[str]] = {}
    for name in (bundles.SCORING_FILE, bundles.NAMED_SCORING_FILE, "score.py"):
        for node in ast.parse((folder / name).read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name not in ("run", "main"):
                functions.setdefault(node.name, set()).add(ast.unparse(node))

    assert {"init", "predict", "to_frame", "cast", "load_model", "check_versions"} <= set(functions)
    assert [name for name, versions in functions.items() if len(versions) != 1] == []


def test_a_run_can_be_asked_for_its_dependencies(bundle: bundles.Bundle) -> None:
    named = json.loads((bundle.folder / "env_dependencies.json").read_text())

    assert named == dict(bundle.packages)
