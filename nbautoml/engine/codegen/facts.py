"""What is known of a run and of a trial when their code is asked for, maybe much later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any  # Any: JSON values, labels of any type

import numpy as np
import numpy.typing as npt

from nbautoml.domain.tasks import Task
from nbautoml.engine.ensemble.recipe import Recipe
from nbautoml.engine.profile import DataProfile
from nbautoml.engine.search.candidate import Candidate, fold_seed
from nbautoml.engine.target import TargetEncoding
from nbautoml.engine.validation import ValidationKind, ValidationPlan

MOST_CLASSES = 50
"""More classes than this are not listed: the code finds them in the data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the engine found out of the rows of a run; a few hundred bytes for each run.

    Parameters
    ----------
    kind : ValidationKind
        How rows were split.
    n_folds : int
        Number of splits.
    sentence : str
        How rows were split and why, for people.
    size : float or None
        Share of the rows that random splits hold out.
    train_rows : tuple of (int, int)
        Rows of the smallest and of the largest training part.
    has_unseen_classes : bool
        Whether the training part of a split lacks a class.
    n_classes : int
        Number of classes; 0 for numbers.
    classes : tuple or None
        The labels in the order of their codes; None where the data have to tell.
    y_min, y_max : float or None
        Range of the label; None for classes.
    positive : int or None
        Code of the positive class.
    is_number : bool
        Whether the label's column is of a number type.
    threads : int
        Threads of each fit.
    """

    kind: ValidationKind
    n_folds: int
    sentence: str
    train_rows: tuple[int, int]
    size: float | None = None
    has_unseen_classes: bool = False
    n_classes: int = 0
    classes: tuple[Any, ...] | None = None
    y_min: float | None = None
    y_max: float | None = None
    positive: int | None = None
    is_number: bool = True
    threads: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunFacts:
        """Rebuild facts from `to_dict`."""
        rows, classes = values["train_rows"], values["classes"]
        return cls(
            **{
                **values,
                "kind": ValidationKind(values["kind"]),
                "train_rows": (rows[0], rows[1]),
                "classes": None if classes is None else tuple(classes),
            }
        )


def facts_of(
    validation: ValidationPlan,
    encoding: TargetEncoding,
    y: npt.NDArray[Any],
    *,
    scoring: Mapping[str, Any],
    is_number: bool,
    threads: int,
) -> RunFacts:
    """Return the facts of a run.

    Parameters
    ----------
    validation : ValidationPlan
        How rows are split.
    encoding : TargetEncoding
        How labels become numbers.
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    scoring : mapping
        ``y_min``, ``y_max`` and ``positive`` as metrics get them.
    is_number : bool
        Whether the label's column is of a number type.
    threads : int
        Threads of each fit.
    """
    is_class = encoding.task is Task.CLASSIFICATION
    sizes = [len(train) for train, _ in validation.folds]
    unseen = is_class and any(
        len(np.unique(y[train])) < encoding.n_classes for train, _ in validation.folds
    )
    return RunFacts(
        kind=validation.kind,
        n_folds=validation.n_folds,
        sentence=validation.sentence,
        size=validation.size,
        train_rows=(min(sizes), max(sizes)),
        has_unseen_classes=unseen,
        n_classes=encoding.n_classes,
        classes=_shown(encoding.classes) if is_class else None,
        y_min=None if is_class else float(scoring["y_min"]),
        y_max=None if is_class else float(scoring["y_max"]),
        positive=scoring.get("positive"),
        is_number=is_number,
        threads=threads,
    )


def _shown(classes: Sequence[Any]) -> tuple[Any, ...] | None:
    is_plain = all(isinstance(label, (str, bool, int, float)) for label in classes)
    return tuple(classes) if is_plain and len(classes) <= MOST_CLASSES else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One trial whose code is written.

    Parameters
    ----------
    number : int
        Its number in the run.
    candidate : Candidate
        What was fitted.
    key : str
        The trial's key; seeds come from it.
    shares : tuple of float
        In an ensemble, its share in what predicts each part of the validation rows.
    cut : mapping of int to int
        Folds whose fit the run's time cut, and after how many rounds or trees; 0 where the fit
        has none.
    """

    number: int
    candidate: Candidate
    key: str
    shares: tuple[float, ...] = ()
    cut: Mapping[int, int] = field(default_factory=dict)

    def seeds(self, seed: int, n_folds: int) -> list[int]:
        """Return the seed of each fold's fit."""
        return [fold_seed(seed, self.key, fold) for fold in range(n_folds)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFacts:
    """All that the code of a child run is written from.

    Parameters
    ----------
    run_id : str
        The child run.
    pipeline : str
        Its name, as the leaderboard shows it.
    task : Task
        What is learned.
    metric : str
        The primary metric.
    score : float
        Its value in validation.
    label : str
        Name of the label's column.
    seed : int
        Seed of the run.
    run : RunFacts
        What the engine found out of the rows.
    profile : DataProfile
        What the columns are.
    members : tuple of Member
        The trial; or the members of an ensemble, in the order in which they were mixed.
    recipe : Recipe or None
        How an ensemble joins its members; None for a single trial.
    saved_shares : mapping of str to float
        In an ensemble, the shares of the members of the saved model, by number.
    training_data, validation_data : str
        Ids of the workspace's datasets; the latter is empty where there is none.
    weight_column, group_column : str or None
        Columns with weights and with groups of rows.
    split_columns : tuple of str
        Columns of 1 and 0 that say how rows are split.
    test_size : float or None
        Share of the rows that was set aside for a test.
    test_seed : int
        Seed with which these were drawn.
    """

    run_id: str
    pipeline: str
    task: Task
    metric: str
    score: float | None
    label: str
    seed: int
    run: RunFacts
    profile: DataProfile
    members: tuple[Member, ...]
    recipe: Recipe | None = None
    saved_shares: Mapping[str, float] = field(default_factory=dict)
    training_data: str = ""
    validation_data: str = ""
    weight_column: str | None = None
    group_column: str | None = None
    split_columns: tuple[str, ...] = ()
    test_size: float | None = None
    test_seed: int = 0

    @property
    def is_classification(self) -> bool:
        """Whether classes are learned."""
        return self.task is Task.CLASSIFICATION

    @property
    def is_stack(self) -> bool:
        """Whether a model joins the members."""
        return self.recipe is not None and bool(self.recipe.meta_learner)

    @property
    def is_geometric(self) -> bool:
        """Whether it is a vote by the geometric mean."""
        return self.recipe is not None and self.recipe.is_geometric

    @property
    def is_weighted(self) -> bool:
        """Whether rows have weights."""
        return self.weight_column is not None

    @property
    def n_classes(self) -> str:
        """The number of classes, as the code says it."""
        return "len(CLASSES)" if self.run.classes is not None else str(self.run.n_classes)

    @property
    def has_gaps(self) -> bool:
        """Whether the training part of a split lacks a class."""
        return self.run.has_unseen_classes
