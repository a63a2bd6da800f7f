"""Nothing of the rows left out reaches the features of a fold, on the way that trials take."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.build import build_adapter, build_featurizer
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.profile import DataProfile, profile_frame
from nbautoml.engine.trial_data import DataSpec, open_fold, write_trial_data

MATRICES = [str(r) for r in Representation if r is r.matrix]
N = 300


def mixed_frame() -> pd.DataFrame:
    """Return a table with a column of each type, gaps included."""
    rng = np.random.default_rng(4)
    words = np.array(["red", "green", "sour", "sweet", "dry", "old", "new", "oak"])
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=N),
            "count": rng.integers(0, 500, N).astype(float),
            "few": rng.choice([1, 2, 5], N),
            "color": rng.choice(["r", "g", "b"], N),
            "city": [f"city{i}" for i in rng.integers(0, 80, N)],
            "is_new": rng.choice(["yes", "no"], N),
            "seen": pd.date_range("2023-01-01", periods=N, freq="9h"),
            "note": [" ".join(rng.choice(words, 6)) for _ in range(N)],
        }
    )
    for column in ("number", "color", "seen"):
        frame.loc[rng.choice(N, 20, replace=False), column] = None
    return frame


FRAME = mixed_frame()
LABEL = np.random.default_rng(6).integers(0, 2, N)
PROFILE = profile_frame(FRAME, LABEL, "classification")
FOLDS = tuple(StratifiedKFold(2, shuffle=True, random_state=0).split(FRAME, LABEL))

# Cells as they are read; each is far from every cell of the training rows.
ABSURD = {
    "number": 1e30,
    "count": -1e30,
    "few": "999",
    "color": "planted",
    "city": "planted",
    "is_new": np.nan,
    "seen": pd.Timestamp("1804-07-14 03:33:33"),
    "note": "planted words that occur nowhere else planted words",
}


def prepare(
    folder: Path, frame: pd.DataFrame, y: np.ndarray, profile: DataProfile, folds: tuple
) -> Path:
    """Write a run's data as `prepare` does, from cells as they are read."""
    spec = DataSpec(
        task=Task.CLASSIFICATION, primary_metric="accuracy", n_classes=2,
        y_min=0.0, y_max=1.0, n_folds=len(folds),
    )  # fmt: skip
    write_trial_data(
        folder,
        columns=frame,
        y=y,
        folds=folds,
        spec=spec,
        classes=np.array(["no", "yes"]),
        featurizers={name: build_featurizer(profile, name) for name in MATRICES},
    )
    return folder


def written(folder: Path, *, y: np.ndarray = LABEL, absurd_rows: np.ndarray | None = None) -> Path:
    read = build_adapter(PROFILE).transform(FRAME).copy(deep=True)
    if absurd_rows is not None:
        for name, cell in ABSURD.items():
            if isinstance(read[name].dtype, pd.CategoricalDtype):
                read[name] = read[name].cat.add_categories([cell])
            read.loc[absurd_rows, name] = cell
    return prepare(folder, read, y, PROFILE, FOLDS)


def dense(X: object) -> np.ndarray:
    return X.toarray() if sp.issparse(X) else np.asarray(X)


