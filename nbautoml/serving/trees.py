"""A loaded model whose LightGBM trees are asked in a faster way, where that says the same."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any  # Any: fitted models

import numpy as np
import numpy.typing as npt

from nbautoml.errors import NbAutoMLError
from nbautoml.serving.small_trees import SmallTrees

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]
Margins = Callable[[Any], Floats]
"""Rows of features, shape (n_rows, n_features), to margins of shape (n_rows, n_margins)."""

FEWEST_ROWS = 16
"""Fewer are a matter of microseconds for LightGBM itself."""
MOST_SECONDS = 1.0
"""Given to all fits of a model, because a service is waited for; what is left stays as it is."""
_NEEDED = ("onnx", "onnxruntime")
_DEEPEST = 12
_ROWS_TO_COMPARE = 256
_SEED = 0
_CHANGE_ANSWERS = (
    "raw_score", "pred_leaf", "pred_contrib", "pred_early_stop", "start_iteration", "num_iteration",
    "start_iteration_predict", "num_iteration_predict", "predict_raw_score", "is_predict_raw_score",
    "predict_rawscore", "predict_leaf_index", "is_predict_leaf_index", "leaf_index",
    "predict_contrib", "is_predict_contrib", "contrib",
)  # fmt: skip
"""Parameters of LightGBM that ask for something else, with their other names. Its classes hand over
those of their training, too, which change nothing."""


def hasten(model: Any) -> int:
    """Let the trees of LightGBM in a model be asked in a faster way; return of how many fits.

    Small trees become tables, larger ones are asked by onnxruntime where the extra ``onnx`` is
    installed. Each is compared with its booster first, bit by bit, on rows whose cells stand at the
    booster's own thresholds, beside them, far away and missing; a fit that cannot be asked
    that way, or whose answers differ, stays as it is.

    Parameters
    ----------
    model : estimator
        Fitted; the fits in it are changed. It is not for pickling afterwards.
    """
    until = time.monotonic() + MOST_SECONDS
    fits = list(_fits_in(model, set(), 0))
    return sum(time.monotonic() < until and _hasten_fit(fit) for fit in fits)


class FasterBooster:
    """A LightGBM booster whose usual answers are computed by another; it does all else itself.

    Parameters
    ----------
    booster : lightgbm.Booster
        The booster.
    margins : callable
        Rows of features to margins.
    finish : callable
        Margins, shape (n_rows, n_margins), to what the booster answers.
    """

    def __init__(
        self, booster: Any, margins: Margins, finish: Callable[[Floats], npt.NDArray[Any]]
    ) -> None:
        self._booster = booster
        self._margins = margins
        self._finish = finish
        self._n_features = booster.num_feature()

    def predict(self, data: Any, **params: Any) -> Any:
        """Return what the booster predicts; parameters are those of LightGBM."""
        is_usual = (
            isinstance(data, np.ndarray)
            and data.dtype in (np.float32, np.float64)
            and data.ndim == 2
            and data.shape[1] == self._n_features
            and len(data) >= FEWEST_ROWS
            and not any(params.get(name) for name in _CHANGE_ANSWERS)
        )
        if is_usual:
            return self._finish(self._margins(data))
        return self._booster.predict(data, **params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._booster, name)


def _hasten_fit(fit: Any) -> bool:
    booster = fit.booster_
    dump = booster.dump_model()
    finish = _FINISHES.get(dump.get("objective", "").split(" ")[0])
    if finish is None or dump.get("average_output"):
        return False
    margins = _margins_of(fit, dump)
    if margins is None:
        return False
    faster = FasterBooster(booster, margins, finish)
    rows = _rows_to_compare(dump, booster.num_feature())
    with np.errstate(over="ignore"):
        parts = (rows, rows.astype(np.float32))
    for part in parts:
        if not np.array_equal(booster.predict(part, num_threads=1), faster.predict(part)):
            logger.info("LightGBM answers itself: another way would give other numbers")
            return False
    fit._Booster = faster  # where LightGBM's own classes look for it
    return True


def _margins_of(fit: Any, dump: dict[str, Any]) -> Margins | None:
    with suppress(ValueError):
        return SmallTrees(dump).margins
    if any(find_spec(name) is None for name in _NEEDED):
        return None
    # Here: it takes a quarter of a second to load.
    from nbautoml.registry.onnx.margins import margins_of

    try:
        ask = margins_of(fit)
    except NbAutoMLError as error:
        logger.info("LightGBM answers itself: %s", error)
        return None
    return lambda rows: ask(np.ascontiguousarray(rows, dtype=np.float64))


def _fits_in(part: Any, seen: set[int], depth: int) -> Iterator[Any]:
    """Yield the fitted LightGBM models in a model, at any depth."""
    if depth > _DEEPEST or id(part) in seen:
        return
    seen.add(id(part))
    if type(part).__module__.partition(".")[0] == "lightgbm":
        if getattr(part, "_Booster", None) is not None:
            yield part
        return
    for inner in _parts_of(part):
        yield from _fits_in(inner, seen, depth + 1)


def _parts_of(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        yield from part.values()
    elif isinstance(part, list | tuple):
        yield from part
    elif hasattr(part, "predict") and hasattr(part, "__dict__"):
        yield from vars(part).values()


def _rows_to_compare(dump: dict[str, Any], n_features: int) -> Floats:
    """Return rows that go all ways: each feature's thresholds, their neighbours, and no number."""
    asked: dict[int, set[float]] = {}
    for tree in dump["tree_info"]:
        for place, threshold in _thresholds_in(tree["tree_structure"]):
            asked.setdefault(place, set()).add(threshold)
    rng = np.random.default_rng(_SEED)
    rows = np.empty((_ROWS_TO_COMPARE, n_features))
    for place in range(n_features):
        here = np.array(sorted(asked.get(place, {0.0})))
        beside = [np.nextafter(here, np.inf), np.nextafter(here, -np.inf), here + 1, here - 1]
        known = np.concatenate([here, *beside])
        odd = np.array([np.nan, 0.0, 1e30, -1e30])
        is_odd = rng.random(len(rows)) < 1 / 8
        rows[:, place] = np.where(is_odd, rng.choice(odd, len(rows)), rng.choice(known, len(rows)))
    return rows


