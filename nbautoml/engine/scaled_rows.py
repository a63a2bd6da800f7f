"""Rows of a fold behind a scaler: kept in the process where they are few, else shared by all.

Scaling costs as much as a fit on few rows, and as much memory as the features on many.
"""

from __future__ import annotations

import functools
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: a fitted transformer

import numpy as np

from nbautoml.engine.heap import give_back_memory
from nbautoml.engine.models._base import Matrix
from nbautoml.engine.trial_data import FoldMatrices, featurizer_path, making, open_fold
from nbautoml.runtime import scalers

# Scaled rows of so many folds stay in a process, where they have no more cells than this: at
# most 64 MiB of floats.
_SCALED_FOLDS, _SMALL_CELLS = 64, 1 << 18
# From this size on, dense rows lie in a file that all processes of the machine map.
_SHARED_BYTES = 8 << 20
_SCALER, _TRAIN, _VALID = "scaler.pkl", "train.npy", "valid.npy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledRows:
    """Rows of a fold behind a scaler; `X_valid` is None when all rows train."""

    scaler: Any | None  # a fitted transformer; None leaves codes of categories as they are
    X: Matrix
    X_valid: Matrix | None


def scale_rows(
    rows: FoldMatrices, data: Path, representation: str, fold: int, scaler_name: str | None
) -> ScaledRows:
    """Return the rows of a fold, scaled as the training rows of the fold say.

    Parameters
    ----------
    rows : FoldMatrices
        What `open_fold` returns for the next three.
    data : Path
        Folder of the run's data.
    representation : str
        Name of a `Representation`.
    fold : int
        Number of the fold, or `nbautoml.engine.trial_data.ALL_ROWS`.
    scaler_name : str or None
        A class of `nbautoml.runtime.scalers`; None for rows as they are.
    """
    if scaler_name is None:
        return ScaledRows(scaler=None, X=rows.X_train, X_valid=rows.X_valid)
    if rows.X_train.size <= _SMALL_CELLS:
        return _scale_small(data, representation, fold, scaler_name)
    if isinstance(rows.X_train, np.ndarray) and rows.X_train.nbytes >= _SHARED_BYTES:
        place = featurizer_path(data, representation, fold).with_name(scaler_name)
        return _scale_shared(rows, scaler_name, place)
    return _scale(rows, scaler_name)


def _scale(rows: FoldMatrices, scaler_name: str) -> ScaledRows:
    scaler = getattr(scalers, scaler_name)().fit(rows.X_train)
    return ScaledRows(
        scaler=scaler,
        X=scaler.transform(rows.X_train),
        X_valid=None if rows.X_valid is None else scaler.transform(rows.X_valid),
    )


@functools.lru_cache(maxsize=_SCALED_FOLDS)
def _scale_small(data: Path, representation: str, fold: int, scaler_name: str) -> ScaledRows:
    """Return scaled rows that are kept for the next trials."""
    return _scale(open_fold(data, representation, fold), scaler_name)


def _scale_shared(rows: FoldMatrices, scaler_name: str, place: Path) -> ScaledRows:
    """Return scaled rows as they lie in files, which the first process makes that needs them."""
    if not place.exists():
        _make(_scale(rows, scaler_name), place)
        give_back_memory()  # a fit follows in this process
    valid = place / _VALID
    return ScaledRows(
        scaler=pickle.loads((place / _SCALER).read_bytes()),
        X=np.asarray(np.load(place / _TRAIN, mmap_mode="r")),
        X_valid=np.asarray(np.load(valid, mmap_mode="r")) if valid.exists() else None,
    )


def _make(scaled: ScaledRows, place: Path) -> None:
    with making(place) as made:
        (made / _SCALER).write_bytes(pickle.dumps(scaled.scaler))
        np.save(made / _TRAIN, scaled.X)
        if scaled.X_valid is not None:
            np.save(made / _VALID, scaled.X_valid)
