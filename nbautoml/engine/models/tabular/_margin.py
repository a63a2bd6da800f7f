"""What classifiers without probabilities of their own share: calibration on rows left out."""

from __future__ import annotations

import time
import warnings
from abc import abstractmethod
from typing import Any, ClassVar  # Any: estimators of scikit-learn

import numpy as np
import numpy.typing as npt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    DataShape,
    FitContext,
    FitResult,
    Matrix,
    ModelFamily,
    Params,
    Representation,
    Vector,
    shape_of,
)

# Few rows are fitted quickly and can spare fewer for the calibration.
_FEW_ROWS = 1_000
_SPLITS_OF_FEW, _SPLITS = 5, 3

Split = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


class MarginClassifier(ModelFamily):
    """Base of families that learn a margin, which a sigmoid turns into probabilities.

    A fit is the mean of a few: each leaves out some of its training rows and fits the sigmoid
    (Platt, "Probabilistic outputs for support vector machines", 1999) on them. One of the few
    cannot be cut; when the deadline comes the later ones are left out.
    """

    tasks = frozenset({Task.CLASSIFICATION})
    representation = Representation.LINEAR
    scalers: ClassVar[tuple[str, ...]] = ("StandardScalerWrapper", "MaxAbsScaler", "RobustScaler")

    @abstractmethod
    def margin(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the classifier that is calibrated, not yet fitted."""

    def settings_for(self, X: Matrix, params: Params) -> Params:
        """Return the settings in the units of these rows."""
        del X
        return params

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        margin = self.margin(params, shape, context)
        return CalibratedClassifierCV(margin, method="sigmoid", cv=n_splits(shape.n_rows))

    def fit(
        self,
        X: Matrix,
        y: Vector,
        *,
        params: Params,
        context: FitContext,
        valid: tuple[Matrix, Vector] | None = None,
        weight: Vector | None = None,
        valid_weight: Vector | None = None,
    ) -> FitResult:
        """Fit on all but some rows and calibrate on those, several times while time lasts."""
        del valid, valid_weight
        settings = self.settings_for(X, params)
        splits = calibration_splits(y, n_splits(len(y)), context.seed)
        model: Any = None
        started = time.monotonic()
        for done, split in enumerate(splits, start=1):
            part = self.build(settings, shape_of(X, context), context).set_params(cv=[split])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                part.fit(X, y, **self.weights(weight))
            if model is None:
                model = part
            else:
                model.calibrated_classifiers_.extend(part.calibrated_classifiers_)
            context.progress(done / len(splits))
            if context.deadline.remaining() < (time.monotonic() - started) / done:
                break
        # The model keeps how many splits there were, not the positions of their rows.
        return FitResult(model=model.set_params(cv=len(splits)))


def n_splits(n_rows: int) -> int:
    """Return how often rows are left out for a calibration.

    Examples
    --------
    >>> n_splits(150), n_splits(20_000)
    (5, 3)
    """
    return _SPLITS_OF_FEW if n_rows <= _FEW_ROWS else _SPLITS


def calibration_splits(y: Vector, n: int, seed: int) -> list[Split]:
    """Return `n` pairs of the rows to fit on and those to calibrate on.

    Each class is spread over the pairs. Rows of a class with fewer than `n` of them are fitted on
    and calibrated on in every pair, so that no class is ever unknown.

    Examples
    --------
    >>> [(len(fitted), len(left_out)) for fitted, left_out in calibration_splits(
    ...     np.array([0, 0, 0, 0, 1]), 2, seed=0)]
    [(3, 3), (3, 3)]
    """
    order = np.random.default_rng(seed).permutation(len(y))
    part = np.empty(len(y), dtype=np.intp)
    for code in np.unique(y):
        rows = order[y[order] == code]
        part[rows] = np.arange(len(rows)) % n if len(rows) >= n else -1
    is_rare = part < 0
    return [(np.flatnonzero(part != i), np.flatnonzero((part == i) | is_rare)) for i in range(n)]
