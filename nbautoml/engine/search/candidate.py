"""One configuration to try, its key, and the seeds of its fits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: hyperparameter values

_KEY_BYTES = 16
_SEED_BYTES = 4
_SEED_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model family with settings and a scaler.

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
    """

    family: str
    model_name: str
    params: Mapping[str, Any]
    scaler: str

    @property
    def pipeline(self) -> str:
        """Scaler and model, as the leaderboard shows them."""
        return f"{self.scaler}, {self.model_name}" if self.scaler else self.model_name

    @property
    def identity(self) -> str:
        """A text that is equal for equal configurations."""
        content = [self.family, dict(self.params), self.scaler]
        return json.dumps(content, sort_keys=True, default=str)


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
