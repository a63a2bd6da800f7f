"""Where a fit computes: on the cores, or on a graphics card that is the task's own."""

from __future__ import annotations

import os
from collections.abc import Mapping

CARDS_VARIABLE = "NBAUTOML_GPUS"
"""Environment variable with the numbers of the graphics cards that a task may use."""
CPU, CUDA = "cpu", "cuda"


def device_for(use_gpu: bool, environment: Mapping[str, str] | None = None) -> str:
    """Return the device of a fit, as XGBoost writes it.

    Parameters
    ----------
    use_gpu : bool
        Whether the task was given a graphics card.
    environment : mapping of str to str, optional
        Where to look for its number; by default this process's environment.

    Examples
    --------
    >>> device_for(True, {"NBAUTOML_GPUS": "2"}), device_for(False, {})
    ('cuda:2', 'cpu')
    """
    if not use_gpu:
        return CPU
    numbers = (os.environ if environment is None else environment).get(CARDS_VARIABLE, "")
    return f"{CUDA}:{numbers.partition(',')[0] or 0}"


def card_of(device: str) -> int:
    """Return the number of a device's graphics card.

    Examples
    --------
    >>> card_of("cuda:2")
    2
    """
    return int(device.partition(":")[2] or 0)


def is_card(device: str) -> bool:
    """Whether a device is a graphics card.

    Examples
    --------
    >>> is_card("cpu"), is_card("cuda:0")
    (False, True)
    """
    return device.startswith(CUDA)
