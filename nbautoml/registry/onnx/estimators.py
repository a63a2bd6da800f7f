"""Fitted estimators as nodes of a graph.

Classifiers become probabilities of the classes that they know, shape (n_rows, n_known);
regressors become numbers, shape (n_rows, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any  # Any: fitted estimators of several libraries

import numpy as np

from nbautoml.registry.onnx import boosting
from nbautoml.registry.onnx.graph import Graph, Matrix, refuse
from nbautoml.registry.onnx.neighbours import neighbour_numbers, neighbour_probabilities
from nbautoml.registry.onnx.trees import mean_of_leaves, tree_of_nodes

Writer = Callable[[Graph, Any, Matrix], str]


def predict_proba(graph: Graph, model: Any, features: Matrix) -> str:
    """Return the probabilities that a fitted classifier gives.

    Raises
    ------
    ModelError
        When there is no way to write such a classifier; the message names it.
    """
    return _write(CLASSIFIERS, graph, model, features)


def predict(graph: Graph, model: Any, features: Matrix) -> str:
    """Return the numbers that a fitted regressor gives.

    Raises
    ------
    ModelError
        When there is no way to write such a regressor; the message names it.
    """
    return _write(REGRESSORS, graph, model, features)


def _write(table: dict[str, Writer], graph: Graph, model: Any, features: Matrix) -> str:
    name = type(model).__name__
    if name not in table:
        raise refuse(
            f"the step {name}",
            "has no form as a graph. Leave its family out with blocked_models, or set "
            "enable_onnx_compatible_models=True.",
        )
    return table[name](graph, model, features)


def _linear(graph: Graph, model: Any, features: Matrix) -> str:
    """Return the linear function of a fitted linear model: a column for each of its rows."""
    slopes = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    levels = np.broadcast_to(np.asarray(model.intercept_, dtype=np.float64), (len(slopes),))
    return graph.add(graph.matmul(features.name, slopes.T), levels[np.newaxis])


def _two(graph: Graph, second: str) -> str:
    """Return the probabilities of both classes from that of the second."""
    return graph.join([graph.sub(graph.constant([[1.0]]), second), second])


def _logistic(graph: Graph, model: Any, features: Matrix) -> str:
    margins = _linear(graph, model, features)
    if len(model.classes_) == 2:
        return _two(graph, graph.node("Sigmoid", margins))
    return graph.node("Softmax", margins, axis=1)


def _light_gbm_classifier(graph: Graph, model: Any, features: Matrix) -> str:
    _check_objective("LightGBM", boosting.objective_of_light_gbm(model), ("binary", "multiclass"))
    return boosting.probabilities(graph, *boosting.light_gbm(graph, model, features))


def _light_gbm_regressor(graph: Graph, model: Any, features: Matrix) -> str:
    _check_objective("LightGBM", boosting.objective_of_light_gbm(model), ("regression",))
    return boosting.light_gbm(graph, model, features)[0]


def _xgboost_classifier(graph: Graph, model: Any, features: Matrix) -> str:
    margins, n_margins, objective = boosting.xgboost(graph, model, features)
    _check_objective("XGBoost", objective, ("binary:logistic", "multi:softprob"))
    return boosting.probabilities(graph, margins, n_margins)


def _xgboost_regressor(graph: Graph, model: Any, features: Matrix) -> str:
    margins, _, objective = boosting.xgboost(graph, model, features)
    _check_objective("XGBoost", objective, ("reg:squarederror",))
    return margins


def _check_objective(of: str, found: str, known: Sequence[str]) -> None:
    if found not in known:
        raise refuse(of, f"was trained for {found!r}; written are {', '.join(known)}.")


def _histogram_classifier(graph: Graph, model: Any, features: Matrix) -> str:
    margins, n_margins = boosting.histogram_boosting(graph, model, features)
    return boosting.probabilities(graph, margins, n_margins)


def _histogram_regressor(graph: Graph, model: Any, features: Matrix) -> str:
    return boosting.histogram_boosting(graph, model, features)[0]


def _grown(graph: Graph, trees: Sequence[Any], features: Matrix, *, n_classes: int) -> str:
    """Return the mean of scikit-learn's trees: shares of classes, or numbers."""
    made, values = [], []
    for grown in (tree.tree_ for tree in trees):
        tree, leaves = tree_of_nodes(
            left=grown.children_left,
            right=grown.children_right,
            is_leaf=grown.children_left < 0,
            feature=grown.feature,
            threshold=grown.threshold,
            missing_left=np.asarray(grown.missing_go_to_left),
        )
        said = grown.value[leaves, 0, :]
        if n_classes:
            said = said / said.sum(axis=1, keepdims=True)
        made.append(tree)
        values.append(said[:, 1:] if n_classes == 2 else said)
    mean = mean_of_leaves(graph, features.name, made, np.concatenate(values))
    return _two(graph, mean) if n_classes == 2 else mean


