"""The stand-in for a run in a script that is started by hand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any  # Any: logged values

logger = logging.getLogger(__name__)


class OfflineRun:
    """Takes what a script logs when it is no run; keeps it in memory.

    Examples
    --------
    >>> run = OfflineRun()
    >>> run.log("accuracy", 0.9)
    >>> run.get_metrics()
    {'accuracy': 0.9}
    """

    id = "OfflineRun"

    def __init__(self) -> None:
        self._metrics: dict[str, list[Any]] = {}
        self.tags: dict[str, str] = {}

    def log(self, name: str, value: Any, description: str = "") -> None:
        """Keep a value; the same name again makes a list."""
        logger.info("%s = %s", name, value)
        self._metrics.setdefault(name, []).append(value)

    def log_list(self, name: str, value: Sequence[Any], description: str = "") -> None:
        """Keep a list of values."""
        self._metrics.setdefault(name, []).extend(value)

    def get_metrics(self) -> dict[str, Any]:
        """Return what was logged."""
        return {k: v[0] if len(v) == 1 else list(v) for k, v in self._metrics.items()}

    def tag(self, key: str, value: Any = "") -> None:
        """Keep a tag."""
        self.tags[key] = str(value)

    def complete(self) -> None:
        """End it; nothing is left to do."""
