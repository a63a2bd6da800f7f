"""What a trial does in its child process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine import trial_data
from nbautoml.engine.featurize.build import build_adapter, build_featurizer
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.metrics import score_classification
from nbautoml.engine.profile import profile_frame
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial import (
    FoldResult,
    FoldsJob,
    RefitJob,
    part_file,
    prediction_file,
    run_folds,
    run_refit,
)
from nbautoml.engine.trial_data import (
    ALL_ROWS,
    DataSpec,
    featurizer_path,
    open_fold,
    write_trial_data,
)
from nbautoml.runtime.bag import FittedPart

LIGHT_GBM = Candidate(
    family="LightGBM",
    model_name="LightGBM",
    params={
        "learning_rate": 0.1,
        "num_leaves": 7,
        "min_child_samples": 5,
        "colsample_bytree": 0.5,
        "subsample": 0.8,
        "reg_alpha": 0.0,
        "reg_lambda": 0.0,
        "extra_trees": True,
    },
    scaler="MaxAbsScaler",
)
LINEAR = Candidate(
    family="LogisticRegression",
    model_name="LogisticRegression",
    params={"C": 1.0, "class_weight": None},
    scaler="StandardScalerWrapper",
)
N_ROWS = 150
MATRICES = [r for r in Representation if r is r.matrix]


def frame(n_rows: int = N_ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    colors = rng.choice(["red", "green", "blue"], n_rows)
    return pd.DataFrame({"size": rng.normal(size=n_rows), "color": colors})


def write(
    folder: Path,
    y: np.ndarray,
    *,
    task: Task = Task.CLASSIFICATION,
    n_classes: int = 3,
    weights: np.ndarray | None = None,
) -> Path:
    X = frame(len(y))
    profile = profile_frame(X, y, task)
    rows = np.arange(len(y))
    folds = tuple((rows[rows % 3 != k], rows[rows % 3 == k]) for k in range(3))
    is_class = task is Task.CLASSIFICATION
    spec = DataSpec(
        task=task,
        primary_metric="accuracy" if is_class else "r2_score",
        n_classes=n_classes if is_class else 0,
        y_min=float(np.min(y)),
        y_max=float(np.max(y)),
        n_folds=3,
    )
    write_trial_data(
        folder,
        columns=build_adapter(profile).transform(X),
        y=y,
        folds=folds,
        spec=spec,
        classes=np.array(["a", "b", "c"])[:n_classes] if is_class else None,
        featurizers={str(r): build_featurizer(profile, r) for r in MATRICES},
        weights=weights,
    )
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    size = frame()["size"].to_numpy()
    return write(tmp_path / "data", np.digitize(size, [-0.5, 0.5]).astype(np.int64))


@pytest.fixture
def job(data: Path, tmp_path: Path) -> FoldsJob:
    return FoldsJob(
        data=data,
        out=tmp_path / "out",
        candidate=LIGHT_GBM,
        key="key",
        seed=0,
        folds=(0, 1, 2),
        threads=1,
    )


def collect(results: list[FoldResult]) -> Callable[[object], None]:
    def emit(body: object) -> None:
        assert isinstance(body, FoldResult)
        results.append(body)

    return emit


def test_each_fold_is_sent_as_it_ends_and_returned(job: FoldsJob) -> None:
    sent: list[FoldResult] = []
    returned = run_folds(job, collect(sent))
    assert tuple(sent) == returned
    assert [r.fold for r in returned] == [0, 1, 2]


def test_a_fold_has_all_metrics_of_its_task(job: FoldsJob) -> None:
    (result,) = run_folds(replace(job, folds=(1,)), lambda _m: None)
    assert set(result.metrics) == {m.name for m in metrics_for(Task.CLASSIFICATION)}
    assert result.score == result.metrics["accuracy"] > 0.5
    assert result.rounds is not None and result.rounds >= 1
    assert 0.0 < result.fit_seconds <= result.seconds


def test_predictions_are_of_the_validation_rows(job: FoldsJob) -> None:
    run_folds(job, lambda _m: None)
    predictions = np.load(job.out / prediction_file(2))
    assert predictions.shape == (N_ROWS // 3, 3)
    np.testing.assert_allclose(predictions.sum(axis=1), 1.0, atol=1e-5)


def test_a_part_predicts_what_was_scored(job: FoldsJob) -> None:
    run_folds(job, lambda _m: None)
    part: FittedPart = pickle.loads((job.out / part_file(0)).read_bytes())
    X = part.scaler[1].transform(open_fold(job.data, "tree", 0).X_valid)
    expected = np.load(job.out / prediction_file(0))
    np.testing.assert_allclose(part.model[1].predict_proba(X), expected, atol=1e-6)


def test_the_same_job_gives_the_same_predictions(job: FoldsJob, tmp_path: Path) -> None:
    again = replace(job, out=tmp_path / "again")
    run_folds(job, lambda _m: None)
    run_folds(again, lambda _m: None)
    first, second = (np.load(j.out / prediction_file(0)) for j in (job, again))
    np.testing.assert_array_equal(first, second)


def test_folds_in_other_tasks_give_the_same_predictions(job: FoldsJob, tmp_path: Path) -> None:
    alone = replace(job, out=tmp_path / "alone", folds=(2,))
    run_folds(job, lambda _m: None)
    run_folds(alone, lambda _m: None)
    first, second = (np.load(j.out / prediction_file(2)) for j in (job, alone))
    np.testing.assert_array_equal(first, second)


def test_another_seed_gives_another_model(job: FoldsJob, tmp_path: Path) -> None:
    other = replace(job, out=tmp_path / "other", seed=1)
    run_folds(job, lambda _m: None)
    run_folds(other, lambda _m: None)
    first, second = (np.load(j.out / prediction_file(0)) for j in (job, other))
    assert not np.array_equal(first, second)


def test_the_representation_is_that_of_the_family(job: FoldsJob) -> None:
    run_folds(replace(job, candidate=LINEAR, folds=(0,)), lambda _m: None)
    made = {path.name for path in (job.data / "matrices").iterdir()}
    assert made == {"linear-0"}


def test_matrices_are_made_once_and_mapped(job: FoldsJob) -> None:
    run_folds(replace(job, folds=(0,)), lambda _m: None)
    written = (job.data / "matrices" / "tree-0" / "train.npy").stat().st_mtime_ns
    trial_data._open_small.cache_clear()
    rows = open_fold(job.data, "tree", 0)
    assert (job.data / "matrices" / "tree-0" / "train.npy").stat().st_mtime_ns == written
    assert not rows.X_train.flags.writeable
    assert rows.X_train.dtype == np.float32


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_only_small_matrices_stay_open(
    monkeypatch: pytest.MonkeyPatch, data: Path, limit: int
) -> None:
    monkeypatch.setattr(trial_data, "_SMALL_BYTES", limit)
    trial_data._is_small.cache_clear()
    first, second = (open_fold(data, "linear", 0) for _ in range(2))
    assert (first is second) == (limit > 0)
    assert np.array_equal(first.X_train, second.X_train)


def test_features_are_learned_from_training_rows_only(data: Path) -> None:
    rows = open_fold(data, "linear", 0)
    featurizer = pickle.loads(featurizer_path(data, "linear", 0).read_bytes())
    again = open_fold(data, "linear", ALL_ROWS)
    assert rows.X_train.shape[0] == 100
    assert again.X_train.shape[0] == N_ROWS
    assert again.X_valid is None
    assert len(featurizer.get_feature_names_out()) == rows.X_train.shape[1]


def test_a_training_part_of_one_class_gets_a_constant_model(tmp_path: Path, job: FoldsJob) -> None:
    y = np.where(np.arange(30) % 3 == 0, 0, 1)  # fold 0 trains on ones alone
    one_class = replace(job, data=write(tmp_path / "one", y, n_classes=2), folds=(0,))
    (result,) = run_folds(one_class, lambda _m: None)
    assert result.score == 0.0
    predictions = np.load(job.out / prediction_file(0))
    np.testing.assert_array_equal(predictions, np.tile([0.0, 1.0], (10, 1)))


def test_a_class_of_validation_rows_alone_gets_probability_0(tmp_path: Path, job: FoldsJob) -> None:
    y = np.digitize(frame(60)["size"].to_numpy(), [0.0]).astype(np.int64)
    y[[0, 3]] = 2  # rows of fold 0's validation part
    rare = replace(job, data=write(tmp_path / "rare", y), folds=(0,))
    run_folds(rare, lambda _m: None)
    predictions = np.load(job.out / prediction_file(0))
    assert predictions.shape == (20, 3)
    assert (predictions[:, 2] == 0.0).all()


def test_numbers_are_learned_too(tmp_path: Path, job: FoldsJob) -> None:
    y = 3.0 * frame()["size"].to_numpy() + 100.0
    numbers = replace(job, data=write(tmp_path / "numbers", y, task=Task.REGRESSION), folds=(0,))
    (result,) = run_folds(numbers, lambda _m: None)
    assert set(result.metrics) == {m.name for m in metrics_for(Task.REGRESSION)}
    assert result.score > 0.8
    assert np.load(job.out / prediction_file(0)).shape == (50,)


def test_a_refit_learns_from_all_rows_for_the_given_rounds(job: FoldsJob) -> None:
    refit = RefitJob(
        data=job.data,
        out=job.out,
        candidate=LIGHT_GBM,
        key="key",
        seed=0,
        rounds=9,
        threads=1,
    )
    assert run_refit(refit, lambda _m: None) > 0.0
    part: FittedPart = pickle.loads((job.out / "refit.pkl").read_bytes())
    assert part.model[1].booster_.current_iteration() == 9
    assert part.classes is not None and part.classes.tolist() == ["a", "b", "c"]


def test_time_ends_a_boosting_fit_with_a_model(job: FoldsJob) -> None:
    slow = replace(LIGHT_GBM, params={**LIGHT_GBM.params, "learning_rate": 0.008})
    hasty = replace(job, candidate=slow, folds=(0,), seconds=1e-9)
    (result,) = run_folds(hasty, lambda _m: None)
    assert result.rounds == 1


@pytest.mark.parametrize("features", list(Representation))
def test_every_representation_is_fitted_and_refit(job: FoldsJob, features: Representation) -> None:
    candidate = replace(LIGHT_GBM, features=str(features))
    results = run_folds(replace(job, candidate=candidate), collect([]))
    assert min(result.score for result in results) > 0.8
    refit = RefitJob(
        data=job.data, out=job.out, candidate=candidate, key="key", seed=0, rounds=9, threads=1
    )
    run_refit(refit, print)
    part: FittedPart = pickle.loads((job.out / "refit.pkl").read_bytes())
    assert (part.scaler is None) == (features is Representation.NATIVE)


def test_native_categories_are_told_to_the_model(job: FoldsJob) -> None:
    candidate = replace(LIGHT_GBM, features="native")
    run_folds(replace(job, candidate=candidate), collect([]))
    part: FittedPart = pickle.loads((job.out / part_file(0)).read_bytes())
    text = part.model[1].booster_.model_to_string()
    assert "feature_infos=[" in text
    assert ":" in text.split("feature_infos=")[1].splitlines()[0].split(" ")[1]  # a set of codes


def test_labels_learned_as_logarithms_are_answered_as_they_are(tmp_path: Path) -> None:
    y = np.exp(2.0 * frame()["size"].to_numpy()) + 10.0
    job = FoldsJob(
        data=write(tmp_path / "data", y, task=Task.REGRESSION),
        out=tmp_path / "out",
        candidate=replace(LIGHT_GBM, target="log"),
        key="key",
        seed=0,
        folds=(0, 1, 2),
        threads=1,
    )
    run_folds(job, collect([]))
    valid = np.load(tmp_path / "data" / "valid0.npy")
    predictions = np.load(job.out / prediction_file(0))
    assert np.corrcoef(np.log(predictions), np.log(y[valid]))[0, 1] > 0.9
    assert predictions.min() > 8.0
    part: FittedPart = pickle.loads((job.out / part_file(0)).read_bytes())
    fold = open_fold(job.data, "tree", 0)
    assert part.scaler is not None
    again = part.model[1].predict(part.scaler[1].transform(fold.X_valid))
    assert np.allclose(again, predictions, rtol=1e-5)


def weighted(job: FoldsJob, folder: Path, weights: np.ndarray, candidate: Candidate) -> FoldsJob:
    """Return a job on labels that the size tells badly, with weights of the rows."""
    y = (frame()["size"].to_numpy() > 0).astype(np.int64)
    y[::4] = 1 - y[::4]
    data = write(folder / "weighted", y, n_classes=2, weights=weights)
    return replace(job, data=data, candidate=candidate, out=folder / "weighted-out", folds=(0,))


@pytest.mark.parametrize("candidate", [LINEAR, LIGHT_GBM], ids=["linear", "boosted"])
def test_fits_follow_the_weights(job: FoldsJob, tmp_path: Path, candidate: Candidate) -> None:
    """Rows that count nothing leave the labels as the size tells them."""
    honest = np.where(np.arange(N_ROWS) % 4 == 0, 1e-9, 1.0)
    found = {}
    for name, weights in (("honest", honest), ("equal", np.ones(N_ROWS))):
        made = weighted(job, tmp_path / name, weights, candidate)
        run_folds(made, lambda _m: None)
        predictions = np.load(made.out / prediction_file(0))
        valid = np.load(made.data / "valid0.npy")
        rule = (frame()["size"].to_numpy() > 0).astype(np.int64)[valid]
        found[name] = -np.log(predictions[np.arange(len(valid)), rule]).mean()
    assert found["honest"] < 0.6 * found["equal"]


def test_every_metric_counts_rows_by_their_weight(job: FoldsJob, tmp_path: Path) -> None:
    weights = np.random.default_rng(0).uniform(0.1, 5.0, N_ROWS)
    made = weighted(job, tmp_path, weights, LINEAR)
    (result,) = run_folds(made, lambda _m: None)
    predictions = np.load(made.out / prediction_file(0))
    rows = open_fold(made.data, "linear", 0)
    expected = score_classification(rows.y_valid, predictions, 2, sample_weight=rows.w_valid)
    plain = score_classification(rows.y_valid, predictions, 2)
    assert result.metrics == pytest.approx(expected, nan_ok=True)
    assert result.metrics["log_loss"] != pytest.approx(plain["log_loss"])


def test_early_stopping_counts_rows_by_their_weight(job: FoldsJob, tmp_path: Path) -> None:
    """Validation rows whose labels are turned around end the boosting at once, if they count."""
    y = (frame()["size"].to_numpy() > 0).astype(np.int64)
    valid = np.arange(0, N_ROWS, 3)
    turned = valid[::2]
    y[turned] = 1 - y[turned]
    rounds = {}
    for name, weight in (("ignored", 1e-6), ("heavy", 100.0)):
        weights = np.ones(N_ROWS)
        weights[turned] = weight
        data = write(tmp_path / name, y, n_classes=2, weights=weights)
        made = replace(job, data=data, out=tmp_path / f"{name}-out", folds=(0,))
        (result,) = run_folds(made, lambda _m: None)
        rounds[name] = result.rounds
    assert rounds["heavy"] < rounds["ignored"]


def test_a_refit_follows_the_weights(job: FoldsJob, tmp_path: Path) -> None:
    coefficients = []
    for name, low in (("equal", 1.0), ("honest", 1e-9)):
        weights = np.where(np.arange(N_ROWS) % 4 == 0, low, 1.0)
        made = weighted(job, tmp_path / name, weights, LINEAR)
        refit = RefitJob(
            data=made.data, out=made.out, candidate=LINEAR, key="k", seed=0, rounds=None, threads=1
        )
        run_refit(refit, lambda _m: None)
        part: FittedPart = pickle.loads((made.out / "refit.pkl").read_bytes())
        coefficients.append(np.abs(part.model[1].coef_).max())
    assert coefficients[1] > 2 * coefficients[0]


def test_numbers_are_weighted_too(job: FoldsJob, tmp_path: Path) -> None:
    y = 3.0 * frame()["size"].to_numpy() + 100.0
    weights = np.random.default_rng(0).uniform(0.1, 5.0, N_ROWS)
    data = write(tmp_path / "numbers", y, task=Task.REGRESSION, weights=weights)
    (result,) = run_folds(replace(job, data=data, folds=(0,)), lambda _m: None)
    rows = open_fold(data, "tree", 0)
    predictions = np.load(job.out / prediction_file(0))
    expected = np.average((predictions - rows.y_valid) ** 2, weights=rows.w_valid) ** 0.5
    assert result.metrics["root_mean_squared_error"] == pytest.approx(expected, rel=1e-6)
