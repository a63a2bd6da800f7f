"""Ensembles of trees as nodes of a graph: one form for the trees of all libraries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any  # Any: arrays of several types

import numpy as np
import numpy.typing as npt

from nbautoml.registry.onnx.graph import ML, Graph

LESS_OR_EQUAL, LESS, IS_MEMBER = 0, 1, 6
"""How a node asks, as the operator numbers it."""
_SUM = 1
_NO_TRANSFORM = 0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree: questions and leaves.

    Parameters
    ----------
    feature : ndarray of int, shape (n_questions,)
        Which feature each asks about.
    threshold : ndarray of shape (n_questions,)
        What the feature is compared with; of no meaning where a set is asked for.
    left, right : ndarray of int, shape (n_questions,)
        What follows on yes and on no: a question, or the leaf ``~value`` where negative.
    missing_left : ndarray of bool, shape (n_questions,)
        Whether a missing cell means yes.
    n_leaves : int
        Number of leaves; a tree without questions has one.
    mode : int
        How all its questions ask, but those with `members`.
    members : mapping of int to array
        Question to the set that is asked for.
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing_left: npt.NDArray[np.bool_]
    n_leaves: int
    mode: int = LESS_OR_EQUAL
    members: dict[int, Ints] = field(default_factory=dict)


def tree_of_nodes(
    *,
    left: Ints,
    right: Ints,
    is_leaf: npt.NDArray[np.bool_],
    feature: Ints,
    threshold: Floats,
    missing_left: npt.NDArray[np.bool_],
    mode: int = LESS_OR_EQUAL,
) -> tuple[Tree, Ints]:
    """Return a tree from arrays in which questions and leaves stand together.

    Returns
    -------
    tree : Tree
    leaves : ndarray of int, shape (n_leaves,)
        The place of each leaf in the arrays.
    """
    questions, leaves = np.flatnonzero(~is_leaf), np.flatnonzero(is_leaf)
    name = np.empty(len(is_leaf), dtype=np.int64)
    name[questions] = np.arange(len(questions))
    name[leaves] = ~np.arange(len(leaves))
    tree = Tree(
        feature=feature[questions].astype(np.int64),
        threshold=threshold[questions].astype(np.float64),
        left=name[left[questions]],
        right=name[right[questions]],
        missing_left=missing_left[questions].astype(bool),
        n_leaves=len(leaves),
        mode=mode,
    )
    return tree, leaves


def sum_of_trees(
    graph: Graph,
    features: str,
    trees: Sequence[Tree],
    weights: Sequence[Floats],
    *,
    targets: Sequence[int],
    base: Floats,
) -> str:
    """Return sums of what the leaves say, shape (n_rows, n_targets).

    Parameters
    ----------
    graph : Graph
        Takes the nodes.
    features : str
        Float64 features.
    trees : sequence of Tree
        The trees.
    weights : sequence of ndarray of shape (n_leaves,)
        What the leaves of each tree say.
    targets : sequence of int
        To which sum each tree counts.
    base : ndarray of shape (n_targets,)
        What the sums begin with.
    """
    start = np.array(base, dtype=np.float64)
    for tree, weight, target in zip(trees, weights, targets, strict=True):
        if not len(tree.feature):
            start[target] += weight[0]
    grown = [i for i, tree in enumerate(trees) if len(tree.feature)]
    if not grown:
        return graph.repeat(start[np.newaxis])
    sums = _ensemble(
        graph,
        features,
        [trees[i] for i in grown],
        np.concatenate([weights[i] for i in grown]),
        np.concatenate([np.full(trees[i].n_leaves, targets[i]) for i in grown]),
        len(start),
    )
    return graph.add(sums, start[np.newaxis])


def leaf_numbers(graph: Graph, features: str, trees: Sequence[Tree]) -> str:
    """Return which leaf a row falls into, shape (n_rows, n_trees).

    Leaves are counted through all trees.
    """
    counts = [tree.n_leaves for tree in trees]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    numbers = [
        start + np.arange(n, dtype=np.float64) for start, n in zip(starts, counts, strict=True)
    ]
    found = sum_of_trees(
        graph,
        features,
        trees,
        numbers,
        targets=range(len(trees)),
        base=np.zeros(len(trees)),
    )
    return graph.cast(graph.node("Round", found), "int64")


def mean_of_leaves(graph: Graph, features: str, trees: Sequence[Tree], values: Floats) -> str:
    """Return the mean over the trees of rows of numbers, shape (n_rows, n_numbers).

    Parameters
    ----------
    graph : Graph
        Takes the nodes.
    features : str
        Float64 features.
    trees : sequence of Tree
        The trees.
    values : ndarray of shape (n_leaves of all trees, n_numbers)
        What each leaf says.
    """
    if values.shape[1] == 1:
        ends = np.cumsum([tree.n_leaves for tree in trees])[:-1]
        weights = np.split(values[:, 0] / len(trees), ends)
        targets = [0] * len(trees)
        return sum_of_trees(graph, features, trees, weights, targets=targets, base=np.zeros(1))
    leaves = leaf_numbers(graph, features, trees)
    said = graph.node("Gather", graph.constant(values), leaves, axis=0)
    return graph.node("ReduceMean", said, graph.constant([1]), keepdims=0)


def _ensemble(
    graph: Graph,
    features: str,
    trees: Sequence[Tree],
    weights: Floats,
    targets: Ints,
    n_targets: int,
) -> str:
    """Add the operator itself; every tree has a question."""
    first_question = _starts([len(tree.feature) for tree in trees])
    first_leaf = _starts([tree.n_leaves for tree in trees])
    sides = {}
    for side in ("left", "right"):
        children = [getattr(tree, side) for tree in trees]
        is_leaf = np.concatenate(children) < 0
        moved = [
            np.where(child < 0, ~child + leaf, child + question)
            for child, question, leaf in zip(children, first_question, first_leaf, strict=True)
        ]
        sides[side] = (np.concatenate(moved).tolist(), is_leaf.astype(int).tolist())
    modes, members = _questions(trees)
    extra: dict[str, Any] = {}
    if members:
        extra["membership_values"] = np.array(members, dtype=np.float64)
    return graph.node(
        "TreeEnsemble",
        features,
        domain=ML,
        n_targets=n_targets,
        aggregate_function=_SUM,
        post_transform=_NO_TRANSFORM,
        tree_roots=first_question.tolist(),
        nodes_modes=modes,
        nodes_featureids=np.concatenate([tree.feature for tree in trees]).tolist(),
        nodes_splits=np.concatenate([tree.threshold for tree in trees]),
        nodes_truenodeids=sides["left"][0],
        nodes_trueleafs=sides["left"][1],
        nodes_falsenodeids=sides["right"][0],
        nodes_falseleafs=sides["right"][1],
        nodes_missing_value_tracks_true=np.concatenate([tree.missing_left for tree in trees])
        .astype(int)
        .tolist(),
        leaf_targetids=targets.tolist(),
        leaf_weights=np.asarray(weights, dtype=np.float64),
        **extra,
    )


def _questions(trees: Sequence[Tree]) -> tuple[npt.NDArray[np.uint8], list[float]]:
    """Return how each question asks, and the sets, each with NaN behind it."""
    modes, members = [], []
    for tree in trees:
        mode = np.full(len(tree.feature), tree.mode, dtype=np.uint8)
        for place in sorted(tree.members):
            mode[place] = IS_MEMBER
            members += [*tree.members[place].astype(float).tolist(), float("nan")]
        modes.append(mode)
    return np.concatenate(modes), members


def _starts(counts: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
