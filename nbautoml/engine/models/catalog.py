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
}

FAMILIES: Catalog[type[ModelFamily]] = Catalog(
    "model", {name: entry.path for name, entry in _BUILTINS.items()}, "nbautoml.model_families"
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
