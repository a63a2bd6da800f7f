"""What a model would answer if a row were different."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: models, and cells of any type

import pandas as pd

from nbautoml.errors import ConfigError, DatasetError, did_you_mean

AS_IT_IS = "as it is"
PREDICTION, PROBABILITY = "prediction", "probability of {}"

Changes = Mapping[str, Any]


def what_if(
    model: Any, row: pd.DataFrame | pd.Series | Changes, changes: Changes | Sequence[Changes]
) -> pd.DataFrame:
    """Return what a model answers for a row, and for the same row with other cells.

    Parameters
    ----------
    model : estimator
        Anything with ``predict`` (and ``predict_proba`` and ``classes_``) that takes a DataFrame:
        what ``run.get_output()`` or ``Model.load()`` returns.
    row : DataFrame of one row, Series or mapping
        The row.
    changes : mapping, or sequence of mappings
        Column to its other cell; several of them are each applied to the row as it is.

    Returns
    -------
    DataFrame of shape (1 + n_changes, n_answers)
        ``prediction``, and ``probability of <class>`` for each class. The index says what was
        changed; the first row is ``"as it is"``.

    Raises
    ------
    ConfigError
        When a change names a column that the row does not have.
    DatasetError
        When it is not one row.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> frame = pd.DataFrame({"rooms": [1.0, 2.0, 3.0]})
    >>> model = LinearRegression().fit(frame, [100.0, 200.0, 300.0])
    >>> what_if(model, frame.iloc[0], {"rooms": 4.0})["prediction"].round().tolist()
    [100.0, 400.0]
    """
    frame = _as_row(row)
    asked = [changes] if isinstance(changes, Mapping) else list(changes)
    rows = [frame, *(_changed(frame, one) for one in asked)]
    answers = _answers(model, rows)
    answers.index = pd.Index([AS_IT_IS, *(_words(one) for one in asked)])
    return answers


def _as_row(row: pd.DataFrame | pd.Series | Changes) -> pd.DataFrame:
    if isinstance(row, pd.DataFrame):
        frame = row
    else:
        cells = row.to_dict() if isinstance(row, pd.Series) else dict(row)
        frame = pd.DataFrame({name: [cell] for name, cell in cells.items()})
    if len(frame) != 1:
        raise DatasetError(
            f"what_if takes one row; got {len(frame):,}. Choose one: frame.iloc[[0]]."
        )
    return frame.reset_index(drop=True)


def _changed(frame: pd.DataFrame, changes: Changes) -> pd.DataFrame:
    places = {str(name): name for name in frame.columns}
    for name in changes:
        if str(name) not in places:
            raise ConfigError(
                f"what_if cannot change {name!r}: the row has no such column."
                f"{did_you_mean(str(name), places)}"
            )
    # A column of its own for each cell: the new one may be of another type.
    new = {places[str(name)]: [cell] for name, cell in changes.items()}
    return pd.DataFrame({name: new.get(name, frame[name]) for name in frame.columns})


def _answers(model: Any, rows: Sequence[pd.DataFrame]) -> pd.DataFrame:
    found = []
    for row in rows:
        answer = {PREDICTION: list(model.predict(row))}
        if hasattr(model, "classes_") and hasattr(model, "predict_proba"):
            proba = model.predict_proba(row)[0]
            for label, value in zip(model.classes_, proba, strict=True):
                answer[PROBABILITY.format(label)] = [float(value)]
        found.append(pd.DataFrame(answer))
    return pd.concat(found, ignore_index=True)


def _words(changes: Changes) -> str:
    return ", ".join(f"{name} = {cell}" for name, cell in changes.items()) or AS_IT_IS
