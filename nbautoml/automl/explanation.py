"""`Explanation`: what columns are worth to a model, with the SDK's names, and as files of a run."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any  # Any: JSON values; nested lists as the SDK gives them

import numpy as np
import numpy.typing as npt

from nbautoml.domain.events import json_safe
from nbautoml.runs import files
from nbautoml.store.session import Session

__all__ = ["Explanation"]

FOLDER = "explanation/"
"""Files of a run whose names begin so belong to its explanations, as in the SDK."""
DOCUMENT, ARRAY = "explanation.json", "local_importance_values.npy"

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """What the columns of a model's data are worth to it: in all, and for single rows.

    Parameters
    ----------
    id : str
        Its id among the explanations of a run.
    features : list of str
        Raw columns, or engineered features.
    global_importance_values : list of float
        One for each feature: the mean absolute contribution to the answers for the explained
        rows, or the loss of score when the feature is permuted, as `method` says.
    method : str
        How the values came about.
    is_raw : bool
        Whether `features` are raw columns.
    model_task : {"classification", "regression"}
        What the model predicts.
    classes : list of str, default []
        Names of the classes; empty for numbers.
    values : ndarray of shape (n_outputs, n_rows, n_features), or None
        Contributions for single rows; of two classes only those to the second. None where only
        global values are known.
    expected_values : list of float, default []
        The answer before any column is looked at, for each output of `values`.
    permutation_importance : dict of str to float, default {}
        Loss of the primary metric's score when a feature is permuted, where it was.
    num_examples : int, default 0
        How many rows were explained.
    run_id, comment : str
        The run that made it, and what was said of it.
    created_at : float
        When, in seconds since the epoch.
    notes : list of str, default []
        What a reader should know.
    """

    id: str
    features: list[str]
    global_importance_values: list[float]
    method: str
    is_raw: bool
    model_task: str
    classes: list[str] = field(default_factory=list)
    values: FloatArray | None = None
    expected_values: list[float] = field(default_factory=list)
    permutation_importance: dict[str, float] = field(default_factory=dict)
    num_examples: int = 0
    run_id: str = ""
    comment: str = ""
    created_at: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def is_engineered(self) -> bool:
        """Whether `features` are engineered ones."""
        return not self.is_raw

    @property
    def num_features(self) -> int:
        """How many features there are."""
        return len(self.features)

    @property
    def num_classes(self) -> int:
        """How many classes there are; 1 for numbers, as in the SDK."""
        return max(len(self.classes), 1)

    @property
    def global_importance_names(self) -> list[str]:
        """The features, in the order of `global_importance_values`."""
        return list(self.features)

    @property
    def global_importance_rank(self) -> list[int]:
        """Positions of the features, the most important first."""
        return [int(place) for place in self._ranked(None)]

    def get_ranked_global_names(self, top_k: int | None = None) -> list[str]:
        """Return the features, the most important first.

        Parameters
        ----------
        top_k : int, optional
            Only so many.
        """
        return [self.features[place] for place in self._ranked(top_k)]

    def get_ranked_global_values(self, top_k: int | None = None) -> list[float]:
        """Return the importances, the greatest first.

        Parameters
        ----------
        top_k : int, optional
            Only so many.
        """
        return [self.global_importance_values[place] for place in self._ranked(top_k)]

    def get_feature_importance_dict(self, top_k: int | None = None) -> OrderedDict[str, float]:
        """Return feature to importance, the most important first.

        Parameters
        ----------
        top_k : int, optional
            Only so many.

        Examples
        --------
        >>> found = Explanation(id="x", features=["a", "b"], global_importance_values=[0.1, 0.3],
        ...                     method="permutation", is_raw=True, model_task="regression")
        >>> dict(found.get_feature_importance_dict(top_k=1))
        {'b': 0.3}
        """
        names = self.get_ranked_global_names(top_k)
        return OrderedDict(zip(names, self.get_ranked_global_values(top_k), strict=True))

    @property
    def per_class_values(self) -> list[list[float]]:
        """Mean absolute contribution of each feature to each class's probability."""
        return [np.abs(values).mean(axis=0).tolist() for values in self._outputs()]

    def get_ranked_per_class_names(self, top_k: int | None = None) -> list[list[str]]:
        """Return the features for each class, the most important first."""
        return [
            [self.features[place] for place in _order(np.array(values), top_k)]
            for values in self.per_class_values
        ]

    def get_ranked_per_class_values(self, top_k: int | None = None) -> list[list[float]]:
        """Return the importances for each class, the greatest first."""
        return [sorted(values, reverse=True)[:top_k] for values in self.per_class_values]

    @property
    def local_importance_values(self) -> list[Any]:
        """Contributions to the answers for single rows; with `expected_values` they sum to them.

        For numbers a list of rows, each a list of features; for classes a list of such lists,
        one a class. Empty where only global values are known.
        """
        found = [values.tolist() for values in self._outputs()]
        return found if self.classes else (found[0] if found else [])

    @property
    def local_importance_names(self) -> list[str]:
        """The features, in the order of `local_importance_values`."""
        return list(self.features)

    def get_local_importance_rank(self) -> list[Any]:
        """Return positions of the features for each row, the greatest contribution first."""
        found = [np.argsort(-values, axis=1, kind="stable").tolist() for values in self._outputs()]
        return found if self.classes else (found[0] if found else [])

    def get_ranked_local_names(self, top_k: int | None = None) -> list[Any]:
        """Return the features for each row, the greatest contribution first.

        Parameters
        ----------
        top_k : int, optional
            Only so many a row.
        """
        found = [
            [[self.features[place] for place in _order(row, top_k)] for row in values]
            for values in self._outputs()
        ]
        return found if self.classes else (found[0] if found else [])

    def get_ranked_local_values(self, top_k: int | None = None) -> list[Any]:
        """Return the contributions for each row, the greatest first.

        Parameters
        ----------
        top_k : int, optional
            Only so many a row.
        """
        found = [
            [[float(row[place]) for place in _order(row, top_k)] for row in values]
            for values in self._outputs()
        ]
        return found if self.classes else (found[0] if found else [])

    def top(self, top_k: int | None) -> Explanation:
        """Return the explanation with its most important features only."""
        if top_k is None or top_k >= len(self.features):
            return self
        kept = self._ranked(top_k)
        names = [self.features[place] for place in kept]
        return replace(
            self,
            features=names,
            global_importance_values=[self.global_importance_values[place] for place in kept],
            values=None if self.values is None else self.values[:, :, kept],
            permutation_importance={
                name: value for name, value in self.permutation_importance.items() if name in names
            },
        )

    def _ranked(self, top_k: int | None) -> list[int]:
        return _order(np.array(self.global_importance_values, dtype=np.float64), top_k)

    def _outputs(self) -> Sequence[FloatArray]:
        """Return contributions by output; of two classes also those to the first."""
        if self.values is None:
            return []
        if len(self.classes) == 2 and len(self.values) == 1:
            return [-self.values[0], self.values[0]]
        return list(self.values)

    def __repr__(self) -> str:
        kind = "raw" if self.is_raw else "engineered"
        shown = ", ".join(self.get_ranked_global_names(3))
        return f"Explanation({self.num_features} {kind} features; most important: {shown})"

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(name)}</td><td>{value:.4g}</td></tr>"
            for name, value in self.get_feature_importance_dict(20).items()
        )
        return (
            f"<table><caption>{escape(self.method)}</caption><thead><tr>"
            "<th style='text-align:left'>Feature</th><th>Importance</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def _order(values: FloatArray, top_k: int | None) -> list[int]:
    order: list[int] = np.argsort(-values, kind="stable")[:top_k].tolist()
    return order


def explanation_files(explanation: Explanation) -> dict[str, bytes]:
    """Return the files that hold an explanation, by name."""
    facts = {
        "id": explanation.id,
        "features": explanation.features,
        "global_importance_values": explanation.global_importance_values,
        "method": explanation.method,
        "is_raw": explanation.is_raw,
        "model_task": explanation.model_task,
        "classes": explanation.classes,
        "expected_values": explanation.expected_values,
        "permutation_importance": explanation.permutation_importance,
        "num_examples": explanation.num_examples,
        "run_id": explanation.run_id,
        "comment": explanation.comment,
        "created_at": explanation.created_at,
        "notes": explanation.notes,
    }
    folder = f"{FOLDER}{explanation.id}/"
    found = {folder + DOCUMENT: json.dumps(json_safe(facts)).encode()}
    if explanation.values is not None:
        stream = io.BytesIO()
        np.save(stream, explanation.values.astype(np.float32))
        found[folder + ARRAY] = stream.getvalue()
    return found


def stored_explanations(session: Session, owner: str) -> list[dict[str, Any]]:
    """Return what is known of the explanations of a run, the newest first; no contributions.

    Parameters
    ----------
    session : Session
        The open store.
    owner : str
        The run.
    """
    found: list[dict[str, Any]] = [
        files.read_json(session, owner, name)
        for name in files.names(session, owner, FOLDER)
        if name.endswith(f"/{DOCUMENT}")
    ]
    return sorted(found, key=lambda facts: -facts["created_at"])


def load_explanation(session: Session, owner: str, facts: dict[str, Any]) -> Explanation:
    """Return one of `stored_explanations`, whole.

    Parameters
    ----------
    session : Session
        The open store.
    owner : str
        The run.
    facts : dict
        What `stored_explanations` returned of it.
    """
    name = f"{FOLDER}{facts['id']}/{ARRAY}"
    values = None
    if files.names(session, owner, name):
        values = np.load(session.load_artifact(owner, name)).astype(np.float64)
    return Explanation(**facts, values=values)
