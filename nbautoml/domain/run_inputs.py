"""Which datasets a run takes in, told from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: JSON values

INPUT_ROLES = {"training_data": "training", "validation_data": "validation", "test_data": "test"}
"""Setting that holds a dataset's id, and what the run takes it for."""


def input_datasets(settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return role and id of each dataset that a run takes in.

    Parameters
    ----------
    settings : mapping
        The settings of the run's record.

    Examples
    --------
    >>> input_datasets({"training_data": "a1", "test_data": None})
    (('training', 'a1'),)
    >>> source = {"kind": "dataset", "dataset": "b2"}
    >>> input_datasets({"step": {"inputs": [{"name": "survey", "source": source}]}})
    (('survey', 'b2'),)
    """
    found = [(role, settings.get(name)) for name, role in INPUT_ROLES.items()]
    given = settings.get("step", {}).get("inputs", ())  # of a pipeline's script
    found += [(str(one["name"]), one["source"].get("dataset")) for one in given]
    return tuple((role, value) for role, value in found if isinstance(value, str))