def _forest_classifier(graph: Graph, model: Any, features: Matrix) -> str:
    return _grown(graph, model.estimators_, features, n_classes=len(model.classes_))


def _forest_regressor(graph: Graph, model: Any, features: Matrix) -> str:
    return _grown(graph, model.estimators_, features, n_classes=0)


def _tree_classifier(graph: Graph, model: Any, features: Matrix) -> str:
    return _grown(graph, [model], features, n_classes=len(model.classes_))


def _tree_regressor(graph: Graph, model: Any, features: Matrix) -> str:
    return _grown(graph, [model], features, n_classes=0)


def _calibrated(graph: Graph, model: Any, features: Matrix) -> str:
    """Return the mean of classifiers whose margins a sigmoid makes probabilities."""
    n_classes = len(model.classes_)
    parts = [_sigmoids(graph, one, features, n_classes) for one in model.calibrated_classifiers_]
    total = parts[0]
    for part in parts[1:]:
        total = graph.add(total, part)
    return graph.div(total, [[float(len(parts))]])


def _sigmoids(graph: Graph, one: Any, features: Matrix, n_classes: int) -> str:
    if one.method != "sigmoid":
        raise refuse("CalibratedClassifierCV", f"uses the method {one.method!r}.")
    margins = _write(MARGINS, graph, one.estimator, features)
    slopes = np.array([[c.a_ for c in one.calibrators]], dtype=np.float64)
    levels = np.array([[c.b_ for c in one.calibrators]], dtype=np.float64)
    shares = graph.node("Sigmoid", graph.node("Neg", graph.add(graph.mul(margins, slopes), levels)))
    if n_classes == 2:
        return _two(graph, shares)
    known = np.searchsorted(one.classes, one.estimator.classes_)
    if len(known) < n_classes:
        shares = graph.matmul(shares, np.eye(n_classes)[known])
    total = graph.sum_of(shares, 1)
    is_empty = graph.compare("Equal", total, [[0.0]])
    even = graph.where(is_empty, np.full((1, n_classes), 1.0 / n_classes), shares)
    return graph.div(even, graph.where(is_empty, [[1.0]], total))


def _kernel_margins(graph: Graph, model: Any, features: Matrix) -> str:
    """Return the decision function of a fitted `SVC` with a Gaussian kernel."""
    if model.kernel != "rbf":
        raise refuse("SVC", f"uses the kernel {model.kernel!r}.")
    vectors = _dense(model.support_vectors_)
    squares = (vectors**2).sum(axis=1)[np.newaxis]
    own = graph.sum_of(graph.mul(features.name, features.name), 1)
    cross = graph.mul(graph.matmul(features.name, vectors.T), [[-2.0]])
    distances = graph.node(
        "Max", graph.add(graph.add(cross, own), squares), graph.constant([[0.0]])
    )
    kernel = graph.node("Exp", graph.mul(distances, [[-float(model._gamma)]]))
    n_classes = len(model.classes_)
    weights, intercept = _dense(model.dual_coef_), np.asarray(model.intercept_, dtype=np.float64)
    if n_classes == 2:
        return graph.add(graph.matmul(kernel, weights.T), intercept[np.newaxis])
    pairs = graph.add(graph.matmul(kernel, _pair_weights(model, weights)), intercept[np.newaxis])
    return _one_against_rest(graph, pairs, n_classes)


def _dense(values: Any) -> Any:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, dtype=np.float64)


def _pair_weights(model: Any, weights: Any) -> Any:
    """Return the weights of the support vectors for each pair of classes.

    libsvm keeps, for a vector of class i, its weight against class j in row j - 1 (j > i) or
    j (j < i).
    """
    ends = np.cumsum(model.n_support_)
    own = [slice(end - n, end) for end, n in zip(ends, model.n_support_, strict=True)]
    columns = []
    for i in range(len(own)):
        for j in range(i + 1, len(own)):
            column = np.zeros(weights.shape[1])
            column[own[i]] = weights[j - 1, own[i]]
            column[own[j]] = weights[i, own[j]]
            columns.append(column)
    return np.stack(columns, axis=1)


def _one_against_rest(graph: Graph, pairs: str, n_classes: int) -> str:
    """Return a margin for each class from those of pairs: votes, and sums that settle ties."""
    places = [(i, j) for i in range(n_classes) for j in range(i + 1, n_classes)]
    first, second = np.zeros((2, len(places), n_classes))
    for place, (i, j) in enumerate(places):
        first[place, i] = second[place, j] = 1.0
    is_second = graph.cast(graph.compare("Less", pairs, [[0.0]]), "double")
    votes = graph.add(graph.matmul(is_second, second - first), first.sum(axis=0)[np.newaxis])
    sums = graph.matmul(pairs, first - second)
    sizes = graph.mul(graph.add(graph.node("Abs", sums), [[1.0]]), [[3.0]])
    return graph.add(votes, graph.node("Div", sums, sizes))


