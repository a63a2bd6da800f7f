"""Small trees as tables: each row's answers to all questions of a tree are a place in its table.

Going down a tree is a chain of looks at memory, each of which waits for the one before. A tree of
a few questions can be asked all of them at once instead, for all rows and trees together; the
answers, as bits of a number, say which leaf it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any  # Any: LightGBM's description of a tree

import numpy as np
import numpy.typing as npt

from nbautoml.registry.onnx.boosting import beyond_zero

MOST_QUESTIONS = 8
"""Of a tree: the place in its table is a number of eight bits."""
MOST_CELLS = 50_000
"""Rows times trees that are looked at together, so that what they need stays in the cache."""

Floats = npt.NDArray[np.floating[Any]]
Node = Mapping[str, Any]


class SmallTrees:
    """Sums of what small trees say about rows.

    Parameters
    ----------
    dump : mapping
        A LightGBM booster as `lightgbm.Booster.dump_model` describes it.

    Raises
    ------
    ValueError
        When a tree has more than `MOST_QUESTIONS` questions, or asks for more than whether a number
        is at most another one.
    """

    def __init__(self, dump: Mapping[str, Any]) -> None:
        trees = [_Tree(one["tree_structure"]) for one in dump["tree_info"]]
        self._n_margins = int(dump["num_tree_per_iteration"])
        self._n_questions = max((len(tree.questions) for tree in trees), default=0)
        if not self._n_questions:
            raise ValueError("no tree asks anything")
        n_codes = 1 << self._n_questions
        self._leaves = np.concatenate([tree.table(n_codes) for tree in trees])
        self._starts = (np.arange(len(trees)) * n_codes)[:, np.newaxis]
        padded = [[*tree.questions, *[_NOTHING] * self._n_questions] for tree in trees]
        asked = [[questions[place] for questions in padded] for place in range(self._n_questions)]
        self._features = [np.array([one.feature for one in row]) for row in asked]
        thresholds = [beyond_zero(np.array([one.threshold for one in row])) for row in asked]
        self._thresholds: dict[Any, list[Floats]] = {
            np.dtype(np.float64): [row[:, np.newaxis] for row in thresholds],
            np.dtype(np.float32): [_rounded_down(row)[:, np.newaxis] for row in thresholds],
        }
        self._missing = [
            np.array([one.is_yes_where_missing for one in row])[:, np.newaxis] for row in asked
        ]

    def margins(self, rows: Floats) -> npt.NDArray[np.float64]:
        """Return the sums for rows of features, shape (n_rows, n_margins).

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
            As float32 or float64; at least two rows.
        """
        n_parts = -(-len(rows) * len(self._starts) // MOST_CELLS)
        n_parts = max(1, min(n_parts, len(rows) // 2))
        return np.concatenate([self._sums(part) for part in np.array_split(rows, n_parts)])

    def _sums(self, rows: Floats) -> npt.NDArray[np.float64]:
        columns = np.ascontiguousarray(rows.T)
        thresholds = self._thresholds[columns.dtype]
        is_missing = np.isnan(columns)
        has_missing = bool(is_missing.any())
        codes = np.zeros((len(self._starts), len(rows)), dtype=np.uint8)
        for place, features in enumerate(self._features):
            is_yes = columns[features] <= thresholds[place]
            if has_missing:
                is_yes |= is_missing[features] & self._missing[place]
            codes |= is_yes.view(np.uint8) << np.uint8(place)
        said = self._leaves.take(self._starts + codes)
        # Over the first axis, one tree after the other: the order in which LightGBM adds.
        sums = [
            np.add.reduce(said[first :: self._n_margins], axis=0)
            for first in range(self._n_margins)
        ]
        return np.stack(sums, axis=1)


class _Question:
    """Whether a feature is at most a threshold."""

    def __init__(self, node: Node) -> None:
        self.feature = int(node["split_feature"])
        self.threshold = float(node["threshold"])
        # Where LightGBM saw nothing missing in training, it takes it for a zero.
        self.is_yes_where_missing = (
            self.threshold >= 0 if node["missing_type"] == "None" else bool(node["default_left"])
        )


_NOTHING = _Question(
    {"split_feature": 0, "threshold": 0.0, "missing_type": "None", "default_left": True}
)


class _Tree:
    """A tree as its questions, and its leaves with the answers that lead to each."""

    def __init__(self, root: Node) -> None:
        self.questions: list[_Question] = []
        self._leaves = list(self._visit(root, ()))

    def table(self, n_codes: int) -> npt.NDArray[np.float64]:
        """Return what the tree says for each number that its answers can be."""
        codes = np.arange(n_codes)
        table = np.empty(n_codes)
        for answers, value in self._leaves:
            is_here = np.ones(n_codes, dtype=bool)
            for place, is_yes in answers:
                is_here &= ((codes >> place) & 1) == is_yes
            table[is_here] = value
        return table

    def _visit(
        self, node: Node, answers: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[Sequence[tuple[int, int]], float]]:
        if "split_feature" not in node:
            yield answers, float(node["leaf_value"])
            return
        if node["decision_type"] != "<=" or node["missing_type"] not in ("None", "NaN"):
            raise ValueError("a tree asks for more than whether a number is at most another")
        place = len(self.questions)
        if place == MOST_QUESTIONS:
            raise ValueError(f"a tree has more than {MOST_QUESTIONS} questions")
        self.questions.append(_Question(node))
        yield from self._visit(node["left_child"], (*answers, (place, 1)))
        yield from self._visit(node["right_child"], (*answers, (place, 0)))


def _rounded_down(thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the largest float32 numbers that are not above: the same ones are at most these."""
    with np.errstate(over="ignore"):  # what is too large for one becomes infinite
        rounded = thresholds.astype(np.float32)
    is_above = rounded.astype(np.float64) > thresholds
    rounded[is_above] = np.nextafter(rounded[is_above], np.float32(-np.inf))
    return rounded