def _thresholds_in(node: dict[str, Any]) -> Iterator[tuple[int, float]]:
    if "split_feature" not in node:
        return
    threshold = node["threshold"]
    numbers = threshold.split("||") if isinstance(threshold, str) else [threshold]
    for number in numbers:
        yield node["split_feature"], float(number)
    yield from _thresholds_in(node["left_child"])
    yield from _thresholds_in(node["right_child"])


def _as_they_are(margins: Floats) -> Floats:
    return margins[:, 0]


def _exponential(margins: Floats) -> Floats:
    return _exp(margins[:, 0])


def _logistic(margins: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + _exp(-margins[:, 0])))


def _softmax(margins: Floats) -> Floats:
    powers = _exp((margins - margins.max(axis=1, keepdims=True)).ravel()).reshape(margins.shape)
    total = np.zeros(len(margins))
    for column in powers.T:  # one after the other, as LightGBM adds
        total += column
    return np.asarray(powers / total[:, np.newaxis])


def _exp(numbers: Floats) -> Floats:
    """Return the function of C that LightGBM uses; NumPy's differs in the last bit."""
    given = numbers.tolist()
    try:
        return np.array(list(map(math.exp, given)))
    except OverflowError:
        return np.array([_exp_or_infinity(number) for number in given])


def _exp_or_infinity(number: float) -> float:
    try:
        return math.exp(number)
    except OverflowError:
        return math.inf


_FINISHES: dict[str, Callable[[Floats], npt.NDArray[Any]]] = {
    "regression": _as_they_are,
    "regression_l1": _as_they_are,
    "huber": _as_they_are,
    "quantile": _as_they_are,
    "mape": _as_they_are,
    "poisson": _exponential,
    "gamma": _exponential,
    "tweedie": _exponential,
    "binary": _logistic,
    "multiclass": _softmax,
}
"""Objective of LightGBM to how it makes its answer of the margins."""