def _bernoulli(graph: Graph, model: Any, features: Matrix) -> str:
    value = features.name
    if model.binarize is not None:
        value = graph.cast(graph.compare("Greater", value, [[float(model.binarize)]]), "double")
    yes = np.asarray(model.feature_log_prob_, dtype=np.float64)
    no = np.log(1 - np.exp(yes))
    levels = np.asarray(model.class_log_prior_, float) + no.sum(axis=1)
    logs = graph.add(graph.matmul(value, (yes - no).T), levels[np.newaxis])
    return graph.node("Softmax", logs, axis=1)


def _multinomial(graph: Graph, model: Any, features: Matrix) -> str:
    slopes = np.asarray(model.feature_log_prob_, dtype=np.float64).T
    levels = np.asarray(model.class_log_prior_, dtype=np.float64)[np.newaxis]
    logs = graph.add(graph.matmul(features.name, slopes), levels)
    return graph.node("Softmax", logs, axis=1)


def _pipeline_of_counts(graph: Graph, model: Any, features: Matrix) -> str:
    """Return what `MultinomialNaiveBayes` fits: a step that keeps counts positive, and a model."""
    step, last = model.steps[0][1], model.steps[-1][1]
    name = type(step).__name__
    if name == "FunctionTransformer" and getattr(step.func, "__name__", "") == "abs":
        value = graph.node("Abs", features.name)
    elif name == "MinMaxScaler":
        scaled = graph.mul(features.name, np.asarray(step.scale_, float)[np.newaxis])
        value = graph.add(scaled, np.asarray(step.min_, float)[np.newaxis])
        value = graph.clip(value, 0.0, 1.0)
    else:
        raise refuse(f"the step {name}", "has no form as a graph.")
    return predict_proba(graph, last, Matrix(name=value, is_sparse=features.is_sparse))


def _constant_shares(graph: Graph, model: Any, features: Matrix) -> str:
    del features
    return graph.repeat(np.asarray(model.class_prior_, dtype=np.float64)[np.newaxis])


def _constant_number(graph: Graph, model: Any, features: Matrix) -> str:
    del features
    return graph.repeat(np.asarray(model.constant_, dtype=np.float64).reshape(1, 1))


def _transformed(graph: Graph, model: Any, features: Matrix) -> str:
    """Return what a regressor of a transformed label says, in the label's units."""
    numbers = predict(graph, model.regressor_, features)
    step = model.transformer_
    name = type(step).__name__
    if name == "StandardScaler":
        return graph.add(graph.mul(numbers, [[float(step.scale_[0])]]), [[float(step.mean_[0])]])
    inverse = getattr(getattr(step, "inverse_func", None), "__name__", "")
    if name == "FunctionTransformer" and inverse == "expm1":
        return graph.sub(graph.node("Exp", numbers), [[1.0]])
    raise refuse(f"the step {name} of the label", "has no form as a graph.")


MARGINS: dict[str, Writer] = {
    "LinearSVC": _linear,
    "SGDClassifier": _linear,
    "SVC": _kernel_margins,
}
"""Name of a classifier without probabilities to what writes its decision function."""

CLASSIFIERS: dict[str, Writer] = {
    "BernoulliNB": _bernoulli,
    "CalibratedClassifierCV": _calibrated,
    "DecisionTreeClassifier": _tree_classifier,
    "DummyClassifier": _constant_shares,
    "ExtraTreesClassifier": _forest_classifier,
    "HistGradientBoostingClassifier": _histogram_classifier,
    "KNeighborsClassifier": neighbour_probabilities,
    "LGBMClassifier": _light_gbm_classifier,
    "LogisticRegression": _logistic,
    "LogisticRegressionCV": _logistic,
    "MultinomialNB": _multinomial,
    "Pipeline": _pipeline_of_counts,
    "RandomForestClassifier": _forest_classifier,
    "XGBClassifier": _xgboost_classifier,
}
"""Name of a classifier to what writes its probabilities."""

REGRESSORS: dict[str, Writer] = {
    "DecisionTreeRegressor": _tree_regressor,
    "DummyRegressor": _constant_number,
    "ElasticNet": _linear,
    "ElasticNetCV": _linear,
    "ExtraTreesRegressor": _forest_regressor,
    "HistGradientBoostingRegressor": _histogram_regressor,
    "KNeighborsRegressor": neighbour_numbers,
    "LGBMRegressor": _light_gbm_regressor,
    "LassoLars": _linear,
    "LinearRegression": _linear,
    "RandomForestRegressor": _forest_regressor,
    "Ridge": _linear,
    "SGDRegressor": _linear,
    "TransformedTargetRegressor": _transformed,
    "XGBRegressor": _xgboost_regressor,
}
"""Name of a regressor to what writes its numbers."""
