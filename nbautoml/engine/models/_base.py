"""The contract of a model family, and the unit cube in which its settings are searched."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias  # Any: matrices are ndarray or csr

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nbautoml.domain.tasks import Task
from nbautoml.engine.devices import CPU
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.search.budget import Deadline

__all__ = [
    "ROW_BYTES",
    "Choice",
    "DataShape",
    "FitContext",
    "FitResult",
    "Matrix",
    "ModelFamily",
    "Params",
    "Progress",
    "Representation",
    "SearchSpace",
    "Span",
    "Vector",
    "copy_bytes",
    "is_classification",
    "log2_rows",
    "shape_of",
]

ROW_BYTES = 64.0
"""Bytes of what a fit keeps for each row and score: gradients, margins, places in a tree."""

Params: TypeAlias = Mapping[str, Any]
Matrix: TypeAlias = Any  # float32, (n_rows, n_columns): ndarray or scipy csr
Vector: TypeAlias = npt.NDArray[Any]
Progress: TypeAlias = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataShape:
    """Size of what a fit sees; `n_classes` is 0 for numbers.

    ``density`` is the share of the cells that are stored: 1 but for sparse matrices.
    """

    n_rows: int
    n_columns: int
    n_classes: int = 0
    density: float = 1.0

    @property
    def n_cells(self) -> float:
        """How many cells are stored."""
        return self.n_rows * self.n_columns * self.density

    @property
    def n_outputs(self) -> int:
        """How many scores a row has: one for numbers and for two classes, else one a class."""
        return self.n_classes if self.n_classes > 2 else 1


def _ignore_progress(share: float) -> None:
    """Take no notice."""
    del share


@dataclass(frozen=True, slots=True, kw_only=True)
class FitContext:
    """Circumstances of a fit: everything that is neither data nor a setting.

    ``deadline`` is cooperative: a family that can stop early keeps what it has by then.
    ``categories`` are the positions of columns that hold codes of categories from 0 (NaN where
    missing), for families that can treat them as such. ``progress`` is told which share of a fit
    is done, from 0 to 1 and never less than before, by families that train in rounds. ``device``
    is ``"cpu"``, or ``"cuda:<number>"`` for a fit whose family said that it `takes_gpu`.
    """

    task: Task
    n_classes: int = 0
    threads: int = 1
    seed: int = 0
    deadline: Deadline = field(default_factory=Deadline)
    categories: tuple[int, ...] = ()
    progress: Progress = _ignore_progress
    device: str = CPU


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResult:
    """A fitted estimator; ``rounds`` is how many boosting rounds it uses, where it boosts."""

    model: Any  # any scikit-learn estimator
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A number from `low` to `high`."""

    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False

    def decode(self, u: float) -> float | int:
        """Return the value at `u` in [0, 1]."""
        u = min(max(u, 0.0), 1.0)
        if self.is_log:
            value = math.exp(math.log(self.low) + u * math.log(self.high / self.low))
        else:
            value = self.low + u * (self.high - self.low)
        return int(round(value)) if self.is_whole else float(f"{value:.4g}")

    def encode(self, value: Any) -> float:
        """Return where in [0, 1] a value lies."""
        if self.is_log:
            u = math.log(max(float(value), self.low) / self.low) / math.log(self.high / self.low)
        else:
            u = (float(value) - self.low) / (self.high - self.low)
        return min(max(u, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values without order."""

    values: tuple[Any, ...]

    def decode(self, u: float) -> Any:
        """Return the value at `u` in [0, 1]."""
        return self.values[min(int(min(max(u, 0.0), 1.0) * len(self.values)), len(self.values) - 1)]

    def encode(self, value: Any) -> float:
        """Return the middle of the value's share of [0, 1]."""
        return (self.values.index(value) + 0.5) / len(self.values)


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Named dimensions of the unit cube.

    Examples
    --------
    >>> space = SearchSpace({"C": Span(0.01, 100, is_log=True), "fast": Choice((True, False))})
    >>> space.decode([0.5, 0.9])
    {'C': 1.0, 'fast': False}
    >>> space.encode({"C": 1.0, "fast": False})
    [0.5, 0.75]
    """

    dimensions: Mapping[str, Span | Choice]

    def decode(self, point: Sequence[float]) -> dict[str, Any]:
        """Return settings for a point of the cube."""
        pairs = zip(self.dimensions.items(), point, strict=True)
        return {name: dimension.decode(u) for (name, dimension), u in pairs}

    def encode(self, params: Params) -> list[float]:
        """Return the point of the cube for settings."""
        return [dim.encode(params[name]) for name, dim in self.dimensions.items()]

    def __len__(self) -> int:
        return len(self.dimensions)


class ModelFamily(ABC):
    """One kind of model: its names, its search space and how it is fitted.

    Families hold no state. Classes arrive as codes ``0..n_classes-1``, each present at least
    once; numbers as floats. Fitted estimators are those of scikit-learn, LightGBM or XGBoost
    themselves, so that a saved model loads without this package's engine.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    tasks: ClassVar[frozenset[Task]]
    representation: ClassVar[Representation]
    # Other features that the search may give the family.
    other_representations: ClassVar[tuple[Representation, ...]] = ()
    # Whether the search may let it learn log(1 + y); not for models that extrapolate.
    takes_log_target: ClassVar[bool] = False
    # Whether its fits take notice of weights of rows.
    uses_weight: ClassVar[bool] = True
    scalers: ClassVar[tuple[str, ...]] = ("MaxAbsScaler",)
    # Portfolio entry i is tried at `delay + i / pace`, in units that all families share.
    pace: ClassVar[float] = 1.0
    delay: ClassVar[float] = 0.0
    # Settings that memory depends on, and what to multiply each with so that a fit needs half.
    halving: ClassVar[Mapping[str, float]] = {}
    # Whether a fit that its deadline ends early leaves a model that is worth having.
    can_be_cut: ClassVar[bool] = False

    @abstractmethod
    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""

    @abstractmethod
    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""

    @abstractmethod
    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""

    def memory(self, params: Params, shape: DataShape) -> float:
        """Return about how many bytes one fit needs beside its input.

        Here: a copy of the rows in float64, and some numbers for each row and score.
        """
        del params
        return copy_bytes(shape) + ROW_BYTES * shape.n_rows * shape.n_outputs

    @abstractmethod
    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""

    def half_size(self, params: Params) -> dict[str, Any] | None:
        """Return settings with which a fit needs about half the memory; None if there are none."""
        halved = {n: params[n] * f for n, f in self.halving.items() if n in params}
        for name in halved:
            if isinstance(params[name], int):
                halved[name] = max(2, round(halved[name]))
        is_other = any(params[name] != value for name, value in halved.items())
        return dict(params) | halved if is_other else None

    def suits(self, shape: DataShape) -> bool:
        """Whether the family is any use on data of this shape."""
        return shape.n_rows > 0

    def takes_gpu(self, params: Params) -> bool:
        """Whether a fit can be done on a graphics card, by what is installed here.

        A model that was fitted there must be one that predicts without it.
        """
        del params
        return False

    def rounds_of(self, model: Any) -> int | None:
        """Return how many boosting rounds a fitted estimator uses; None where it does not boost."""
        del model
        return None

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
        """Fit on rows; a boosting family stops early on `valid`.

        Parameters
        ----------
        X : ndarray or csr of float32, shape (n_rows, n_columns)
            Featurized and scaled rows.
        y : ndarray, shape (n_rows,)
            Class codes or numbers.
        params : mapping
            Settings from `space` or `portfolio`.
        context : FitContext
            Task, threads, seed and deadline.
        valid : tuple of (X, y), optional
            Rows to stop on.
        weight : ndarray of float, shape (n_rows,), optional
            Weights of the rows; without effect where `uses_weight` is false.
        valid_weight : ndarray of float, shape (n_valid_rows,), optional
            Weights of the rows to stop on.
        """
        del valid, valid_weight
        model = self.build(params, shape_of(X, context), context)
        return FitResult(model=model.fit(X, y, **self.weights(weight)))

    def refit(
        self,
        X: Matrix,
        y: Vector,
        *,
        params: Params,
        context: FitContext,
        rounds: int | None,
        weight: Vector | None = None,
    ) -> FitResult:
        """Fit on all rows, for `rounds` boosting rounds where the family boosts."""
        del rounds
        return self.fit(X, y, params=params, context=context, weight=weight)

    def weights(self, weight: Vector | None) -> dict[str, Vector]:
        """Return weights as an argument of an estimator's `fit`; nothing where there are none."""
        return {} if weight is None or not self.uses_weight else {"sample_weight": weight}


def shape_of(X: Matrix, context: FitContext) -> DataShape:
    """Return the shape of a matrix."""
    n_rows, n_columns = X.shape
    n_stored = X.nnz if sparse.issparse(X) else n_rows * n_columns
    return DataShape(
        n_rows=n_rows,
        n_columns=n_columns,
        n_classes=context.n_classes,
        density=n_stored / max(n_rows * n_columns, 1),
    )


def copy_bytes(shape: DataShape) -> float:
    """Return the bytes of a copy of the rows in float64; sparse ones keep positions too."""
    return shape.n_cells * (8.0 if shape.density == 1.0 else 12.0)


def is_classification(context: FitContext) -> bool:
    """Whether the target is a class."""
    return context.task is Task.CLASSIFICATION


def log2_rows(shape: DataShape) -> float:
    """Return log2 of the number of rows, at least 1: the depth of a full tree."""
    return max(1.0, float(np.log2(max(shape.n_rows, 2))))
