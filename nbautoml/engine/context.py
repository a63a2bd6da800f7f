"""What the parts of a run share: the plan, the ports, and the data as they were prepared."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any  # Any: arguments of a function that opens a model

import numpy as np
import numpy.typing as npt

from nbautoml.domain.ports import ArtifactSink, EventSink, Executor, RunControl
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models._base import DataShape, Vector
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.search.candidate import Candidate, candidate_key
from nbautoml.engine.trial_data import DataSpec
from nbautoml.runtime.bag import PackedModel, open_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The outside world of a run."""

    executor: Executor
    events: EventSink
    artifacts: ArtifactSink
    control: RunControl
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedData:
    """A run's data.

    Parameters
    ----------
    folder : Path
        What `write_trial_data` wrote.
    spec : DataSpec
        What scoring needs.
    shape : DataShape
        Size of the training part of a fold.
    fingerprint : str
        Hash of rows, label and folds.
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    folds : tuple of (ndarray, ndarray)
        Training and validation rows.
    class_labels : tuple of str
        Names of the classes, for charts.
    adapter : bytes
        Pickle of the input adapter.
    representations : frozenset of Representation
        Those that differ on these data; the search varies features among them.
    may_log : bool
        Whether the label is worth learning as ``log(1 + y)`` too.
    predicts_whole : bool
        Whether saved models round the numbers that they predict.
    weight : ndarray of shape (n_rows,) or None
        How much each row counts; None when all count the same.
    """

    folder: Path
    spec: DataSpec
    shape: DataShape
    fingerprint: str
    y: Vector
    folds: tuple[tuple[Vector, Vector], ...]
    class_labels: tuple[str, ...]
    adapter: bytes
    representations: frozenset[Representation] = frozenset()
    may_log: bool = False
    predicts_whole: bool = False
    weight: Vector | None = None

    def packed(self, open_with: Callable[..., Any], *arguments: Any) -> PackedModel:
        """Return what pickles as a user's model of this run.

        Parameters
        ----------
        open_with : callable
            Makes the model from the adapter and `arguments`; a function of a module.
        *arguments
            What it takes beside the adapter.
        """
        if self.predicts_whole:
            return PackedModel(open_whole, open_with, self.adapter, *arguments)
        return PackedModel(open_with, self.adapter, *arguments)

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.folds)

    @property
    def valid_rows(self) -> npt.NDArray[np.int64]:
        """Rows that are in the validation part of a fold, sorted."""
        return np.unique(np.concatenate([valid for _, valid in self.folds]))

    @property
    def y_valid(self) -> Vector:
        """Labels of the validation rows."""
        return self.y[self.valid_rows]

    @property
    def w_valid(self) -> Vector | None:
        """Weights of the validation rows."""
        return self.weights_of(self.valid_rows)

    def weights_of(self, rows: Vector) -> Vector | None:
        """Return the weights of some rows; None when all rows count the same."""
        return None if self.weight is None else self.weight[rows]

    def fold_places(self) -> list[npt.NDArray[np.int64]]:
        """Return where each fold's validation rows are among all validation rows."""
        rows = self.valid_rows
        return [np.searchsorted(rows, valid) for _, valid in self.folds]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Everything that a part of a run may need; `token` tells its tasks from another run's."""

    plan: SearchPlan
    ports: Ports
    data: PreparedData
    scratch: Path
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def uses_gpu(self, candidate: Candidate) -> bool:
        """Whether a trial of this candidate is fitted on a graphics card."""
        return self.plan.enable_gpu and get_family(candidate.family).takes_gpu(candidate.params)

    def key_of(self, candidate: Candidate) -> str:
        """Return the key of a trial of this candidate."""
        data = self.data
        return candidate_key(
            candidate, data=data.fingerprint, seed=self.plan.seed, n_folds=data.n_folds
        )

    def trial_folder(self, number: int) -> Path:
        """Return the folder of a trial's files while it runs."""
        return self.scratch / "trials" / str(number)

    def oof_path(self, number: int) -> Path:
        """Return the path of a trial's out-of-fold predictions."""
        return self.scratch / "oof" / f"{number}.npy"
