"""Contributions of columns to any model's answers, by sampling: Shapley values.

Columns are switched from the cells of another row (the background) to those of the explained row,
one after the other in a random order; what the answer changes by at its turn is a column's
contribution in that order, and the mean over orders and backgrounds is its Shapley value (Castro,
Gómez and Tejada, "Polynomial calculation of the Shapley value based on sampling", 2009; Štrumbelj
and Kononenko, 2014). Each order is used forwards and backwards, which cancels much of the chance
(Mitchell and others, "Sampling permutations for Shapley value estimation", 2022). Whatever the
sample, contributions sum to the answer less the mean answer for the backgrounds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbautoml.engine.explain.contributions import Contributions, Report
from nbautoml.engine.explain.mixing import Ground
from nbautoml.engine.explain.parts import shown_outputs
from nbautoml.engine.search.budget import Deadline

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

ORDERS = 12
"""Random orders of the columns, each with a background of its own and used in both directions."""
MOST_APART = 60
"""So many columns have a turn of their own; the least important ones of wide data share one."""
_MOST_ASKED = 40_000
"""Rows of a question to the model at most."""


@dataclass(frozen=True, slots=True)
class _Order:
    """One order of the players, and the row that cells come from before their turn."""

    players: IntArray
    background: int


def sampled_contributions(
    ground: Ground,
    *,
    n_rows: int,
    seed: int,
    deadline: Deadline,
    n_orders: int = ORDERS,
    importance: FloatArray | None = None,
    backgrounds: IntArray | None = None,
    report: Report | None = None,
) -> Contributions:
    """Return Shapley values of columns, estimated by sampling.

    Parameters
    ----------
    ground : Ground
        Rows and model; its first `n_rows` rows are explained, all can be backgrounds.
    n_rows : int
        How many rows to explain.
    seed : int
        Seed of the orders.
    deadline : Deadline
        When to stop, with the rows that are done; at least the first one is.
    n_orders : int, default 12
        How many orders, each used in both directions.
    importance : ndarray of shape (n_columns,), optional
        Which columns have a turn of their own where there are more than `MOST_APART`; what the
        others add together is shared out evenly among them.
    backgrounds : ndarray of int, optional
        Rows that cells come from before their column's turn, one an order, and from the
        beginning again where there are fewer; at even ranks of the answers when not given.
    report : callable, optional
        Told of the progress.
    """
    everything = np.arange(ground.n_rows)
    answers = shown_outputs(ground.answers(everything, {}))
    players = _players(len(ground.names), importance)
    if backgrounds is None:
        backgrounds = _spread_rows(answers, n_orders)
    orders = list(_draw(len(players), n_orders, np.resize(backgrounds, n_orders), seed))
    most = max(1, _MOST_ASKED // (len(orders) * max(1, len(players) - 1)))
    done: list[FloatArray] = []
    start, size = 0, 1
    while start < min(n_rows, ground.n_rows) and (not start or not deadline.is_over()):
        began = time.monotonic()
        rows = everything[start : min(start + size, n_rows)]
        done.append(_explain(ground, rows, players, orders, answers))
        start += len(rows)
        if report is not None:
            report(start, n_rows)
        pace = len(rows) / max(time.monotonic() - began, 1e-4)
        size = int(min(most, max(1, deadline.remaining() / 4 * pace), 4 * size))
    values = np.concatenate(done).transpose(2, 0, 1)
    return Contributions(
        names=ground.names,
        values=np.ascontiguousarray(values),
        base=answers[[order.background for order in orders]].mean(axis=0),
    )


def _spread_rows(answers: FloatArray, n: int) -> IntArray:
    """Return rows whose answers lie evenly among all: their mean is close to the mean of all."""
    ranked = np.argsort(answers[:, 0], kind="stable")
    places = ((np.arange(n) + 0.5) * len(ranked) / n).astype(np.int64)
    return np.asarray(ranked[places])


def _players(n_columns: int, importance: FloatArray | None) -> list[IntArray]:
    """Return the columns that are switched together: each for itself, as far as there is room."""
    everything = np.arange(n_columns)
    if n_columns <= MOST_APART:
        return list(everything[:, np.newaxis])
    ranked = everything if importance is None else np.argsort(-importance, kind="stable")
    apart, others = ranked[: MOST_APART - 1], ranked[MOST_APART - 1 :]
    return [*apart[:, np.newaxis], others]


def _draw(n_players: int, n_orders: int, backgrounds: IntArray, seed: int) -> Iterator[_Order]:
    rng = np.random.default_rng([seed, n_players])
    for background in backgrounds[rng.permutation(n_orders)].tolist():
        players = rng.permutation(n_players)
        yield _Order(players, background)
        yield _Order(players[::-1], background)


def _explain(
    ground: Ground,
    rows: IntArray,
    players: Sequence[IntArray],
    orders: Sequence[_Order],
    answers: FloatArray,
) -> FloatArray:
    """Return contributions of some rows, shape (n_rows, n_columns, n_outputs)."""
    turns = np.argsort(np.stack([order.players for order in orders]), axis=1)
    backgrounds = np.array([order.background for order in orders])
    n_orders, n_players = turns.shape
    states = np.empty((len(rows), n_orders, n_players + 1, answers.shape[1]))
    states[:, :, 0], states[:, :, -1] = answers[backgrounds], answers[rows][:, np.newaxis]
    if n_players > 1:
        asked = _between(ground, rows, players, turns, backgrounds)
        states[:, :, 1:-1] = asked.reshape(len(rows), n_orders, n_players - 1, -1)
    by_turn = np.diff(states, axis=2)
    of_players = np.take_along_axis(by_turn, turns[np.newaxis, :, :, np.newaxis], axis=2)
    means = of_players.mean(axis=1)
    values = np.empty((len(rows), len(ground.names), answers.shape[1]))
    for place, columns in enumerate(players):
        values[:, columns] = means[:, [place]] / len(columns)
    return values


def _between(
    ground: Ground,
    rows: IntArray,
    players: Sequence[IntArray],
    turns: IntArray,
    backgrounds: IntArray,
) -> FloatArray:
    """Return the answers when some players, but not all, have come to their turn.

    All orders are one question: a model is asked about many rows as quickly as about one.
    """
    n_players = turns.shape[1]
    shape = (len(rows), len(turns), n_players - 1)
    explained = np.broadcast_to(rows[:, np.newaxis, np.newaxis], shape)
    background = np.broadcast_to(backgrounds[:, np.newaxis], shape)
    n_switched = np.arange(1, n_players)
    changes: dict[int, IntArray] = {}
    for place, columns in enumerate(players):
        is_switched = turns[:, [place]] < n_switched
        source = np.where(is_switched, explained, background).ravel()
        changes |= dict.fromkeys(columns.tolist(), source)
    return shown_outputs(ground.answers(background.ravel(), changes))
