"""What runs in a child process: the folds of a trial, and a fit on all rows.

The entries take a small job, read data by path, write models and predictions beside it, and
return small results.
"""

from __future__ import annotations

import functools
import math
import os
import pickle
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: estimators of scikit-learn, LightGBM and XGBoost

import numpy as np
import numpy.typing as npt
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import ThreadpoolController

from nbautoml.domain.clock import Moment
from nbautoml.domain.ports import Emit
from nbautoml.domain.tasks import Task
from nbautoml.engine.devices import device_for
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.metrics import score_classification, score_regression
from nbautoml.engine.models._base import (
    FitContext,
    FitResult,
    Matrix,
    ModelFamily,
    Vector,
    shape_of,
)
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.scaled_rows import scale_rows
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.search.candidate import LOG, Candidate, fold_seed
from nbautoml.engine.trial_data import (
    ALL_ROWS,
    DataSpec,
    featurizer_path,
    open_fold,
    read_classes,
    read_spec,
)
from nbautoml.errors import TrainingError
from nbautoml.runtime.bag import FittedPart
from nbautoml.runtime.pipeline import answer_of, spread_proba

RUN_FOLDS = "nbautoml.engine.trial:run_folds"
RUN_REFIT = "nbautoml.engine.trial:run_refit"
REFIT_FILE = "refit.pkl"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldsJob:
    """Some folds of one trial.

    Parameters
    ----------
    data : Path
        Folder of the run's data.
    out : Path
        Folder of the trial's files.
    candidate : Candidate
        What to fit.
    key : str
        The trial's key; seeds come from it.
    seed : int
        Seed of the run.
    folds : tuple of int
        Which folds, in this order.
    threads : int
        Threads of a fit.
    seconds : float or None
        Time after which the fits shall end by themselves, for all folds together.
    ends_at : Moment or None
        When they shall have ended whenever they began: a task may wait for its slot.
    use_gpu : bool
        Whether the task has a graphics card.
    """

    data: Path
    out: Path
    candidate: Candidate
    key: str
    seed: int
    folds: tuple[int, ...]
    threads: int
    seconds: float | None = None
    ends_at: Moment | None = None
    use_gpu: bool = False

    def seconds_left(self) -> float | None:
        """Return the seconds for all folds from now on; None when there is no limit."""
        left = math.inf if self.ends_at is None else self.ends_at.seconds_left()
        given = math.inf if self.seconds is None else self.seconds
        return min(left, given) if min(left, given) < math.inf else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitJob:
    """A fit on all rows; `rounds` is how long a boosting family boosts."""

    data: Path
    out: Path
    candidate: Candidate
    key: str
    seed: int
    rounds: int | None
    threads: int
    seconds: float | None = None
    use_gpu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldResult:
    """How one fold went; `cut` is after how many rounds or trees time ended its fit, if it did."""

    fold: int
    score: float
    metrics: dict[str, float]
    rounds: int | None
    fit_seconds: float
    seconds: float
    cut: int | None = None


def run_folds(job: FoldsJob, emit: Emit) -> tuple[FoldResult, ...]:
    """Fit, predict and score some folds of a trial; sends each result as soon as it is there."""
    job.out.mkdir(parents=True, exist_ok=True)
    seconds, started = job.seconds_left(), time.monotonic()
    results = []
    with _thread_limits().limit(limits=job.threads):
        for place, fold in enumerate(job.folds):
            left = None
            if seconds is not None:
                n_left = len(job.folds) - place
                left = (started + seconds - time.monotonic()) / n_left
            results.append(_run_fold(job, fold, Deadline.after(left)))
            emit(results[-1])
    return tuple(results)


def run_refit(job: RefitJob, emit: Emit) -> float:
    """Fit on all rows; return the seconds it took."""
    del emit
    job.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with _thread_limits().limit(limits=job.threads):
        family = get_family(job.candidate.family)
        prepared = _prepare(job, ALL_ROWS)
        context = _context(job, ALL_ROWS, prepared, Deadline.after(job.seconds))
        if prepared.is_constant:
            model = _constant(prepared)
        else:
            params = job.candidate.params
            model = family.refit(
                prepared.X,
                prepared.y,
                params=params,
                context=context,
                rounds=job.rounds,
                weight=prepared.weight,
            ).model
            model = _unscaled(job.candidate, model)
        _write(job.out / REFIT_FILE, pickle.dumps(_part(job, prepared, model)))
        _link_featurizer(job, ALL_ROWS)
    return time.monotonic() - started


