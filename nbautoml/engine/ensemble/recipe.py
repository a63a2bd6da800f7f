"""How the score of an ensemble came about, so that it can be reproduced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any  # Any: settings of estimators

import numpy as np
import numpy.typing as npt

from nbautoml.engine.ensemble.greedy import ROUNDS
from nbautoml.engine.ensemble.vote import Vote

RECIPE = "internal/ensemble.json"
"""The file of an ensemble's trial that holds it."""

# Weights in a script are written with so many digits after the point.
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What predicted each part of the validation rows.

    Parameters
    ----------
    members : tuple of int
        Numbers of the trials with a share in any part, in the order in which they were mixed.
    shares : tuple of tuple of float
        For each of them its weight in each part, in twenty-fifths. They add up to 25 but for a
        vote by the geometric mean, where they are powers of probabilities.
    meta_learner : str
        Name of the model on top of a stack; empty for a vote.
    meta_learner_params : mapping
        Settings in place of its usual ones.
    most_members : int
        The model on top sees so many of the heaviest members.
    most_rows : int
        It was fitted on at most so many rows, evenly spread.
    is_geometric : bool
        Whether a vote joins probabilities by their geometric mean.
    """

    members: tuple[int, ...]
    shares: tuple[tuple[float, ...], ...]
    meta_learner: str = ""
    meta_learner_params: Mapping[str, Any] = field(default_factory=dict)
    most_members: int = 0
    most_rows: int = 0
    is_geometric: bool = False

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from the JSON values of its fields."""
        return cls(
            **{
                **values,
                "members": tuple(values["members"]),
                "shares": tuple(tuple(shares) for shares in values["shares"]),
            }
        )


def recipe_of(vote: Vote) -> Recipe:
    """Return how the vote came about that is the answer."""
    return replace(_recipe(vote, vote.nested_weights), is_geometric=vote.is_geometric)


def recipe_below(vote: Vote) -> Recipe:
    """Return how the plain votes came about that feed a stack."""
    return _recipe(vote, [shares / ROUNDS for shares in vote.nested_shares])


def _recipe(vote: Vote, weights: Sequence[npt.NDArray[np.float64]]) -> Recipe:
    used = [i for i in range(len(vote.choices)) if any(one[i] for one in weights)]
    shares = [[round(ROUNDS * float(one[i]), _DIGITS) for one in weights] for i in used]
    return Recipe(
        members=tuple(vote.choices[i].number for i in used),
        shares=tuple(tuple(int(s) if s.is_integer() else s for s in of) for of in shares),
    )
