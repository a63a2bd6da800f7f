"""What each column did to the answer for a row, inside a worker.

Shapley values by sampling (`nbautoml.engine.explain.shapley`), counted from a dozen training rows
that the model's profile holds: they work for every model that predicts, and the classes of a
bundle's pickle are not those of this package, so that a model cannot be taken apart here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: a model is any object with predict; JSON values

import numpy as np
import pandas as pd

from nbautoml.engine.explain.mixing import RawGround
from nbautoml.engine.explain.shapley import sampled_contributions
from nbautoml.engine.search.budget import Deadline

MOST_ROWS = 20
"""The first rows of a request are explained, so many: each asks the model some hundred times."""
SECONDS = 20.0
"""What is not done by then is left out; a request may take three times as long."""
_DIGITS = 6
_SEED = 0


class RowExplainer:
    """Explains rows of requests.

    Parameters
    ----------
    model : object
        Predicts.
    background : DataFrame of shape (n_background, n_columns)
        Training rows that contributions are counted from.
    classes : sequence or None
        Labels; None for a model of numbers.
    """

    def __init__(self, model: Any, background: pd.DataFrame, classes: Sequence[Any] | None) -> None:
        self._model = model
        self._background = background
        self._n_classes = 0 if classes is None else len(classes)
        labels = [str(label) for label in classes or ("prediction",)]
        # Of two classes the second tells of both.
        self._outputs = labels[1:] if len(labels) == 2 else labels

    def explain(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Return contributions that sum, with the base, to the model's answers.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Checked rows.

        Returns
        -------
        dict
            ``base`` (class to number) and ``rows``, the first `MOST_ROWS` at most, each class to
            column to number: on the scale of the probability, or of the predicted number.
        """
        frame = frame.head(MOST_ROWS)
        both = pd.concat([frame, self._background], ignore_index=True)
        names = [str(name) for name in frame.columns]
        found = sampled_contributions(
            RawGround(self._model, both, names, self._n_classes),
            n_rows=len(frame),
            seed=_SEED,
            deadline=Deadline.after(SECONDS),
            backgrounds=np.arange(len(frame), len(both)),
        )
        values = np.round(found.values, _DIGITS)
        rows = [
            {
                output: dict(zip(found.names, values[place, row].tolist(), strict=True))
                for place, output in enumerate(self._outputs)
            }
            for row in range(found.n_rows)
        ]
        base = np.round(found.base, _DIGITS).tolist()
        return {"base": _named(self._outputs, base), "rows": rows}


def _named(names: Sequence[str], values: Sequence[float]) -> Mapping[str, float]:
    return dict(zip(names, values, strict=True))
