"""What is in the label, for people: how many rows of each class, or how its numbers lie."""

from __future__ import annotations

from typing import Any  # Any: JSON values

import numpy as np
import numpy.typing as npt

from nbautoml.domain.tasks import Task
from nbautoml.engine.target import UNKNOWN_CODE, TargetEncoding

MOST_CLASSES = 20
"""Classes beyond this many, the rarest ones, are counted together."""
MOST_BINS = 24
_EDGES = (1.0, 99.0)  # percentiles: rows beyond are counted in the outer bars


def summarize_label(
    name: str, y: npt.NDArray[Any], encoding: TargetEncoding, n_train: int
) -> dict[str, Any]:
    """Return how a label's values are distributed.

    Parameters
    ----------
    name : str
        The label's column.
    y : ndarray of shape (n_rows,)
        Class codes, or numbers; first the training rows, then given validation rows.
    encoding : TargetEncoding
        What the codes stand for.
    n_train : int
        How many of the rows are training rows.

    Returns
    -------
    dict
        ``name``, ``kind`` (``"classes"`` or ``"numbers"``), ``rows`` of the training and, where
        there are any, of the validation data, and ``bars``: pairs of a text and the numbers of
        rows, one for each of `rows`. Of classes also ``others``, how many classes the last bar
        counts; of numbers also ``mean`` and ``median`` of the training rows, and ``edges``, one
        more than there are bars.

    Examples
    --------
    >>> encoding = TargetEncoding.fit(["no", "yes", "no"], "classification")
    >>> summarize_label("ill", np.array([0, 1, 0]), encoding, 3)["bars"]
    [['no', [2]], ['yes', [1]]]
    """
    is_known = y != UNKNOWN_CODE if encoding.task is Task.CLASSIFICATION else ~np.isnan(y)
    ends = ((0, n_train), (n_train, len(y)))
    parts = [y[i:j][is_known[i:j]] for i, j in ends if j > i]
    shared = {"name": name, "rows": [len(part) for part in parts]}
    if encoding.task is Task.CLASSIFICATION:
        return {**shared, "kind": "classes", **_classes(parts, encoding)}
    return {**shared, "kind": "numbers", **_numbers(parts)}


def _classes(parts: list[npt.NDArray[Any]], encoding: TargetEncoding) -> dict[str, Any]:
    counts = np.array([np.bincount(part, minlength=encoding.n_classes) for part in parts])
    order = np.argsort(-counts[0], kind="stable")
    shown = order if len(order) <= MOST_CLASSES else order[: MOST_CLASSES - 1]
    bars: list[list[Any]] = [
        [encoding.class_labels[i], [int(n) for n in counts[:, i]]] for i in shown
    ]
    rest = order[len(shown) :]
    if len(rest):
        sums = counts[:, rest].sum(axis=1)
        bars.append([f"{len(rest)} other classes", [int(n) for n in sums]])
    return {"bars": bars, "others": len(rest)}


def _numbers(parts: list[npt.NDArray[Any]]) -> dict[str, Any]:
    train = parts[0]
    low, high = np.percentile(train, _EDGES)
    if low == high:
        low, high = float(train.min()), float(train.max())
    n_bins = min(MOST_BINS, max(1, len(np.unique(train))))
    edges = np.linspace(low, high, n_bins + 1)
    counts = [np.histogram(np.clip(part, low, high), bins=edges)[0] for part in parts]
    bars = [
        [f"{left:.6g} to {right:.6g}", [int(count[i]) for count in counts]]
        for i, (left, right) in enumerate(zip(edges[:-1], edges[1:], strict=True))
    ]
    return {
        "bars": bars,
        "edges": [float(edge) for edge in edges],
        "mean": float(train.mean()),
        "median": float(np.median(train)),
    }
