"""Which model families there are. Names, aliases and tasks are known without importing one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nbautoml.domain.catalog import Catalog
from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import ModelFamily

_PACKAGE = "nbautoml.engine.models.tabular"
_BOTH = (Task.CLASSIFICATION, Task.REGRESSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class _BuiltIn:
    path: str
    tasks: tuple[Task, ...]
    aliases: tuple[str, ...] = ()


# In the order in which a run tries them. The family classes repeat names, aliases and tasks
# (a contract test holds them equal), so that a config is checked without loading LightGBM.
_BUILTINS: dict[str, _BuiltIn] = {
    "LightGBM": _BuiltIn(
        path=f"{_PACKAGE}.light_gbm:LightGBM",
        tasks=_BOTH,
        aliases=(
            "LightGBMClassifier",
            "LightGBMRegressor",
            "LGBM",
            "LGBMClassifier",
            "LGBMRegressor",
        ),
    ),
    "LogisticRegression": _BuiltIn(
        path=f"{_PACKAGE}.logistic_regression:LogisticRegression",
        tasks=(Task.CLASSIFICATION,),
        aliases=("LogReg", "LR"),
    ),
    "ElasticNet": _BuiltIn(path=f"{_PACKAGE}.elastic_net:ElasticNet", tasks=(Task.REGRESSION,)),
    "XGBoostClassifier": _BuiltIn(
        path=f"{_PACKAGE}.xgboost:XGBoostClassifier",
        tasks=(Task.CLASSIFICATION,),
        aliases=("XGBoost", "XGBClassifier"),
    ),
    "XGBoostRegressor": _BuiltIn(
        path=f"{_PACKAGE}.xgboost:XGBoostRegressor",
        tasks=(Task.REGRESSION,),
        aliases=("XGBoost", "XGBRegressor"),
    ),
    "ExtremeRandomTrees": _BuiltIn(
        path=f"{_PACKAGE}.extreme_random_trees:ExtremeRandomTrees",
        tasks=_BOTH,
        aliases=("ExtraTrees", "ExtraTreesClassifier", "ExtraTreesRegressor"),
    ),
    "RandomForest": _BuiltIn(
        path=f"{_PACKAGE}.random_forest:RandomForest",
        tasks=_BOTH,
        aliases=("RandomForestClassifier", "RandomForestRegressor", "RF"),
    ),
    "KNN": _BuiltIn(
        path=f"{_PACKAGE}.knn:KNN",
        tasks=_BOTH,
        aliases=("KNeighbors", "KNeighborsClassifier", "KNeighborsRegressor"),
    ),
    "SVM": _BuiltIn(
        path=f"{_PACKAGE}.svm:SVM",
        tasks=(Task.CLASSIFICATION,),
        aliases=("SVC", "SVCWrapper", "SupportVectorMachine"),
    ),
    "GradientBoosting": _BuiltIn(
        path=f"{_PACKAGE}.gradient_boosting:GradientBoosting",
        tasks=_BOTH,
        aliases=(
            "GradientBoostingClassifier",
            "GradientBoostingRegressor",
            "HistGradientBoosting",
            "GBM",
        ),
    ),
    "LinearSVM": _BuiltIn(
        path=f"{_PACKAGE}.linear_svm:LinearSVM",
        tasks=(Task.CLASSIFICATION,),
        aliases=("LinearSVC", "LinearSVMWrapper"),
    ),
    "DecisionTree": _BuiltIn(
        path=f"{_PACKAGE}.decision_tree:DecisionTree",
        tasks=_BOTH,
        aliases=("DecisionTreeClassifier", "DecisionTreeRegressor", "DT"),
    ),
    "BernoulliNaiveBayes": _BuiltIn(
        path=f"{_PACKAGE}.bernoulli_naive_bayes:BernoulliNaiveBayes",
        tasks=(Task.CLASSIFICATION,),
        aliases=("BernoulliNB",),
    ),
    "LassoLars": _BuiltIn(
        path=f"{_PACKAGE}.lasso_lars:LassoLars",
        tasks=(Task.REGRESSION,),
        aliases=("LassoLarsWrapper", "LARS"),
    ),
    "MultinomialNaiveBayes": _BuiltIn(
        path=f"{_PACKAGE}.multinomial_naive_bayes:MultinomialNaiveBayes",
        tasks=(Task.CLASSIFICATION,),
        aliases=("MultinomialNB", "NaiveBayes", "NB"),
    ),
    "FastLinearRegressor": _BuiltIn(
        path=f"{_PACKAGE}.fast_linear:FastLinearRegressor",
        tasks=(Task.REGRESSION,),
        aliases=("FastLinear",),
    ),
    "SGD": _BuiltIn(
        path=f"{_PACKAGE}.sgd:SGD",
        tasks=_BOTH,
        aliases=(
            "SGDClassifier",
            "SGDRegressor",
            "SGDClassifierWrapper",
            "StochasticGradientDescent",
        ),
    ),
    "AveragedPerceptronClassifier": _BuiltIn(
        path=f"{_PACKAGE}.averaged_perceptron:AveragedPerceptronClassifier",
        tasks=(Task.CLASSIFICATION,),
        aliases=(
            "AveragedPerceptron",
            "AveragedPerceptronBinaryClassifier",
            "AveragedPerceptronMulticlassClassifier",
            "Perceptron",
        ),
    ),
    "OnlineGradientDescentRegressor": _BuiltIn(
        path=f"{_PACKAGE}.online_gradient_descent:OnlineGradientDescentRegressor",
        tasks=(Task.REGRESSION,),
        aliases=("OnlineGradientDescent", "OGD"),
    ),
    "CatBoost": _BuiltIn(
        path=f"{_PACKAGE}.cat_boost:CatBoost",
        tasks=_BOTH,
        aliases=("CatBoostClassifier", "CatBoostRegressor"),
    ),
}

OPTIONAL = {"CatBoost": "catboost"}
"""Built-in families that are there only where a package is installed: name to its module."""

FAMILIES: Catalog[type[ModelFamily]] = Catalog(
    "model",
    {name: entry.path for name, entry in _BUILTINS.items()},
    "nbautoml.model_families",
    OPTIONAL,
)


def get_family(name: str) -> ModelFamily:
    """Return the family of that catalog name, or of a ``"module:attribute"`` path.

    Examples
    --------
    >>> get_family("KNN").name
    'KNN'
    """
    return FAMILIES.get(name)()


def families_for(task: Task) -> tuple[str, ...]:
    """Return the names of all families that learn a task, in the order in which they are tried.

    Examples
    --------
    >>> families_for(Task.REGRESSION)[:2]
    ('LightGBM', 'ElasticNet')
    """
    return tuple(name for name in FAMILIES.names() if task in _tasks(name))


def _tasks(name: str) -> Iterable[Task]:
    return _BUILTINS[name].tasks if name in _BUILTINS else FAMILIES.get(name).tasks
