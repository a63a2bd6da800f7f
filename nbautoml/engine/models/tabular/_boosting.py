"""What boosting families share: how many rounds, and when to stop."""

from __future__ import annotations

# Rounds are counted in units of 1/learning rate: half the rate needs about twice the rounds.
_ROUNDS_TIMES_RATE = 60.0
_PATIENCE_TIMES_RATE = 3.0
_FEWEST_PATIENT_ROUNDS = 25
_MOST_ROUNDS = 5_000


def max_rounds(learning_rate: float) -> int:
    """Return how many rounds a fit may take at most.

    Examples
    --------
    >>> max_rounds(0.05), max_rounds(0.001)
    (1200, 5000)
    """
    return min(_MOST_ROUNDS, round(_ROUNDS_TIMES_RATE / learning_rate))


def early_stopping_rounds(learning_rate: float) -> int:
    """Return after how many rounds without gain a fit stops.

    Examples
    --------
    >>> early_stopping_rounds(0.05)
    60
    """
    return max(_FEWEST_PATIENT_ROUNDS, round(_PATIENCE_TIMES_RATE / learning_rate))
