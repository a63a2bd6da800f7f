"""LightGBM, XGBoost and scikit-learn's boosting as trees of a graph."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any  # Any: fitted models, JSON values

import numpy as np

from nbautoml.registry.onnx.graph import Graph, Matrix, refuse
from nbautoml.registry.onnx.trees import (
    LESS,
    Floats,
    Ints,
    Tree,
    leaf_numbers,
    sum_of_trees,
    tree_of_nodes,
)

_IS_CATEGORY, _IS_DEFAULT_LEFT, _MISSING = 1, 2, 12
"""Bits of ``decision_type`` in LightGBM's text format."""
_MISSING_NONE, _MISSING_NAN = 0, 8
_BITS = 32
_ALMOST_ZERO = float(np.float32(1e-35))
"""LightGBM takes what is not farther from zero for zero (``kZeroThreshold`` in its ``meta.h``)."""


def probabilities(graph: Graph, margins: str, n_margins: int) -> str:
    """Return probabilities from margins: one for two classes, else one for each class."""
    if n_margins > 1:
        return graph.node("Softmax", margins, axis=1)
    second = graph.node("Sigmoid", margins)
    return graph.join([graph.node("Sigmoid", graph.node("Neg", margins)), second])


def light_gbm(graph: Graph, model: Any, features: Matrix) -> tuple[str, int]:
    """Return the margins of a fitted LightGBM model, and how many a row has.

    Raises
    ------
    ModelError
        For settings that this package's families do not use.
    """
    text = model.booster_.model_to_string()
    header, *sections = text.split("\nTree=")
    facts = _pairs_of(header)
    if "average_output" in header.splitlines():
        raise refuse("LightGBM", "averages its trees, which is not written yet.")
    n_margins = int(facts["num_tree_per_iteration"])
    parts = [_pairs_of(section) for section in sections]
    trees = [_light_gbm_tree(part) for part in parts]
    values = [_numbers(part, "leaf_value") for part in parts]
    if any(part.get("is_linear") == "1" for part in parts):
        return _lines_in_leaves(graph, features, trees, parts), 1
    targets = [place % n_margins for place in range(len(trees))]
    base = np.zeros(n_margins)
    return sum_of_trees(graph, features.name, trees, values, targets=targets, base=base), n_margins


def objective_of_light_gbm(model: Any) -> str:
    """Return the first word of what a LightGBM model was trained for."""
    header = model.booster_.model_to_string(num_iteration=1).split("\nTree=")[0]
    return _pairs_of(header).get("objective", "").split(" ")[0]


def _pairs_of(section: str) -> dict[str, str]:
    """Return the ``name=value`` lines of a section up to its end."""
    body = section.split("end of trees")[0]
    return dict(line.split("=", 1) for line in body.splitlines() if "=" in line)


def _numbers(part: Mapping[str, str], name: str) -> Floats:
    return np.array(part.get(name, "").split(), dtype=np.float64)


def _light_gbm_tree(part: Mapping[str, str]) -> Tree:
    n_leaves = int(part["num_leaves"])
    if n_leaves == 1:
        none: Any = np.empty(0, dtype=np.int64)
        return Tree(
            feature=none,
            threshold=none.astype(float),
            left=none,
            right=none,
            missing_left=none.astype(bool),
            n_leaves=1,
        )
    kind = _numbers(part, "decision_type").astype(np.int64)
    threshold = _numbers(part, "threshold")
    is_category = (kind & _IS_CATEGORY) > 0
    missing = kind & _MISSING
    if (~is_category & ~np.isin(missing, (_MISSING_NONE, _MISSING_NAN))).any():
        raise refuse("LightGBM", "takes zeros for missing cells, which is not written yet.")
    # Where it has seen no missing cells, LightGBM takes them as 0.
    left_if_zero = threshold >= 0.0
    goes_left = np.where(missing == _MISSING_NONE, left_if_zero, (kind & _IS_DEFAULT_LEFT) > 0)
    return Tree(
        feature=_numbers(part, "split_feature").astype(np.int64),
        threshold=np.where(is_category, 0.0, beyond_zero(threshold)),
        left=_numbers(part, "left_child").astype(np.int64),
        right=_numbers(part, "right_child").astype(np.int64),
        missing_left=goes_left & ~is_category,
        n_leaves=n_leaves,
        members=_sets_of(part, threshold, is_category),
    )