def train_bytes(folder: Path, representation: str, fold: int) -> bytes:
    return dense(open_fold(folder, representation, fold).X_train).tobytes()


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Return a folder of the data as they are; a matrix made by one test serves the next."""
    return written(tmp_path_factory.mktemp("run") / "clean")


@pytest.mark.parametrize("representation", MATRICES)
@pytest.mark.parametrize("fold", range(len(FOLDS)))
def test_labels_of_rows_left_out_change_nothing(clean, tmp_path, representation, fold):
    other = LABEL.copy()
    other[FOLDS[fold][1]] = 1 - other[FOLDS[fold][1]]
    changed = written(tmp_path / "changed", y=other)
    assert train_bytes(clean, representation, fold) == train_bytes(changed, representation, fold)


@pytest.mark.parametrize("representation", MATRICES)
@pytest.mark.parametrize("fold", range(len(FOLDS)))
def test_cells_of_rows_left_out_change_nothing(clean, tmp_path, representation, fold):
    changed = written(tmp_path / "changed", absurd_rows=FOLDS[fold][1])
    assert train_bytes(clean, representation, fold) == train_bytes(changed, representation, fold)
    valid = open_fold(changed, representation, fold).X_valid
    assert dense(valid).tobytes() != dense(open_fold(clean, representation, fold).X_valid).tobytes()


@pytest.mark.parametrize("representation", MATRICES)
def test_absurd_cells_in_training_rows_would_show(clean, tmp_path, representation):
    """The probe of the two tests above is not blind."""
    changed = written(tmp_path / "changed", absurd_rows=FOLDS[0][0][:5])
    assert train_bytes(clean, representation, 0) != train_bytes(changed, representation, 0)


@pytest.mark.parametrize("representation", ["target_encoded", "crossed"])
def test_a_training_row_does_not_see_its_own_label(tmp_path, representation):
    """Categories of one row each: with their own label the feature would be the label."""
    frame = pd.DataFrame({"c": [f"k{i // 2}" for i in range(N)]})
    profile = profile_frame(frame, LABEL, "classification")
    folder = prepare(tmp_path, build_adapter(profile).transform(frame), LABEL, profile, FOLDS)
    rows = open_fold(folder, representation, 0)
    columns = dense(rows.X_train).T
    told = [abs(roc_auc_score(rows.y_train, np.nan_to_num(c, nan=-1)) - 0.5) for c in columns]
    assert max(told) < 0.2


@pytest.mark.parametrize("representation", list(map(str, Representation)))
def test_noise_categories_have_no_skill_out_of_fold(tmp_path, representation):
    rng = np.random.default_rng(12)
    n_rows = 2_000
    frame = pd.DataFrame({f"c{j}": [f"k{i}" for i in rng.integers(0, 400, n_rows)] for j in (0, 1)})
    y = rng.integers(0, 2, n_rows)
    profile = profile_frame(frame, y, "classification")
    folds = tuple(StratifiedKFold(3, shuffle=True, random_state=1).split(frame, y))
    folder = prepare(tmp_path, build_adapter(profile).transform(frame), y, profile, folds)
    skills = []
    for model in (LogisticRegression(max_iter=200), DecisionTreeClassifier(min_samples_leaf=20)):
        scores = np.empty(n_rows)
        for number, (_, valid) in enumerate(folds):
            rows = open_fold(folder, representation, number)
            scaler = StandardScaler().fit(filled := np.nan_to_num(dense(rows.X_train), nan=-1))
            model.fit(scaler.transform(filled), rows.y_train)
            new = scaler.transform(np.nan_to_num(dense(rows.X_valid), nan=-1))
            scores[valid] = model.predict_proba(new)[:, 1]
        skills.append(roc_auc_score(y, scores))
    assert np.abs(np.array(skills) - 0.5).max() < 0.05


def fingerprint(folder: Path) -> str:
    """Return a hash of every matrix of every fold; other processes run it too."""
    digest = hashlib.sha256()
    written(folder)
    for representation in MATRICES:
        for fold in range(len(FOLDS)):
            rows = open_fold(folder, representation, fold)
            digest.update(dense(rows.X_train).tobytes())
            digest.update(dense(rows.X_valid).tobytes())
    return digest.hexdigest()


def test_matrices_do_not_depend_on_the_process(tmp_path):
    code = (
        "import pathlib, runpy, sys;"
        f"print(runpy.run_path({__file__!r})['fingerprint'](pathlib.Path(sys.argv[1])))"
    )
    env = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "there")],
        env=env,
        capture_output=True,
        check=True,
        text=True,
    )
    assert found.stdout.strip() == fingerprint(tmp_path / "here")
