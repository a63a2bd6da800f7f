"""Names of models as notebooks write them: which are known, which can be used, in any spelling.

The names are those of the SDK's documentation ("Set up AutoML training with Python",
supported models); the aliases are spellings of its 2018 to 2020 releases.
"""

from __future__ import annotations

import importlib.util
import re

from nbautoml.domain.tasks import Task
from nbautoml.errors import did_you_mean

_STRONG = ("LightGBM", "RandomForest", "ExtremeRandomTrees", "KNN")
AVAILABLE: dict[Task, tuple[str, ...]] = {
    Task.CLASSIFICATION: (
        "LogisticRegression",
        *_STRONG,
        "XGBoostClassifier",
        "SVM",
        "GradientBoosting",
        "LinearSVM",
        "DecisionTree",
        "BernoulliNaiveBayes",
        "MultinomialNaiveBayes",
        "SGD",
        "AveragedPerceptronClassifier",
    ),
    Task.REGRESSION: (
        "ElasticNet",
        *_STRONG,
        "XGBoostRegressor",
        "GradientBoosting",
        "DecisionTree",
        "LassoLars",
        "FastLinearRegressor",
        "SGD",
        "OnlineGradientDescentRegressor",
    ),
    Task.FORECASTING: (),
}
"""Families that a run can train, by task."""

OPTIONAL: dict[str, str] = {"CatBoost": "catboost"}
"""Families of both tasks that a run can train where a package is installed: name to package."""

PLANNED: tuple[str, ...] = (
    "TensorFlowDNN",
    "TensorFlowLinearClassifier",
    "TensorFlowLinearRegressor",
    "AutoArima",
    "Prophet",
    "ExponentialSmoothing",
    "Arimax",
    "Naive",
    "SeasonalNaive",
    "Average",
    "SeasonalAverage",
    "TCNForecaster",
)
"""Names that the SDK knows and that no run trains yet."""

ANY_XGBOOST = "XGBoost"
"""XGBoost without the task: `for_task` makes it the classifier or the regressor."""

KNOWN: tuple[str, ...] = (
    *dict.fromkeys(name for names in AVAILABLE.values() for name in names),
    *OPTIONAL,
    *PLANNED,
)

_ALIASES = {
    "dt": "DecisionTree",
    "extratrees": "ExtremeRandomTrees",
    "extremelyrandomizedtrees": "ExtremeRandomTrees",
    "gbm": "GradientBoosting",
    "histgradientboosting": "GradientBoosting",
    "kneighbors": "KNN",
    "knearestneighbors": "KNN",
    "lars": "LassoLars",
    "lgbm": "LightGBM",
    "linearsvc": "LinearSVM",
    "linearsupportvectormachine": "LinearSVM",
    "logreg": "LogisticRegression",
    "lr": "LogisticRegression",
    "bernoullinb": "BernoulliNaiveBayes",
    "multinomialnb": "MultinomialNaiveBayes",
    "naivebayes": "MultinomialNaiveBayes",
    "nb": "MultinomialNaiveBayes",
    "rf": "RandomForest",
    "stochasticgradientdescent": "SGD",
    "supportvectormachine": "SVM",
    "svc": "SVM",
    "arima": "AutoArima",
    "averagedperceptron": "AveragedPerceptronClassifier",
    "averagedperceptronbinary": "AveragedPerceptronClassifier",
    "averagedperceptronmulticlass": "AveragedPerceptronClassifier",
    "dnn": "TensorFlowDNN",
    "fastlinear": "FastLinearRegressor",
    "ogd": "OnlineGradientDescentRegressor",
    "onlinegradientdescent": "OnlineGradientDescentRegressor",
    "perceptron": "AveragedPerceptronClassifier",
    "tcn": "TCNForecaster",
    "xgb": ANY_XGBOOST,
    "xgboost": ANY_XGBOOST,
    "xgbclassifier": "XGBoostClassifier",
    "xgbregressor": "XGBoostRegressor",
}
_SUFFIXES = ("wrapper", "classifier", "regressor", "regression")


def canonical(name: str) -> str:
    """Return the SDK's name of a model written in any case or older spelling.

    Parameters
    ----------
    name : str
        Such as ``"lightgbm"``, ``"kNN"`` or ``"RandomForestClassifier"``; or
        ``"package.module:Class"`` for a model family of the user's own.

    Returns
    -------
    str
        A name of `KNOWN`, `ANY_XGBOOST`, or the path of a user's own family as it is.

    Raises
    ------
    LookupError
        When no model has that name; its text is a hint, or empty.

    Examples
    --------
    >>> canonical("knn"), canonical("extra trees regressor"), canonical("LGBMClassifier")
    ('KNN', 'ExtremeRandomTrees', 'LightGBM')
    """
    if ":" in name:
        return name
    table = {known.lower(): known for known in KNOWN} | _ALIASES
    key = re.sub(r"[^a-z0-9]", "", name.lower())
    while key not in table:
        suffix = next((s for s in _SUFFIXES if key.endswith(s) and key != s), None)
        if suffix is None:
            raise LookupError(did_you_mean(name, KNOWN))
        key = key.removesuffix(suffix)
    return table[key]


def available(task: Task) -> tuple[str, ...]:
    """Return the families that a run of `task` can train here, those of installed packages too."""
    if not AVAILABLE[task]:
        return ()
    return (*AVAILABLE[task], *(name for name in OPTIONAL if is_installed(name)))


def is_installed(name: str) -> bool:
    """Return whether the package of an optional family is there.

    Examples
    --------
    >>> is_installed("LightGBM")
    True
    """
    return name not in OPTIONAL or importlib.util.find_spec(OPTIONAL[name]) is not None


def for_task(name: str, task: Task) -> str:
    """Return the name with `ANY_XGBOOST` replaced by the one of the task."""
    if name != ANY_XGBOOST:
        return name
    return "XGBoostClassifier" if task is Task.CLASSIFICATION else "XGBoostRegressor"
