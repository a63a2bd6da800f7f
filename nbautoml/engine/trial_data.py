"""The run's data on disk: written once, mapped by every trial.

A folder holds the read columns, the label and the folds. Beside them lie the matrices of each
(representation, fold), made by whichever trial needs them first: written under another name
and renamed, so that a reader finds all of a matrix or nothing.
"""

from __future__ import annotations

import functools
import json
import pickle
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any  # Any: labels and featurizers of any type, matrices dense or csr

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import scipy.sparse as sp
from pyarrow import feather

from nbautoml.domain.metrics import Direction, metric
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.heap import give_back_memory
from nbautoml.engine.metrics import score_primary
from nbautoml.engine.models._base import Matrix, Vector

ALL_ROWS = -1
"""Number of the "fold" that trains on all rows and validates on none."""

_FRAME = "frame.arrow"
_TARGET = "y.npy"
_SPEC = "spec.json"
_CLASSES = "classes.pkl"
_CATEGORIES = "categories.npy"
_WEIGHT = "weight.npy"
_FEATURIZER = "featurizer.pkl"
# Matrices of so many (representation, fold) pairs stay open in a process, where their files have
# no more bytes than this: opening larger ones again takes nothing beside a fit, and what a process
# has read of them counts as its memory for as long as they are mapped.
_OPEN_FOLDS, _SMALL_BYTES = 64, 1 << 20
# What making features of so much data leaves behind is worth giving back to the system.
_LARGE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """What scoring needs to know of the label; `positive` is the code of the positive class."""

    task: Task
    primary_metric: str
    n_classes: int
    y_min: float
    y_max: float
    n_folds: int
    positive: int | None = None

    @property
    def sign(self) -> float:
        """1 where more of the primary metric is better, else -1."""
        return 1.0 if metric(self.primary_metric).direction is Direction.MAXIMIZE else -1.0

    def gain(
        self, y: npt.ArrayLike, predictions: npt.ArrayLike, weight: npt.ArrayLike | None = None
    ) -> float:
        """Return the primary metric with the sign of which more is better; NaN where undefined.

        Parameters
        ----------
        y : array-like of shape (n_rows,)
            True class codes or numbers.
        predictions : array-like of shape (n_rows, n_classes) or (n_rows,)
            Probabilities or numbers.
        weight : array-like of shape (n_rows,), optional
            How much each row counts.
        """
        return self.sign * score_primary(
            self.primary_metric,
            y,
            predictions,
            n_classes=self.n_classes,
            y_min=self.y_min,
            y_max=self.y_max,
            sample_weight=weight,
            positive=self.positive,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldMatrices:
    """Featurized rows of one fold; `X_valid` and `y_valid` are empty when all rows train.

    ``categories`` are the positions of columns that are codes of categories. ``w_train`` and
    ``w_valid`` are the weights of the rows; None when every row counts the same.
    """

    X_train: Matrix
    y_train: Vector
    X_valid: Matrix
    y_valid: Vector
    categories: tuple[int, ...]
    w_train: Vector | None = None
    w_valid: Vector | None = None


def write_trial_data(
    folder: Path,
    *,
    columns: pd.DataFrame,
    y: Vector,
    folds: Sequence[tuple[Vector, Vector]],
    spec: DataSpec,
    classes: npt.NDArray[Any] | None,
    featurizers: Mapping[str, Any],
    weights: Vector | None = None,
) -> None:
    """Write a run's data.

    Parameters
    ----------
    folder : Path
        Where to; made when it is not there.
    columns : DataFrame of shape (n_rows, n_columns)
        Output of the input adapter.
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    folds : sequence of (ndarray, ndarray)
        Training and validation rows.
    spec : DataSpec
        What scoring needs.
    classes : ndarray of shape (n_classes,) or None
        The labels of the codes.
    featurizers : mapping of str to transformer
        Representation to unfitted featurizer.
    weights : ndarray of float, shape (n_rows,), optional
        How much each row counts; all the same when not given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(columns.reset_index(drop=True), preserve_index=False)
    # In one piece: columns of several pieces are copied when they are read.
    feather.write_feather(
        table, str(folder / _FRAME), compression="uncompressed", chunksize=max(len(table), 1)
    )
    np.save(folder / _TARGET, y)
    if weights is not None:
        np.save(folder / _WEIGHT, weights)
    for number, (train, valid) in enumerate(folds):
        np.save(folder / f"train{number}.npy", train)
        np.save(folder / f"valid{number}.npy", valid)
    (folder / _SPEC).write_text(json.dumps(asdict(spec)), encoding="utf-8")
    (folder / _CLASSES).write_bytes(pickle.dumps(classes))
    for representation, featurizer in featurizers.items():
        (folder / f"{representation}.featurizer").write_bytes(pickle.dumps(featurizer))


@functools.lru_cache(maxsize=8)
def read_spec(folder: Path) -> DataSpec:
    """Return what scoring needs to know of the label."""
    values = json.loads((folder / _SPEC).read_text(encoding="utf-8"))
    return DataSpec(**{**values, "task": Task(values["task"])})


@functools.lru_cache(maxsize=8)
def read_classes(folder: Path) -> npt.NDArray[Any] | None:
    """Return the labels of the class codes."""
    classes: npt.NDArray[Any] | None = pickle.loads((folder / _CLASSES).read_bytes())
    return classes


def open_fold(folder: Path, representation: str, fold: int) -> FoldMatrices:
    """Return a fold's matrices, making them when no trial did so before.

    Parameters
    ----------
    folder : Path
        What `write_trial_data` wrote.
    representation : str
        Name of a `Representation`.
    fold : int
        Number of the fold, or `ALL_ROWS`.
    """
    place = _find_fold(folder, representation, fold)
    return (_open_small if _is_small(place) else _open)(folder, fold, place)


def featurizer_path(folder: Path, representation: str, fold: int) -> Path:
    """Return the file of the featurizer that was fitted on a fold's training rows.

    Parameters
    ----------
    folder, representation, fold
        As `open_fold` takes them.
    """
    return _find_fold(folder, representation, fold) / _FEATURIZER


@functools.lru_cache(maxsize=_OPEN_FOLDS)
def _find_fold(folder: Path, representation: str, fold: int) -> Path:
    """Return the folder of a fold's matrices, made when no trial did so before."""
    name = "all" if fold == ALL_ROWS else str(fold)
    representation = str(Representation(representation).matrix)
    place = folder / "matrices" / f"{representation}-{name}"
    if not place.exists():
        _make_fold(folder, representation, fold, place)
    return place


@functools.lru_cache(maxsize=_OPEN_FOLDS)
def _is_small(place: Path) -> bool:
    return sum(file.stat().st_size for file in place.glob("*.npy")) <= _SMALL_BYTES


def _open(folder: Path, fold: int, place: Path) -> FoldMatrices:
    train, valid = _rows(folder, fold)
    y = np.load(folder / _TARGET, mmap_mode="r")
    weight = _weights(folder)
    return FoldMatrices(
        X_train=_load_matrix(place, "train"),
        y_train=np.asarray(y[train]),
        X_valid=_load_matrix(place, "valid") if fold != ALL_ROWS else None,
        y_valid=np.asarray(y[valid]),
        categories=tuple(np.load(place / _CATEGORIES).tolist()),
        w_train=None if weight is None else np.asarray(weight[train]),
        w_valid=None if weight is None else np.asarray(weight[valid]),
    )


_open_small = functools.lru_cache(maxsize=_OPEN_FOLDS)(_open)


def _weights(folder: Path) -> Vector | None:
    path = folder / _WEIGHT
    weights: Vector | None = np.load(path, mmap_mode="r") if path.exists() else None
    return weights


def _rows(folder: Path, fold: int) -> tuple[Vector, Vector]:
    if fold == ALL_ROWS:
        n_rows = len(np.load(folder / _TARGET, mmap_mode="r"))
        return np.arange(n_rows), np.arange(0)
    return np.load(folder / f"train{fold}.npy"), np.load(folder / f"valid{fold}.npy")


def _make_fold(folder: Path, representation: str, fold: int, place: Path) -> None:
    table = feather.read_table(str(folder / _FRAME), memory_map=True)
    # Columns stay views of the file where they can; a block of them would be a copy.
    frame = table.to_pandas(split_blocks=True)
    y = np.load(folder / _TARGET, mmap_mode="r")
    train, valid = _rows(folder, fold)
    featurizer = pickle.loads((folder / f"{representation}.featurizer").read_bytes())
    with making(place) as made:
        train_rows = featurizer.fit_transform(frame.iloc[train], np.asarray(y[train]))
        _save_matrix(made, "train", train_rows)
        del train_rows
        if fold != ALL_ROWS:
            _save_matrix(made, "valid", featurizer.transform(frame.iloc[valid]))
        np.save(made / _CATEGORIES, featurizer.categorical_features_)
        (made / _FEATURIZER).write_bytes(pickle.dumps(featurizer))
    if table.nbytes > _LARGE_BYTES:
        del frame
        give_back_memory()  # a fit follows in this process


@contextmanager
def making(place: Path) -> Iterator[Path]:
    """Give a folder to fill, which is at `place` when all is there.

    Several processes may make the same at once; the first one's is kept.
    """
    made = place.with_name(f".{place.name}-{uuid.uuid4().hex}")
    made.mkdir(parents=True)
    yield made
    try:
        made.rename(place)
    except OSError:
        if not place.exists():
            raise
        shutil.rmtree(made)  # another process made the same meanwhile


def _save_matrix(folder: Path, part: str, X: Matrix) -> None:
    if not sp.issparse(X):
        np.save(folder / f"{part}.npy", np.ascontiguousarray(X, dtype=np.float32))
        return
    X = sp.csr_matrix(X, dtype=np.float32)
    for name in ("data", "indices", "indptr"):
        np.save(folder / f"{part}.{name}.npy", getattr(X, name))
    np.save(folder / f"{part}.shape.npy", np.array(X.shape))


def _load_matrix(folder: Path, part: str) -> Matrix:
    dense = folder / f"{part}.npy"
    if dense.exists():
        return np.asarray(np.load(dense, mmap_mode="r"))
    pieces = [np.load(folder / f"{part}.{n}.npy") for n in ("data", "indices", "indptr")]
    shape = tuple(int(n) for n in np.load(folder / f"{part}.shape.npy"))
    return sp.csr_matrix(tuple(pieces), shape=shape)
