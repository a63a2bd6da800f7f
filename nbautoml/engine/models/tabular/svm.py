"""SVM: a support vector machine with a Gaussian kernel."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from scipy import sparse
from sklearn.svm import SVC

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import (
    Choice,
    DataShape,
    FitContext,
    Matrix,
    Params,
    SearchSpace,
    Span,
    copy_bytes,
)
from nbautoml.engine.models.tabular._margin import MarginClassifier, n_splits

# The time grows with the square of the rows.
_MOST_ROWS = 5_000
# Megabytes of kernel values that are kept; a fit of the most rows needs about this much.
_CACHE_MB = 200


class SVM(MarginClassifier):
    """Support vector machine with a Gaussian kernel (`sklearn.svm.SVC`), calibrated.

    Notes
    -----
    ``gamma`` is a multiple of scikit-learn's ``"scale"``, 1 / (columns * variance of all cells).
    """

    name: ClassVar[str] = "SVM"
    aliases: ClassVar[tuple[str, ...]] = ("SVC", "SVCWrapper", "SupportVectorMachine")
    scalers: ClassVar[tuple[str, ...]] = ("StandardScalerWrapper", "RobustScaler", "MinMaxScaler")
    pace: ClassVar[float] = 2.0
    delay: ClassVar[float] = 0.7

    def suits(self, shape: DataShape) -> bool:
        """Whether the data are small enough for all pairs of rows."""
        return 1 < shape.n_rows <= _MOST_ROWS

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {
                "C": Span(0.05, 500.0, is_log=True),
                "gamma": Span(0.01, 5.0, is_log=True),
                "class_weight": Choice((None, "balanced")),
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return (
            {"C": 3.0, "gamma": 0.5, "class_weight": None},
            {"C": 30.0, "gamma": 0.1, "class_weight": None},
            {"C": 1.0, "gamma": 1.5, "class_weight": None},
        )

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        hardness: float = max(params["C"], 0.3) ** 0.2
        pairs = shape.n_rows**2 * (4.0 + shape.n_columns * shape.density)
        return 5e-3 + n_splits(shape.n_rows) * 1.2e-9 * pairs * hardness

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input: rows and kernel values."""
        kernel = min(_CACHE_MB * 2.0**20, 8.0 * shape.n_rows**2)
        return kernel + (1 + n_splits(shape.n_rows)) * copy_bytes(shape)

    def settings_for(self, X: Matrix, params: Params) -> Params:
        """Return the settings with gamma as a number for these rows."""
        mean_square = (X.multiply(X) if sparse.issparse(X) else X.astype(float) ** 2).mean()
        variance = float(mean_square) - float(X.mean()) ** 2
        scale = 1.0 / (X.shape[1] * variance) if variance > 0 else 1.0
        return dict(params) | {"gamma": params["gamma"] * scale}

    def margin(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the classifier that is calibrated, not yet fitted."""
        return SVC(**params, cache_size=_CACHE_MB, random_state=context.seed)
