"""From a configuration to a plan: every "not given" becomes a decision here, and only here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: values of options

from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.featurization_config import FeaturizationConfig
from nbautoml.automl.model_names import available
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.options import FeaturizationOptions
from nbautoml.engine.plan import EnsembleOptions, Limits, SearchPlan
from nbautoml.engine.validation import ValidationOptions
from nbautoml.registry.onnx.families import CONVERTIBLE, NOT_ON_TEXTS

_MEGABYTE = 1_000_000
SEED = 0
"""Every run draws the same numbers: the same data and settings give the same table."""
COUNTED_CONCURRENT = 4
"""Models on their way at a time in a run with ``iterations``, as far as there are workers."""


def resolve(
    config: AutoMLConfig, *, n_slots: int, timeout_seconds: float | None, n_valid_rows: int = 0
) -> SearchPlan:
    """Return what a run is to do.

    Parameters
    ----------
    config : AutoMLConfig
        The checked settings.
    n_slots : int
        How many tasks the compute runs at once; as many models are trained at once when
        ``max_concurrent_iterations`` is not given.
    timeout_seconds : float or None
        What is left of the run's time; None is no limit.
    n_valid_rows : int, default 0
        How many of the last rows are validation data that the user gave.
    """
    values = config.values
    minutes = values["iteration_timeout_minutes"]
    megabytes = values["mem_in_mb"]
    weight = values["weight_column_name"]
    limits = Limits(
        max_iterations=values["iterations"],
        timeout_seconds=timeout_seconds,
        iteration_timeout_seconds=None if minutes is None else minutes * 60.0,
        exit_score=values["experiment_exit_score"],
        max_concurrent=_concurrent(values, n_slots),
        enable_early_stopping=bool(values["enable_early_stopping"]),
        memory_limit_bytes=None if megabytes is None else megabytes * _MEGABYTE,
    )
    return SearchPlan(
        task=config.task,
        primary_metric=str(values["primary_metric"]),
        models=choose_models(
            config.task,
            values["allowed_models"],
            values["blocked_models"],
            has_onnx=bool(values["enable_onnx_compatible_models"]),
        ),
        seed=SEED,
        limits=limits,
        validation=_validation(values),
        ensemble=_ensemble(values),
        featurization=_featurization(values["featurization"]),
        n_valid_rows=n_valid_rows,
        weight_column=None if weight is None else str(weight),
        exclude_nan_labels=bool(values["exclude_nan_labels"]),
        enable_metric_confidence=bool(values["enable_metric_confidence"]),
        positive_label=values["positive_label"],
        enable_gpu=bool(values["enable_gpu"]),
        not_on_texts=NOT_ON_TEXTS if values["enable_onnx_compatible_models"] else (),
    )


def _concurrent(values: Mapping[str, Any], n_slots: int) -> int:
    """Return how many models are trained at once.

    A run with ``iterations`` gives the same table on every machine: what it knows when it
    chooses the next model must not depend on how many workers there are.
    """
    given = values["max_concurrent_iterations"]
    if given:
        return int(given)
    return n_slots if values["iterations"] is None else COUNTED_CONCURRENT


def _ensemble(values: Mapping[str, Any]) -> EnsembleOptions:
    """Return the ensembles of a run; a stack that is asked for needs no number of rows."""
    has_stack = values["enable_stack_ensemble"]
    given = {
        "stack_least_rows": 0 if has_stack else None,
        "max_members": values["ensemble_iterations"],
        "meta_learner": values["stack_meta_learner_type"],
        "meta_learner_params": values["stack_meta_learner_kwargs"],
        "meta_learner_train_share": values["stack_meta_learner_train_percentage"],
    }
    return EnsembleOptions(
        enable_voting=bool(values["enable_voting_ensemble"]),
        enable_stack=has_stack is not False,
        **{name: value for name, value in given.items() if value is not None},
    )


def _featurization(given: str | FeaturizationConfig) -> FeaturizationOptions:
    if isinstance(given, FeaturizationConfig):
        return given.to_options()
    return FeaturizationOptions(is_auto=given != "off")


def choose_models(
    task: Task,
    allowed: Sequence[str] | None,
    blocked: Sequence[str] | None,
    *,
    has_onnx: bool = False,
) -> tuple[str, ...]:
    """Return the families to try; the names are those that a checked config holds.

    Parameters
    ----------
    task : Task
        What is learned.
    allowed, blocked : sequence of str, optional
        Names to choose from, and names to leave out.
    has_onnx : bool, default False
        Whether only families are taken whose models can be written as ONNX.

    Examples
    --------
    >>> choose_models(Task.REGRESSION, ["KNN", "LightGBM"], ["KNN"])
    ('LightGBM',)
    """
    left = (n for n in allowed or available(task) if n not in (blocked or ()))
    return tuple(n for n in left if not has_onnx or n in CONVERTIBLE)


def _validation(values: Mapping[str, Any]) -> ValidationOptions:
    folds, group = values["n_cross_validations"], values["group_column_name"]
    # A run with `iterations` does not depend on clocks; what is left of the time must not count
    # either, so that a resumed or continued run has the same folds.
    minutes = None if values["iterations"] is not None else values["experiment_timeout_minutes"]
    return ValidationOptions(
        n_cross_validations=None if folds == "auto" else folds,
        validation_size=values["validation_size"],
        is_auto=folds == "auto",
        budget_seconds=None if minutes is None else 60.0 * minutes,
        cv_split_columns=tuple(str(name) for name in values["cv_split_column_names"] or ()),
        cv_splits=values["cv_splits_indices"] or (),
        group_column=None if group is None else str(group),
    )