def beyond_zero(thresholds: Floats) -> Floats:
    """Return LightGBM's thresholds as they part numbers: what is almost zero is on zero's side.

    Examples
    --------
    >>> beyond_zero(np.array([-1.0, 0.0, 2.0])).tolist()
    [-1.0, 1.0000000180025095e-35, 2.0]
    """
    is_below = (thresholds < 0) & (thresholds >= -_ALMOST_ZERO)
    is_above = (thresholds >= 0) & (thresholds <= _ALMOST_ZERO)
    below = np.nextafter(-_ALMOST_ZERO, -np.inf)
    return np.where(is_below, below, np.where(is_above, _ALMOST_ZERO, thresholds))


def _sets_of(part: Mapping[str, str], threshold: Floats, is_category: Any) -> dict[int, Ints]:
    """Return the categories that mean yes, by question; they are kept as bits."""
    bounds = _numbers(part, "cat_boundaries").astype(np.int64)
    words = _numbers(part, "cat_threshold").astype(np.int64)
    found = {}
    for place in np.flatnonzero(is_category):
        number = int(threshold[place])
        own = words[bounds[number] : bounds[number + 1]]
        bits = (own[:, np.newaxis] >> np.arange(_BITS)) & 1
        found[int(place)] = np.flatnonzero(bits.ravel())
    return found


def _lines_in_leaves(
    graph: Graph, features: Matrix, trees: Sequence[Tree], parts: Sequence[Mapping[str, str]]
) -> str:
    """Return sums of trees whose leaves hold a linear function of some features.

    A row that lacks one of a leaf's features gets the leaf's plain value, as in LightGBM.
    """
    sizes = [_numbers(part, "num_features").astype(np.int64) for part in parts]
    longest = max([1, *(int(size.max()) for size in sizes if len(size))])
    n_leaves = sum(tree.n_leaves for tree in trees)
    places, slopes = np.zeros((n_leaves, longest), np.int64), np.zeros((n_leaves, longest))
    is_used = np.zeros((n_leaves, longest), dtype=bool)
    levels, plain = np.zeros(n_leaves), np.zeros(n_leaves)
    leaf = 0
    for tree, part, size in zip(trees, parts, sizes, strict=True):
        own = slice(leaf, leaf + tree.n_leaves)
        plain[own] = _numbers(part, "leaf_value")
        levels[own] = _numbers(part, "leaf_const") if "leaf_const" in part else plain[own]
        which: Any = np.repeat(np.arange(leaf, leaf + tree.n_leaves), size) if len(size) else []
        column = [i for n in size for i in range(n)]
        places[which, column] = _numbers(part, "leaf_features").astype(np.int64)
        slopes[which, column] = _numbers(part, "leaf_coeff")
        is_used[which, column] = True
        leaf += tree.n_leaves
    tables = (places, slopes, is_used, np.stack([levels, plain], axis=1))
    return _ask_lines(graph, features.name, trees, tables)


def _ask_lines(graph: Graph, features: str, trees: Sequence[Tree], tables: Any) -> str:
    places, slopes, is_used, levels = tables
    leaves = leaf_numbers(graph, features, trees)

    def own(table: Any) -> str:
        return graph.node("Gather", graph.constant(table), leaves, axis=0)

    shape = graph.constant([0, len(trees) * places.shape[1]])
    wide = graph.node("Reshape", own(places), shape)
    cells = graph.node("GatherElements", features, wide, axis=1)
    cells = graph.node("Reshape", cells, graph.constant([0, len(trees), places.shape[1]]))
    used = own(is_used)
    cells = graph.where(used, cells, 0.0)
    is_gap = graph.cast(graph.is_nan(cells), "double")
    lacks = graph.compare("Greater", graph.sum_of(is_gap, 2), 0.0)
    line = graph.add(graph.sum_of(graph.mul(cells, own(slopes)), 2), own(levels[:, :1]))
    said = graph.where(lacks, own(levels[:, 1:]), line)
    return graph.squeeze(graph.sum_of(said, 1), 2)


