"""LassoLars: linear regression with an L1 penalty, found along the path of least angle."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoLars as SklearnLassoLars

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    DataShape,
    FitContext,
    FitResult,
    Matrix,
    ModelFamily,
    Params,
    Representation,
    SearchSpace,
    Span,
    Vector,
    shape_of,
)
from nbautoml.engine.models.tabular._linear import spread_of

# The path needs the products of all pairs of columns, and dense rows.
_MOST_COLUMNS = 2_000
_MOST_CELLS = 50_000_000
# A deviation of a column that moves the answer by more deviations of the target than this does so
# against another column; real ones stay below 3 on two dozen public tables.
_MOST_REACH = 20.0
# A step adds or drops a column.
_MOST_STEPS = 300


class LassoLars(ModelFamily):
    """Lasso by least angle regression (`sklearn.linear_model.LassoLars`).

    Notes
    -----
    ``alpha`` is meant for a target of unit spread and is multiplied by the target's own, as
    coefficients scale with it. The estimator takes no weights of rows and cannot be cut.
    """

    name: ClassVar[str] = "LassoLars"
    aliases: ClassVar[tuple[str, ...]] = ("LassoLarsWrapper", "LARS")
    tasks = frozenset({Task.REGRESSION})
    representation = Representation.LINEAR
    uses_weight: ClassVar[bool] = False
    scalers: ClassVar[tuple[str, ...]] = ("StandardScalerWrapper", "MaxAbsScaler", "RobustScaler")
    delay: ClassVar[float] = 1.4

    def suits(self, shape: DataShape) -> bool:
        """Whether the columns are few enough for their path."""
        n_cells = shape.n_rows * shape.n_columns
        return shape.n_rows > 1 and shape.n_columns <= _MOST_COLUMNS and n_cells <= _MOST_CELLS

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace({"alpha": Span(1e-5, 0.5, is_log=True)})

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return ({"alpha": 3e-3}, {"alpha": 3e-4})

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        columns = shape.n_columns
        products = 4e-10 * shape.n_rows * columns**2
        return 3e-3 + 3e-8 * shape.n_rows * columns + products + 1e-7 * min(columns, 300) * columns

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input: dense rows, products."""
        return 16.0 * shape.n_rows * shape.n_columns + 16.0 * shape.n_columns**2

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        return SklearnLassoLars(**params, max_iter=_MOST_STEPS, random_state=context.seed)

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
        """Fit on rows; in float64, as the path is lost to rounding otherwise."""
        del valid, weight, valid_weight
        settings = dict(params) | {"alpha": params["alpha"] * spread_of(y)}
        model = self.build(settings, shape_of(X, context), context)
        dense = X.toarray() if sparse.issparse(X) else X
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(dense.astype(np.float64), y)
        keep_sane(model, dense, y)
        return FitResult(model=model)


def keep_sane(model: Any, X: npt.NDArray[np.floating[Any]], y: Vector) -> None:
    """Go back on the path to where no column moves the answer by far more than the target varies.

    Of columns that are nearly alike the path may take one up and the other down without end; they
    cancel out on the rows it has seen, and not on others.

    Parameters
    ----------
    model : sklearn.linear_model.LassoLars
        Fitted with its path; changed in place.
    X : ndarray of shape (n_rows, n_columns)
        The rows it was fitted on.
    y : ndarray of shape (n_rows,)
        Their target.
    """
    reach = np.abs(model.coef_path_) * X.std(axis=0, dtype=np.float64)[:, np.newaxis]
    is_sane = (reach <= _MOST_REACH * spread_of(y)).all(axis=0)
    if is_sane[-1]:
        return
    last = max(int(np.argmin(is_sane)) - 1, 0)
    model.coef_ = model.coef_path_[:, last]
    model.intercept_ = float(np.mean(y) - X.mean(axis=0, dtype=np.float64) @ model.coef_)