def score_predictions(
    y: Vector, predictions: Vector, spec: DataSpec, weight: Vector | None = None
) -> dict[str, float]:
    """Return all metrics of predictions.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    predictions : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities or numbers.
    spec : DataSpec
        Task, number of classes and range of the label.
    weight : ndarray of float, shape (n_rows,), optional
        How much each row counts.
    """
    if spec.task is Task.CLASSIFICATION:
        return score_classification(
            y, predictions, spec.n_classes, sample_weight=weight, positive=spec.positive
        )
    return score_regression(
        y, predictions, y_min=spec.y_min, y_max=spec.y_max, sample_weight=weight
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """Scaled rows of a fold, with the classes of its training rows counted from 0."""

    X: Matrix
    y: Vector
    X_valid: Matrix
    y_valid: Vector
    is_log: bool
    scaler: Any | None  # a fitted transformer; None leaves codes of categories as they are
    codes: npt.NDArray[np.int64] | None
    categories: tuple[int, ...]
    weight: Vector | None
    valid_weight: Vector | None

    @property
    def is_constant(self) -> bool:
        """Whether all training rows are of one class."""
        return self.codes is not None and len(self.codes) == 1

    def rows_to_stop_on(self) -> tuple[tuple[Matrix, Vector] | None, Vector | None]:
        """Return the validation rows whose classes the training rows have, and their weights."""
        if self.codes is None:
            y = np.log1p(self.y_valid) if self.is_log else self.y_valid
            return (self.X_valid, y), self.valid_weight
        known = np.isin(self.y_valid, self.codes)
        if not known.any():
            return None, None
        y = np.searchsorted(self.codes, self.y_valid[known])
        if known.all():
            return (self.X_valid, y), self.valid_weight
        weight = None if self.valid_weight is None else self.valid_weight[known]
        return (self.X_valid[known], y), weight


def _prepare(job: FoldsJob | RefitJob, fold: int) -> _Prepared:
    candidate, spec = job.candidate, read_spec(job.data)
    rows = open_fold(job.data, candidate.representation, fold)
    is_native = candidate.representation is Representation.NATIVE
    scaler = None if is_native else candidate.scaler
    scaled = scale_rows(rows, job.data, str(candidate.representation), fold, scaler)
    y, codes = rows.y_train, None
    if spec.task is Task.CLASSIFICATION:
        codes, y = np.unique(rows.y_train, return_inverse=True)
    elif candidate.target == LOG:
        y = np.log1p(y)
    return _Prepared(
        X=scaled.X,
        y=y,
        X_valid=scaled.X_valid,
        y_valid=rows.y_valid,
        is_log=candidate.target == LOG,
        scaler=scaled.scaler,
        codes=codes,
        categories=rows.categories if is_native else (),
        weight=rows.w_train,
        valid_weight=rows.w_valid,
    )


def _run_fold(job: FoldsJob, fold: int, deadline: Deadline) -> FoldResult:
    """Do one fold, unless an earlier attempt at the task did it before its worker was lost."""
    done = _read_result(job, fold)
    if done is not None:
        return done
    result = _do_fold(job, fold, deadline)
    _write(job.out / result_file(fold), pickle.dumps((job.key, result)))
    return result


def _read_result(job: FoldsJob, fold: int) -> FoldResult | None:
    path = job.out / result_file(fold)
    if not path.exists():
        return None
    key, result = pickle.loads(path.read_bytes())
    return result if key == job.key and isinstance(result, FoldResult) else None


def _do_fold(job: FoldsJob, fold: int, deadline: Deadline) -> FoldResult:
    started = time.monotonic()
    spec = read_spec(job.data)
    family = get_family(job.candidate.family)
    prepared = _prepare(job, fold)
    context = _context(job, fold, prepared, deadline)
    before_fit = time.monotonic()
    result = _fit(family, job.candidate, prepared, context)
    fit_seconds = time.monotonic() - before_fit
    part = _part(job, prepared, _unscaled(job.candidate, result.model))
    predictions = _predict(part, prepared.X_valid, spec)
    _write(job.out / prediction_file(fold), predictions)
    _write(job.out / part_file(fold), pickle.dumps(part))
    _link_featurizer(job, fold)
    metrics = score_predictions(prepared.y_valid, predictions, spec, prepared.valid_weight)
    return FoldResult(
        fold=fold,
        score=metrics[spec.primary_metric],
        metrics=metrics,
        rounds=result.rounds,
        fit_seconds=fit_seconds,
        seconds=time.monotonic() - started,
        cut=_cut_at(family, job.candidate, prepared, result, context),
    )


def _cut_at(
    family: ModelFamily,
    candidate: Candidate,
    prepared: _Prepared,
    result: FitResult,
    context: FitContext,
) -> int | None:
    """Return after how many rounds or trees time ended a fit; 0 where that is not known."""
    if not context.deadline.is_limited or prepared.is_constant:
        return None
    n_trees: int | None = getattr(result.model, "n_estimators", None)
    if n_trees is not None:
        whole = family.build(candidate.params, shape_of(prepared.X, context), context)
        if n_trees < whole.n_estimators:
            return n_trees
    return family.rounds_of(result.model) or 0 if context.deadline.is_over() else None


def _fit(
    family: ModelFamily, candidate: Candidate, prepared: _Prepared, context: FitContext
) -> FitResult:
    if prepared.is_constant:
        return FitResult(model=_constant(prepared))
    valid, valid_weight = prepared.rows_to_stop_on()
    return family.fit(
        prepared.X,
        prepared.y,
        params=candidate.params,
        context=context,
        valid=valid,
        weight=prepared.weight,
        valid_weight=valid_weight,
    )


def _context(
    job: FoldsJob | RefitJob, fold: int, prepared: _Prepared, deadline: Deadline
) -> FitContext:
    return FitContext(
        task=read_spec(job.data).task,
        n_classes=0 if prepared.codes is None else len(prepared.codes),
        threads=job.threads,
        seed=fold_seed(job.seed, job.key, fold),
        deadline=deadline,
        categories=prepared.categories,
        device=device_for(job.use_gpu),
    )


def _constant(prepared: _Prepared) -> Any:
    """Return a model for training rows of a single class."""
    return DummyClassifier(strategy="prior").fit(prepared.X, prepared.y)


def _unscaled(candidate: Candidate, model: Any) -> Any:
    """Return a model that answers in the units of the label."""
    if candidate.target != LOG:
        return model
    wrapped = TransformedTargetRegressor(
        regressor=model, func=np.log1p, inverse_func=np.expm1, check_inverse=False
    )
    # What its `fit` would set; the model is fitted already.
    wrapped.regressor_ = model
    wrapped.transformer_ = FunctionTransformer(
        func=np.log1p, inverse_func=np.expm1, check_inverse=False
    ).fit(np.zeros((1, 1)))
    wrapped._training_dim = 1
    return wrapped


def _part(job: FoldsJob | RefitJob, prepared: _Prepared, model: Any) -> FittedPart:
    candidate = job.candidate
    return FittedPart(
        scaler=None if prepared.scaler is None else (candidate.scaler, prepared.scaler),
        model=(candidate.model_name, model),
        codes=prepared.codes,
        classes=read_classes(job.data),
    )


def _predict(part: FittedPart, X: Matrix, spec: DataSpec) -> npt.NDArray[np.float32]:
    model = part.model[1]
    if part.codes is None:
        predictions = np.asarray(answer_of(model, "predict", X), dtype=np.float32)
    else:
        proba = np.asarray(answer_of(model, "predict_proba", X), dtype=np.float64)
        predictions = spread_proba(proba, part.codes, spec.n_classes).astype(np.float32)
    if not np.isfinite(predictions).all():
        raise TrainingError(f"{part.model[0]} predicted values that are not finite numbers.")
    return predictions


def part_file(fold: int) -> str:
    """Return the name of the file of a fold's model."""
    return f"fold{fold}.pkl"


def featurizer_file(fold: int) -> str:
    """Return the name of the file of a fold's featurizer; all rows are fold -1."""
    return f"featurizer{fold}.pkl"


def result_file(fold: int) -> str:
    """Return the name of the file that tells that a fold is done, and how it went."""
    return f"fold{fold}.done"


def prediction_file(fold: int) -> str:
    """Return the name of the file of a fold's predictions."""
    return f"fold{fold}.npy"


def _link_featurizer(job: FoldsJob | RefitJob, fold: int) -> None:
    """Put the fold's featurizer beside its model: the data may lie on another machine than it."""
    source = featurizer_path(job.data, job.candidate.representation, fold)
    target = job.out / featurizer_file(fold)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that knows no links
        shutil.copyfile(source, target)


def _write(path: Path, content: bytes | npt.NDArray[Any]) -> None:
    """Write a file under another name first, so that a killed task leaves no half of it."""
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            np.save(file, content)
    draft.replace(path)


@functools.lru_cache(maxsize=1)
def _thread_limits() -> ThreadpoolController:
    """Return the controller of this process's thread pools; finding them takes milliseconds."""
    return ThreadpoolController()
