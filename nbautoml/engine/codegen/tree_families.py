"""The code of families of trees, of neighbours, and of families from elsewhere."""

from __future__ import annotations

from typing import Any  # Any: values of arguments

from nbautoml.engine.codegen.algorithms import Algorithm, Circumstances, doc_of
from nbautoml.engine.codegen.source import Call, Code, render
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models.tabular._boosting import early_stopping_rounds
from nbautoml.engine.models.tabular._forest import (
    ANSWER_BYTES,
    FEWEST_TREES,
    MOST_BYTES,
    N_TREES,
    NODE_BYTES,
    most_nodes,
)
from nbautoml.engine.models.tabular.gradient_boosting import _TAKES_VALID as HIST_TAKES_VALID
from nbautoml.engine.models.tabular.light_gbm import _TAKES_EVAL_X, _WIDE

_FEW_COLUMNS = 50
"""Up to so many raw columns without texts, features are far fewer than a thousand."""
_EUCLID = 2
"""Power of Euclid's distance."""


def plain(given: Circumstances) -> Algorithm:
    """Write an estimator that is fitted as it is built."""
    return Algorithm(estimator=given.call(), doc=doc_of(given))


def light_gbm(given: Circumstances) -> Algorithm:
    """Write LightGBM: it stops early on the validation rows."""
    smallest = f"max(1, min({given.params['min_child_samples']}, X.shape[0] // 10))"
    changes: dict[str, Any] = {}
    if _may_be_wide(given):
        changes = {
            "force_row_wise": Code(f"X.shape[1] <= {_WIDE}"),
            "force_col_wise": Code(f"X.shape[1] > {_WIDE}"),
        }
    estimator = given.call(by_rows={"min_child_samples": smallest}, changes=changes)
    given.imports.add("lightgbm", "early_stopping")
    named: dict[str, Any] = {}
    if given.representation is Representation.NATIVE:
        named["categorical_feature"] = Code("transformer.categorical_features_.tolist()")
    rows = (Code("features_valid"), Code("target_valid"))
    named |= {"eval_X": rows[0], "eval_y": rows[1]} if _TAKES_EVAL_X else {"eval_set": [rows]}
    if given.is_weighted:
        named["eval_sample_weight"] = [Code("weight_valid")]
    patience = early_stopping_rounds(given.params["learning_rate"])
    stop = Call("early_stopping", (("", patience), ("verbose", False)))
    named["callbacks"] = [stop]
    return Algorithm(
        estimator=estimator,
        doc=doc_of(given),
        fit=(
            f"    # Boosting ends {patience} rounds after the best one on the validation rows.",
            "    " + render(given.plain_fit(**named), indent=4),
        ),
        stops_early=True,
    )


def _may_be_wide(given: Circumstances) -> bool:
    profile = given.facts.profile
    is_plain = all(column.form.kind in ("number", "boolean", "date") for column in profile.used)
    is_linear = given.representation is Representation.LINEAR
    return len(profile.used) > _FEW_COLUMNS or (is_linear and not is_plain)


def xgboost(given: Circumstances) -> Algorithm:
    """Write XGBoost: it stops early on the validation rows."""
    patience = early_stopping_rounds(given.params["learning_rate"])
    metric: Any = "rmse"
    if given.facts.is_classification:
        metric = "mlogloss" if given.facts.run.n_classes > 2 else "logloss"
    if given.facts.has_gaps:
        metric = Code('"mlogloss" if y.max() > 1 else "logloss"')
    changes = {"early_stopping_rounds": patience, "eval_metric": metric}
    rows = (Code("features_valid"), Code("target_valid"))
    named: dict[str, Any] = {"eval_set": [rows]}
    if given.is_weighted:
        named["sample_weight_eval_set"] = [Code("weight_valid")]
    fit = given.plain_fit(**named, verbose=False)
    given.imports.add("numpy", alias="np")
    return Algorithm(
        estimator=given.call(changes=changes),
        doc=doc_of(given),
        fit=(
            f"    # Boosting ends {patience} rounds after the best one on the validation rows.",
            "    target = target.astype(np.float32)",
            "    " + render(fit, indent=4),
        ),
        stops_early=True,
    )


def gradient_boosting(given: Circumstances) -> Algorithm:
    """Write scikit-learn's boosting: it stops early on the validation rows."""
    smallest = f"max(1, min({given.params['min_samples_leaf']}, X.shape[0] // 10))"
    estimator = given.call(by_rows={"min_samples_leaf": smallest}, changes={"early_stopping": True})
    named: dict[str, Any] = {}
    if HIST_TAKES_VALID:
        named = {"X_val": Code("features_valid"), "y_val": Code("target_valid")}
        if given.is_weighted:
            named["sample_weight_val"] = Code("weight_valid")
    return Algorithm(
        estimator=estimator,
        doc=doc_of(given),
        fit=("    " + render(given.plain_fit(**named), indent=4),),
        stops_early=HIST_TAKES_VALID,
    )


