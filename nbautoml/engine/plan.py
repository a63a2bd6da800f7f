"""What a run is to do: everything resolved, nothing None that means "default"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: classes of any type, settings of estimators

from nbautoml.domain.metrics import MetricSpec, metric
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.options import FeaturizationOptions
from nbautoml.engine.validation import ValidationOptions

STACK_LEAST_ROWS = 750
"""AutoGluon stacks from this many rows on; with fewer a second layer fits chance."""
REFIT_MOST_FOLDS = 5
"""The models of more folds have seen nearly all rows, and their mean beat every fit on all of
them: see docs/decisions/ensembles.md."""
_STACK_FROM_ITERATIONS = 5
"""Three models to join, a vote and a stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a run and its trials end.

    Parameters
    ----------
    max_iterations : int or None
        Trials, ensembles included; None is no limit.
    timeout_seconds : float or None
        Time of the whole run; None is no limit.
    closing_seconds : float, default 0
        Part of that time which the caller needs after the engine's work.
    iteration_timeout_seconds : float or None
        Time of one trial; None is no limit.
    exit_score : float or None
        The run ends when a trial reaches this value of the primary metric.
    max_concurrent : int, default 1
        Trials at a time; the folds of each share all slots.
    enable_early_stopping : bool, default True
        Whether the run ends when trials stop bringing gain. A run without any other limit
        always does.
    memory_limit_bytes : int or None
        Memory of one task; None leaves it to the executor.
    """

    max_iterations: int | None = None
    timeout_seconds: float | None = None
    closing_seconds: float = 0.0
    iteration_timeout_seconds: float | None = None
    exit_score: float | None = None
    max_concurrent: int = 1
    enable_early_stopping: bool = True
    memory_limit_bytes: int | None = None

    @property
    def stops_early(self) -> bool:
        """Whether a lack of gain ends the run."""
        has_end = self.max_iterations is not None or self.timeout_seconds is not None
        return self.enable_early_stopping or not has_end


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleOptions:
    """Which ensembles end a run.

    Parameters
    ----------
    enable_voting : bool, default True
        Whether a VotingEnsemble follows the search.
    enable_stack : bool, default True
        Whether a StackEnsemble follows it.
    stack_least_rows : int, default 750
        There is no stack with fewer validation rows.
    max_members : int, default 15
        Most different members (the SDK's ``ensemble_iterations``).
    meta_learner : str, default ""
        One of `nbautoml.engine.ensemble.names.META_LEARNERS`; empty for the task's usual one.
    meta_learner_params : mapping, default empty
        Settings of the meta learner in place of the usual ones.
    meta_learner_train_share : float, default 0.2
        With a hold-out the meta learner is fitted on at most this many rows, as a share of the
        training rows.
    enable_refit : bool, default True
        Whether members and the best single model are fitted again on all rows, where that pays.
    """

    enable_voting: bool = True
    enable_stack: bool = True
    stack_least_rows: int = STACK_LEAST_ROWS
    max_members: int = 15
    meta_learner: str = ""
    meta_learner_params: Mapping[str, Any] = field(default_factory=dict)
    meta_learner_train_share: float = 0.2
    enable_refit: bool = True

    def has_stack(self, n_valid_rows: int) -> bool:
        """Whether there is a stack with so many validation rows."""
        return self.enable_stack and n_valid_rows >= self.stack_least_rows

    def has_refits(self, n_folds: int) -> bool:
        """Whether models are fitted again on all rows when they were tried on so many folds."""
        return self.enable_refit and n_folds <= REFIT_MOST_FOLDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What a run is to do.

    Parameters
    ----------
    task : Task
        Classification or regression.
    primary_metric : str
        Name of the metric that is optimised.
    models : tuple of str
        Catalog names of the families to use, or ``"module:attribute"`` paths.
    seed : int, default 0
        Seed of everything that draws.
    limits : Limits
        When it ends.
    validation : ValidationOptions
        How trials are scored.
    ensemble : EnsembleOptions
        Which ensembles end it.
    featurization : FeaturizationOptions
        How columns become features.
    n_valid_rows : int, default 0
        How many of the last rows are validation data that the user gave.
    weight_column : str or None
        Column that says how much each row counts; None when all count the same.
    exclude_nan_labels : bool, default True
        Whether rows without a label are left out; else they are an error.
    enable_metric_confidence : bool, default False
        Whether the best model gets intervals of all metrics, not of the primary one only.
    positive_label : object or None
        The class for which the metrics named ``*_binary`` are reported; None is no class.
    enable_gpu : bool, default False
        Whether families that can are fitted on graphics cards of the executor's workers.
    not_on_texts : tuple of str, default ()
        Families that are left out where a column is text.
    """

    task: Task
    primary_metric: str
    models: tuple[str, ...]
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    validation: ValidationOptions = field(default_factory=ValidationOptions)
    ensemble: EnsembleOptions = field(default_factory=EnsembleOptions)
    featurization: FeaturizationOptions = field(default_factory=FeaturizationOptions)
    n_valid_rows: int = 0
    weight_column: str | None = None
    exclude_nan_labels: bool = True
    enable_metric_confidence: bool = False
    positive_label: Any = None
    enable_gpu: bool = False
    not_on_texts: tuple[str, ...] = ()

    def models_for(self, *, has_texts: bool) -> tuple[str, ...]:
        """Return the families to use on data with or without texts; never none.

        Examples
        --------
        >>> plan = SearchPlan(
        ...     task=Task.REGRESSION, primary_metric="r2_score", models=("KNN", "SGD"),
        ...     not_on_texts=("KNN",),
        ... )
        >>> plan.models_for(has_texts=True), plan.models_for(has_texts=False)
        (('SGD',), ('KNN', 'SGD'))
        """
        left = tuple(name for name in self.models if name not in self.not_on_texts)
        return left if has_texts and left else self.models

    @property
    def columns_aside(self) -> tuple[str, ...]:
        """Columns beside the label that are no features."""
        weight = () if self.weight_column is None else (self.weight_column,)
        return (*weight, *self.validation.columns)

    @property
    def metric(self) -> MetricSpec:
        """The primary metric."""
        return metric(self.primary_metric)

    def max_singles(self, n_valid_rows: int) -> int | None:
        """Return how many trials are not ensembles; None is no limit.

        Parameters
        ----------
        n_valid_rows : int
            Number of validation rows; with few of them there is no stack.
        """
        most = self.limits.max_iterations
        if most is None:
            return None
        has_stack = self.ensemble.has_stack(n_valid_rows) and most >= _STACK_FROM_ITERATIONS
        return most - int(has_stack) - int(self.ensemble.enable_voting and most > 1)

    @property
    def is_counted(self) -> bool:
        """Whether iterations end the run, so that no clock may decide what is tried."""
        return self.limits.max_iterations is not None
