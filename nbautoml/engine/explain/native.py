"""Contributions that estimators give themselves: boosted trees, and linear models.

LightGBM (``pred_contrib``) and XGBoost (``pred_contribs``) compute exact Shapley values of their
trees, with the shares of training rows in place of columns that are left out (Lundberg, Erion and
Lee, "Consistent individualized feature attribution for tree ensembles", 2018). For LightGBM they
are, bit for bit, those of the package shap. Of a linear model the contribution of a column is its
coefficient times how far the cell is from the column's mean: its Shapley value where columns are
independent (Štrumbelj and Kononenko, "Explaining prediction models and individual predictions
with feature contributions", 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any  # Any: estimators; matrices are ndarray or csr

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from nbautoml.engine.explain.links import Link
from nbautoml.runtime.threads import THREADS

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """A model as a sum.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features, n_margins)
        Contributions.
    base : ndarray of shape (n_margins,)
        What is there before any feature.
    link : Link
        How the sums become answers.
    weight : float
        Share of this sum in the estimator's answer; those of an estimator sum to 1.
    """

    values: FloatArray
    base: FloatArray
    link: Link
    weight: float = 1.0


Native = Callable[[Any, Any, FloatArray], "list[Margins] | None"]
"""Estimator, matrix of rows and means of its columns to sums whose answers are averaged."""


def margins_of(estimator: Any, X: Any, center: FloatArray) -> list[Margins] | None:
    """Return an estimator's contributions; None where it gives none that are exact.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : ndarray or csr matrix of shape (n_rows, n_features)
        What it is fitted on, features behind the scaler.
    center : ndarray of shape (n_features,)
        Means of the features over rows that stand for all.

    Returns
    -------
    list of Margins or None
        Several where the estimator is itself a mean, such as of calibrated classifiers.
    """
    native = _NATIVE.get(_kind(estimator))
    if native is None:
        return None
    # Threads that wait for one another by spinning cost a busy machine more than they save.
    with THREADS.alone(0):
        return native(estimator, X, center)


def may_be_sum(estimator: Any) -> bool:
    """Return whether `margins_of` knows the kind of an estimator; it may still refuse it."""
    inner = getattr(estimator, "regressor_", estimator)
    return _kind(estimator) in _NATIVE and _kind(inner) in _NATIVE


def _kind(estimator: Any) -> str:
    """Return package and class, such as ``"lightgbm.LGBMClassifier"``; nothing is imported."""
    cls = type(estimator)
    return f"{cls.__module__.partition('.')[0]}.{cls.__name__}"


def _lightgbm(model: Any, X: Any, center: FloatArray) -> list[Margins] | None:
    del center
    if model.get_params().get("linear_tree"):  # LightGBM has none for lines in leaves
        return None
    found = model.booster_.predict(X, pred_contrib=True)
    n_features = X.shape[1]
    n_classes = getattr(model, "n_classes_", 0)
    if isinstance(found, list):  # of a sparse matrix, one a class
        values = np.stack([_dense(one) for one in found], axis=2)
    else:
        values = _dense(found).reshape(X.shape[0], -1, n_features + 1).transpose(0, 2, 1)
    link = Link.IDENTITY
    if n_classes:
        link = Link.LOGISTIC if n_classes == 2 else Link.SOFTMAX
    return [_parted(values, link)]


def _xgboost(model: Any, X: Any, center: FloatArray) -> list[Margins] | None:
    del center
    import xgboost

    booster = model.get_booster()
    best = booster.attributes().get("best_iteration")
    rounds = (0, 0) if best is None else (0, int(best) + 1)
    values = booster.predict(
        xgboost.DMatrix(X), pred_contribs=True, iteration_range=rounds, strict_shape=True
    )
    link = Link.IDENTITY
    if type(model).__name__ == "XGBClassifier":
        link = Link.LOGISTIC if values.shape[1] == 1 else Link.SOFTMAX
    return [_parted(np.asarray(values, dtype=np.float64).transpose(0, 2, 1), link)]


def _parted(values: FloatArray, link: Link) -> Margins:
    """Return contributions whose last one is the base."""
    base = values[0, -1] if len(values) else np.zeros(values.shape[2])
    return Margins(values=values[:, :-1], base=base, link=link)


def _linear(link: Link) -> Native:
    def linear(model: Any, X: Any, center: FloatArray) -> list[Margins] | None:
        weights = np.atleast_2d(_dense(model.coef_))
        intercept = np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64))
        values, base = _line(weights, intercept, X, center)
        return [Margins(values=values, base=base, link=link)]

    return linear


def _line(
    weights: FloatArray, intercept: FloatArray, X: Any, center: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return contributions and base of margins ``X @ weights.T + intercept``."""
    away = _dense(X) - center
    return away[:, :, np.newaxis] * weights.T, weights @ center + intercept


