"""Scaled rows: kept in a process, shared by all, or made for a trial alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.tasks import Task
from nbautoml.engine import scaled_rows
from nbautoml.engine.featurize.build import build_adapter, build_featurizer
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models.catalog import families_for, get_family
from nbautoml.engine.profile import profile_frame
from nbautoml.engine.scaled_rows import ScaledRows, scale_rows
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial import FoldsJob, prediction_file, run_folds
from nbautoml.engine.trial_data import ALL_ROWS, DataSpec, open_fold, write_trial_data

N_ROWS = 120
FAMILIES = [
    (task, name) for task in (Task.CLASSIFICATION, Task.REGRESSION) for name in families_for(task)
]


def write(folder: Path, task: Task) -> Path:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N_ROWS, 4)) * [1, 10, 100, 1000], columns=list("abcd"))
    X["word"] = rng.choice(["x", "y"], N_ROWS)
    number = X["a"].to_numpy() + rng.normal(scale=0.1, size=N_ROWS)
    is_class = task is Task.CLASSIFICATION
    y = (number > 0).astype(np.int64) if is_class else number
    rows = np.arange(N_ROWS)
    profile = profile_frame(X, y, task)
    write_trial_data(
        folder,
        columns=build_adapter(profile).transform(X),
        y=y,
        folds=tuple((rows[rows % 2 != k], rows[rows % 2 == k]) for k in range(2)),
        spec=DataSpec(
            task=task,
            primary_metric="accuracy" if is_class else "r2_score",
            n_classes=2 if is_class else 0,
            y_min=float(y.min()),
            y_max=float(y.max()),
            n_folds=2,
        ),
        classes=np.array(["no", "yes"]) if is_class else None,
        featurizers={str(r): build_featurizer(profile, r) for r in Representation if r is r.matrix},
    )
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[Task, Path]:
    folder = tmp_path_factory.mktemp("data")
    return {task: write(folder / task.value, task) for task in {task for task, _ in FAMILIES}}


@pytest.fixture
def data(written: dict[Task, Path], tmp_path: Path) -> Path:
    """A folder whose features nobody made so far."""
    ignored = shutil.ignore_patterns("matrices")
    return Path(shutil.copytree(written[Task.CLASSIFICATION], tmp_path / "data", ignore=ignored))


@pytest.fixture
def all_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaled_rows, "_SMALL_CELLS", 0)
    monkeypatch.setattr(scaled_rows, "_SHARED_BYTES", 0)


def scaled(data: Path, representation: str, fold: int, name: str) -> ScaledRows:
    return scale_rows(open_fold(data, representation, fold), data, representation, fold, name)


def test_few_rows_are_scaled_once_for_all_trials(data: Path) -> None:
    first, again = (scaled(data, "linear", 0, "StandardScalerWrapper") for _ in range(2))
    assert again.X is first.X
    assert np.abs(first.X[:, :4].mean(axis=0)).max() < 1e-5


@pytest.mark.usefixtures("all_shared")
def test_many_rows_lie_in_a_file_that_is_made_once(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scaled(data, "linear", 0, "StandardScalerWrapper")
    monkeypatch.setattr(scaled_rows, "_scale", None)
    again = scaled(data, "linear", 0, "StandardScalerWrapper")
    for one in (first, again):
        assert isinstance(one.X.base, np.memmap)
        assert one.scaler is not None and one.X_valid is not None
    np.testing.assert_array_equal(first.X, again.X)
    np.testing.assert_array_equal(first.X_valid, again.X_valid)
    assert not list(data.rglob(".*"))


@pytest.mark.usefixtures("all_shared")
def test_shared_rows_are_those_that_a_trial_would_make_alone(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fold in (1, ALL_ROWS):
        shared = scaled(data, "linear", fold, "RobustScaler")
        monkeypatch.setattr(scaled_rows, "_SHARED_BYTES", 1 << 30)
        alone = scaled(data, "linear", fold, "RobustScaler")
        monkeypatch.setattr(scaled_rows, "_SHARED_BYTES", 0)
        assert not isinstance(alone.X.base, np.memmap)
        np.testing.assert_array_equal(shared.X, alone.X)
        assert (shared.X_valid is None) is (fold == ALL_ROWS)


@pytest.mark.usefixtures("all_shared")
def test_whoever_makes_the_same_rows_at_once_does_no_harm(data: Path) -> None:
    made = scaled(data, "linear", 0, "MinMaxScaler")
    place = next(data.rglob("MinMaxScaler"))
    scaled_rows._make(made, place)
    assert [path.name for path in place.parent.iterdir() if "MinMax" in path.name] == [place.name]


@pytest.mark.usefixtures("all_shared")
@pytest.mark.parametrize(("task", "name"), FAMILIES, ids=[f"{t.value}-{n}" for t, n in FAMILIES])
def test_each_family_fits_rows_that_it_cannot_write_to(
    task: Task, name: str, written: dict[Task, Path], tmp_path: Path
) -> None:
    if name == "CatBoost":
        pytest.importorskip("catboost")
    family = get_family(name)
    candidate = Candidate(
        family=name,
        model_name=name,
        params=family.portfolio(task)[0],
        scaler=family.scalers[0] if family.scalers else "",
    )
    job = FoldsJob(
        data=written[task],
        out=tmp_path,
        candidate=candidate,
        key=name,
        seed=0,
        folds=(0,),
        threads=1,
    )
    run_folds(job, lambda _m: None)
    assert len(np.load(tmp_path / prediction_file(0))) == N_ROWS // 2
