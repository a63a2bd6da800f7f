"""The package mlflow, loaded when it is needed and without its reports home."""

from __future__ import annotations

import os
from types import ModuleType

from nbautoml.registry.extras import need

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""MLflow reports its use to its makers unless it is told not to."""


def load_mlflow(module: str = "mlflow", *, purpose: str) -> ModuleType:
    """Return a module of mlflow.

    Parameters
    ----------
    module : str, default "mlflow"
        Its import path.
    purpose : str
        As in `nbautoml.registry.extras.need`.

    Raises
    ------
    MissingExtraError
        When the extra ``mlflow`` is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    return need(module, extra="mlflow", purpose=purpose)
