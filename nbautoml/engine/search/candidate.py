"""One configuration to try, its key, and the seeds of its fits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: hyperparameter values

from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models.catalog import get_family

FEATURES = "features"
"""Name under which a trial's parameters tell which features it saw."""

TARGET = "target"
"""Name under which a trial's parameters tell as what it learned the label."""
LOG = "log"

_KEY_BYTES = 16
_SEED_BYTES = 4
_SEED_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model family with settings, a scaler and the features it sees.

    Parameters
    ----------
    family : str
        Catalog name of the family, or its ``"module:attribute"`` path.
    model_name : str
        The name that people see.
    params : mapping
        Settings; all JSON values.
    scaler : str
        Name of the scaling step.
    features : str, default ""
        Name of a `Representation`; empty for the family's own.
    target : {"", "log"}, default ""
        Whether numbers are learned as they are or as ``log(1 + y)``.
    """

    family: str
    model_name: str
    params: Mapping[str, Any]
    scaler: str
    features: str = ""
    target: str = ""

    @property
    def representation(self) -> Representation:
        """Which matrix the model is fitted on."""
        return Representation(self.features or get_family(self.family).representation)

    @property
    def shown_params(self) -> dict[str, Any]:
        """The settings as they are reported, with features and target where not the usual."""
        others = {FEATURES: self.features, TARGET: self.target}
        return dict(self.params) | {name: value for name, value in others.items() if value}

    @property
    def pipeline(self) -> str:
        """Scaler and model, as the leaderboard shows them."""
        return f"{self.scaler}, {self.model_name}" if self.scaler else self.model_name

    @property
    def identity(self) -> str:
        """A text that is equal for equal configurations."""
        content = [self.family, self.shown_params, self.scaler]
        return json.dumps(content, sort_keys=True, default=str)


def candidate_from(
    shown: Mapping[str, Any], *, family: str, model_name: str, scaler: str
) -> Candidate:
    """Return the candidate whose `Candidate.shown_params` are given."""
    params = {name: value for name, value in shown.items() if name not in (FEATURES, TARGET)}
    return Candidate(
        family=family,
        model_name=model_name,
        params=params,
        scaler=scaler,
        features=shown.get(FEATURES, ""),
        target=shown.get(TARGET, ""),
    )


def candidate_key(candidate: Candidate, *, data: str, seed: int, n_folds: int) -> str:
    """Return the key under which a trial of this candidate is known: a hash of all it depends on.

    Parameters
    ----------
    candidate : Candidate
        What is tried.
    data : str
        Fingerprint of rows, label and folds.
    seed : int
        Seed of the run.
    n_folds : int
        How many folds it is tried on.
    """
    content = json.dumps([candidate.identity, data, seed, n_folds])
    return hashlib.blake2b(content.encode(), digest_size=_KEY_BYTES).hexdigest()


def fold_seed(seed: int, key: str, fold: int) -> int:
    """Return the seed of one fit, in [0, 2**31 - 1).

    Examples
    --------
    >>> fold_seed(0, "k", 0) == fold_seed(0, "k", 1)
    False
    """
    digest = hashlib.blake2b(f"{seed}/{key}/{fold}".encode(), digest_size=_SEED_BYTES).digest()
    return int.from_bytes(digest, "big") % _SEED_LIMIT