def xgboost(graph: Graph, model: Any, features: Matrix) -> tuple[str, int, str]:
    """Return the margins of a fitted XGBoost model, how many a row has, and its objective.

    Raises
    ------
    ModelError
        For settings that this package's families do not use.
    """
    learner = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise refuse("XGBoost", f"uses the booster {booster['name']!r}, which is not written yet.")
    facts, given = learner["learner_model_param"], booster["model"]
    objective = str(learner["objective"]["name"])
    n_margins = max(1, int(facts["num_class"]))
    keep = _kept_trees(learner, given, n_margins)
    trees, values = [], []
    for tree in given["trees"][:keep]:
        made, leaves = _xgboost_tree(tree)
        trees.append(made)
        values.append(np.asarray(tree["split_conditions"], dtype=np.float64)[leaves])
    _check_exact("XGBoost", trees, features)
    value = features.name
    if features.is_sparse:
        # Absent cells of a sparse matrix are missing for XGBoost, and those are its zeros.
        value = graph.where(graph.compare("Equal", value, [[0.0]]), [[np.nan]], value)
    targets = [int(target) for target in given["tree_info"][:keep]]
    base = _base_margin(facts["base_score"], objective, n_margins)
    margins = sum_of_trees(graph, value, trees, values, targets=targets, base=base)
    return margins, n_margins, objective


def _check_exact(family: str, trees: Sequence[Tree], features: Matrix) -> None:
    """Refuse thresholds on features that a graph does not reproduce to the last digit.

    They are values of training rows, so that the last digit decides on which side those fall.
    """
    used = {int(place) for tree in trees for place in tree.feature}
    columns = sorted({features.rounded[place] for place in used & set(features.rounded)})
    if columns:
        raise refuse(
            f"{family} on column{'s' * (len(columns) > 1)} {', '.join(map(repr, columns))}",
            "splits texts at values of single rows, which a graph reproduces to seven digits only. "
            f"Leave it out with blocked_models=[{family!r}], or set "
            "enable_onnx_compatible_models=True.",
        )


def _kept_trees(learner: Any, given: Any, n_margins: int) -> int:
    """Return how many trees predict: up to the best round where fitting stopped early."""
    best = learner["attributes"].get("best_iteration")
    n_trees = len(given["trees"])
    if best is None:
        return n_trees
    ends = given.get("iteration_indptr")
    n_rounds = int(best) + 1
    return int(ends[n_rounds]) if ends else min(n_trees, n_rounds * n_margins)


def _base_margin(text: str, objective: str, n_margins: int) -> Floats:
    """Return what the margins begin with; that of two classes is kept as a probability."""
    numbers = np.array([float(part) for part in str(text).strip("[]").split(",")])
    if objective == "binary:logistic":
        numbers = np.log(numbers / (1.0 - numbers))
    return np.broadcast_to(numbers, (n_margins,)).astype(np.float64)


def _xgboost_tree(tree: Any) -> tuple[Tree, Ints]:
    if any(tree.get("split_type", ())):
        raise refuse("XGBoost", "splits by sets of categories, which is not written yet.")
    left = np.asarray(tree["left_children"], dtype=np.int64)
    return tree_of_nodes(
        left=left,
        right=np.asarray(tree["right_children"], dtype=np.int64),
        is_leaf=left < 0,
        feature=np.asarray(tree["split_indices"], dtype=np.int64),
        # They are float32 numbers; as float64 they are the same ones.
        threshold=np.asarray(tree["split_conditions"], np.float32).astype(np.float64),
        missing_left=np.asarray(tree["default_left"]).astype(bool),
        mode=LESS,
    )


def histogram_boosting(graph: Graph, model: Any, features: Matrix) -> tuple[str, int]:
    """Return the margins of scikit-learn's boosting on histograms, and how many a row has.

    Raises
    ------
    ModelError
        When it treats columns as categories, which this package's family does not.
    """
    n_margins = int(model.n_trees_per_iteration_)
    trees, values, targets = [], [], []
    for round_ in model._predictors:
        for target, predictor in enumerate(round_):
            nodes = predictor.nodes
            if nodes["is_categorical"].any():
                raise refuse("GradientBoosting", "splits by sets of categories.")
            tree, leaves = tree_of_nodes(
                left=nodes["left"].astype(np.int64),
                right=nodes["right"].astype(np.int64),
                is_leaf=nodes["is_leaf"].astype(bool),
                feature=nodes["feature_idx"].astype(np.int64),
                threshold=nodes["num_threshold"],
                missing_left=nodes["missing_go_to_left"].astype(bool),
            )
            trees.append(tree)
            values.append(nodes["value"][leaves])
            targets.append(target)
    _check_exact("GradientBoosting", trees, features)
    base = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()
    return sum_of_trees(graph, features.name, trees, values, targets=targets, base=base), n_margins