def _logistic(model: Any, X: Any, center: FloatArray) -> list[Margins] | None:
    if len(model.classes_) > 2 and model.solver == "liblinear":  # one against the rest
        return None
    return _linear(Link.LOGISTIC if len(model.classes_) == 2 else Link.SOFTMAX)(model, X, center)


def _calibrated(model: Any, X: Any, center: FloatArray) -> list[Margins] | None:
    """Return the sums of classifiers of two classes with a sigmoid on a linear margin."""
    found = []
    for one in model.calibrated_classifiers_:
        line, sigmoids = one.estimator, one.calibrators
        is_linear = hasattr(line, "coef_") and hasattr(line, "decision_function")
        if len(model.classes_) != 2 or not is_linear or not hasattr(sigmoids[0], "a_"):
            return None
        # A sigmoid answers 1 / (1 + exp(a * margin + b)).
        slope, shift = -float(sigmoids[0].a_), -float(sigmoids[0].b_)
        weights = slope * np.atleast_2d(_dense(line.coef_))
        intercept = slope * np.atleast_1d(np.asarray(line.intercept_, dtype=np.float64)) + shift
        values, base = _line(weights, intercept, X, center)
        share = 1.0 / len(model.calibrated_classifiers_)
        found.append(Margins(values=values, base=base, link=Link.LOGISTIC, weight=share))
    return found


def _other_target(model: Any, X: Any, center: FloatArray) -> list[Margins] | None:
    """Return the sum of a model of another target: of ``log(1 + y)``, or of scaled numbers."""
    inner = margins_of(model.regressor_, X, center)
    if inner is None or len(inner) != 1 or inner[0].link is not Link.IDENTITY:
        return None
    margins, transformer = inner[0], model.transformer_
    if getattr(transformer, "inverse_func", None) is np.expm1:
        return [Margins(values=margins.values, base=margins.base, link=Link.EXPM1)]
    if type(transformer).__name__ != "StandardScaler":
        return None
    scale = 1.0 if transformer.scale_ is None else float(transformer.scale_[0])
    shift = 0.0 if transformer.mean_ is None else float(transformer.mean_[0])
    base = margins.base * scale + shift
    return [Margins(values=margins.values * scale, base=base, link=Link.IDENTITY)]


def _constant(model: Any, X: Any, center: FloatArray) -> list[Margins] | None:
    """Return the sum of a model that says the same of every row."""
    del center
    row = np.zeros((1, X.shape[1]))
    answer = model.predict_proba(row) if hasattr(model, "predict_proba") else model.predict(row)
    base = np.asarray(answer, dtype=np.float64).reshape(-1)
    values = np.zeros((X.shape[0], X.shape[1], len(base)))
    return [Margins(values=values, base=base, link=Link.IDENTITY)]


def _dense(X: Any) -> FloatArray:
    return np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64)


_NATIVE: Mapping[str, Native] = {
    "lightgbm.LGBMClassifier": _lightgbm,
    "lightgbm.LGBMRegressor": _lightgbm,
    "xgboost.XGBClassifier": _xgboost,
    "xgboost.XGBRegressor": _xgboost,
    "sklearn.LogisticRegression": _logistic,
    "sklearn.CalibratedClassifierCV": _calibrated,
    "sklearn.TransformedTargetRegressor": _other_target,
    "sklearn.DummyClassifier": _constant,
    "sklearn.DummyRegressor": _constant,
    **{
        f"sklearn.{name}": _linear(Link.IDENTITY)
        for name in ("ElasticNet", "LassoLars", "LinearRegression", "Ridge", "SGDRegressor")
    },
}
