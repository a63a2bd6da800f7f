"""The learned order in which portfolio entries are tried."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources

from nbautoml.domain.tasks import Task

ORDER_FILE = "order.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One thing to try: an entry of a family's portfolio on some features.

    Parameters
    ----------
    family : str
        Catalog name of the family.
    entry : int
        Position in the family's portfolio.
    features : str, default ""
        Name of a `Representation`; empty for the family's own.
    scaler : str, default ""
        Name of the scaling step; empty for the family's first.
    target : {"", "log"}, default ""
        As what numbers are learned.
    """

    family: str
    entry: int
    features: str = ""
    scaler: str = ""
    target: str = ""


@functools.cache
def learned_order(task: Task) -> tuple[Start, ...]:
    """Return what is tried first, the most useful first.

    The order was chosen offline: from the predictions of all entries on many data sets, always
    the entry was taken next that lowers the loss of the ensemble most for its cost.

    Examples
    --------
    >>> learned_order(Task.REGRESSION)[0].family
    'LightGBM'
    """
    text = resources.files(__package__).joinpath(ORDER_FILE).read_text(encoding="utf-8")
    return tuple(Start(**entry) for entry in json.loads(text)[task.value])
