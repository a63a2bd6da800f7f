"""The models that a stack may put on top of its members' predictions."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: settings and estimators of scikit-learn and LightGBM

import numpy as np
import numpy.typing as npt

from nbautoml.engine.models._base import Vector
from nbautoml.errors import ConfigError, did_you_mean
from nbautoml.runtime.stacking import FittedMeta, meta_features

_LINEAR = "sklearn.linear_model"
# A vote of good members needs little correction: weak penalties and large trees lost against it
# on most of the tables of docs/decisions/ensembles.md.
_BOOSTING = {"n_estimators": 50, "learning_rate": 0.05, "num_leaves": 4, "min_child_samples": 20}
_QUIET = {"verbose": -1, "n_jobs": 1}
_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
_FOLDS = 5
_MANY_STEPS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """Where an estimator is, and how it is set when nobody says otherwise."""

    path: str
    params: Mapping[str, Any]
    # Settings that the versions of scikit-learn which know them complain about when not given.
    newer_params: Mapping[str, Any] = field(default_factory=dict)


_KINDS = {
    "LogisticRegression": _Kind(
        path=f"{_LINEAR}:LogisticRegression",
        params={"C": 0.1, "max_iter": _MANY_STEPS},
    ),
    "LogisticRegressionCV": _Kind(
        path=f"{_LINEAR}:LogisticRegressionCV",
        params={
            "Cs": list(_STRENGTHS),
            "cv": _FOLDS,
            "scoring": "neg_log_loss",
            "max_iter": _MANY_STEPS,
        },
        newer_params={"l1_ratios": (0.0,), "use_legacy_attributes": False},
    ),
    "LightGBMClassifier": _Kind(path="lightgbm:LGBMClassifier", params=_BOOSTING | _QUIET),
    "ElasticNet": _Kind(
        path=f"{_LINEAR}:ElasticNet",
        params={"alpha": 0.01, "l1_ratio": 0.5},
    ),
    "ElasticNetCV": _Kind(
        path=f"{_LINEAR}:ElasticNetCV",
        params={"l1_ratio": [0.1, 0.5, 0.9], "cv": _FOLDS},
    ),
    "LightGBMRegressor": _Kind(path="lightgbm:LGBMRegressor", params=_BOOSTING | _QUIET),
    "LinearRegression": _Kind(path=f"{_LINEAR}:LinearRegression", params={}),
}


def build_meta_learner(name: str, params: Mapping[str, Any], seed: int = 0) -> Any:
    """Return an estimator that is not fitted.

    Parameters
    ----------
    name : str
        One of `nbautoml.engine.ensemble.names.META_LEARNERS`.
    params : mapping
        Settings in place of the usual ones, under the names of the estimator.
    seed : int, default 0
        Seed of estimators that draw.

    Raises
    ------
    ConfigError
        When it has no setting of such a name.
    """
    kind = _KINDS[name]
    module, _, attribute = kind.path.partition(":")
    make = getattr(importlib.import_module(module), attribute)
    known = make().get_params()
    unknown = [key for key in params if key not in known]
    if unknown:
        raise ConfigError(
            f"stack_meta_learner_kwargs of AutoMLConfig has {unknown[0]!r}, which is no setting of "
            f"{name}.{did_you_mean(unknown[0], list(known))}"
        )
    newer = {key: value for key, value in kind.newer_params.items() if _is_new(known, key)}
    seeded = {"random_state": seed} if "random_state" in known else {}
    return make(**(seeded | newer | dict(kind.params) | dict(params)))


def _is_new(known: Mapping[str, Any], key: str) -> bool:
    """Whether a version knows a setting, and wants it given."""
    return "use_legacy_attributes" in known and key in known


def check_meta_learner(name: str, params: Mapping[str, Any]) -> None:
    """Fit a meta learner to a few made rows, so that a wrong setting shows before a run.

    Raises
    ------
    ConfigError
        When its settings do not fit it.
    """
    model = build_meta_learner(name, params)
    X = np.column_stack([np.arange(40.0), np.arange(40.0) % 7])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, np.arange(40) % 2)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(
            f"stack_meta_learner_kwargs of AutoMLConfig does not suit {name}: "
            f"{' '.join(str(error).split())}"
        ) from error


def fit_meta(
    model: Any,
    predictions: npt.NDArray[Any],
    y: Vector,
    weights: Vector,
    *,
    weight: Vector | None = None,
) -> FittedMeta:
    """Fit a meta learner on out-of-fold predictions of the members.

    Parameters
    ----------
    model : estimator
        What `build_meta_learner` returns; it is fitted in place.
    predictions : ndarray of shape (n_members, n_rows) or (n_members, n_rows, n_classes)
        Numbers, or probabilities.
    y : ndarray of shape (n_rows,)
        Numbers, or class codes.
    weights : ndarray of shape (n_members,)
        The members' weights in the vote.
    weight : ndarray of float, shape (n_rows,), optional
        How much each row counts.

    Raises
    ------
    ValueError
        When the rows cannot be learned from, for example because all are of one class.
    """
    center, scale = 0.0, 1.0
    target = y.astype(np.int64) if predictions.ndim == 3 else y
    if predictions.ndim == 2:
        center = float(np.average(y, weights=weight))
        scale = float(np.sqrt(np.average((y - center) ** 2, weights=weight))) or 1.0
        target = (y - center) / scale
    X = meta_features(predictions, weights.tolist(), center=center, scale=scale)
    counts = {} if weight is None else {"sample_weight": weight}
    with warnings.catch_warnings():
        # Steps run out before the last digit is settled; the cross-validated score tells.
        warnings.simplefilter("ignore")
        model.fit(X, target, **counts)
    return FittedMeta(model=model, center=center, scale=scale)