def forest(given: Circumstances) -> Algorithm:
    """Write a forest: how many trees it has, and how large, depends on the rows."""
    leaf = given.params["min_samples_leaf"]
    most: Any = most_nodes(given.facts.run.n_classes)
    if given.facts.has_gaps:  # a fold may lack a class
        most = f"({2 * MOST_BYTES} // ({NODE_BYTES} + {ANSWER_BYTES} * (int(y.max()) + 1)))"
    trees = f"min({N_TREES}, max({FEWEST_TREES}, {most} * {leaf} // (2 * X.shape[0])))"
    by_rows = {
        "n_estimators": trees,
        "min_samples_leaf": f"max({leaf}, -(-{2 * FEWEST_TREES} * X.shape[0] // {most}))",
    }
    if not given.facts.has_gaps:
        return Algorithm(estimator=given.call(by_rows=by_rows), doc=doc_of(given))
    changes = {name: Code(text) for name, text in by_rows.items()}
    return Algorithm(estimator=given.call(changes=changes), doc=doc_of(given))


def cat_boost(given: Circumstances) -> Algorithm:
    """Write CatBoost: it stops early on the validation rows."""
    patience = early_stopping_rounds(given.params["learning_rate"])
    rows: Any = (Code("features_valid"), Code("target_valid"))
    if given.is_weighted:
        given.imports.add("catboost", "Pool")
        rows = Call("Pool", (*(("", row) for row in rows), ("weight", Code("weight_valid"))))
    fit = given.plain_fit(eval_set=rows, early_stopping_rounds=patience, use_best_model=True)
    return Algorithm(
        estimator=given.call(),
        doc=doc_of(given),
        fit=(
            f"    # Boosting ends {patience} rounds after the best one on the validation rows.",
            "    " + render(fit, indent=4),
        ),
        stops_early=True,
    )


def decision_tree(given: Circumstances) -> Algorithm:
    """Write a single tree."""
    smallest = f"max(1, min({given.params['min_samples_leaf']}, X.shape[0] // 10))"
    return Algorithm(
        estimator=given.call(by_rows={"min_samples_leaf": smallest}), doc=doc_of(given)
    )


def neighbours(given: Circumstances) -> Algorithm:
    """Write nearest neighbours; of sparse rows the distance is Euclid's."""
    most = f"min({given.params['n_neighbors']}, X.shape[0])"
    changes: dict[str, Any] = {}
    if given.may_be_sparse and given.params["p"] != _EUCLID:
        given.imports.add("scipy.sparse", "issparse")
        changes["p"] = Code(f"{_EUCLID} if issparse(X) else {given.params['p']}")
    estimator = given.call(by_rows={"n_neighbors": most}, changes=changes)
    return Algorithm(estimator=estimator, doc=doc_of(given))


def from_elsewhere(given: Circumstances) -> Algorithm:
    """Write a family of another package, whose own code makes the fit."""
    imports = given.imports
    imports.add("nbautoml.domain.tasks", "Task")
    imports.add("nbautoml.engine.models._base", "FitContext")
    imports.add("nbautoml.engine.models.catalog", "get_family")
    n_classes = Code("len(np.unique(target))") if given.facts.is_classification else 0
    context = Call(
        "FitContext",
        (
            ("task", Code(f"Task.{given.facts.task.name}")),
            ("n_classes", n_classes),
            ("threads", Code("THREADS")),
            ("seed", Code("seed")),
            *(
                (("categories", Code("tuple(transformer.categorical_features_.tolist())")),)
                if given.representation is Representation.NATIVE
                else ()
            ),
        ),
    )
    named: list[tuple[str, Any]] = [
        ("", Code("features")),
        ("", Code("target")),
        ("params", dict(given.params)),
        ("context", context),
        ("valid", (Code("features_valid"), Code("target_valid"))),
    ]
    if given.is_weighted:
        named += [("weight", Code("weight")), ("valid_weight", Code("weight_valid"))]
    imports.add("numpy", alias="np")
    return Algorithm(
        estimator=Call("get_family", (("", given.member.candidate.family),)),
        doc=f"{given.family.name}, which brings the code of its fits along.",
        fit=(
            "    result = " + render(Call("model.fit", tuple(named)), indent=4, before=9),
            "    model = result.model",
        ),
        stops_early=True,
    )
