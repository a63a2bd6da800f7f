"""What a user may say about featurization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any  # Any: JSON values


class ColumnPurpose(StrEnum):
    """What a column is used as; the values are the SDK's words."""

    NUMERIC = "Numeric"
    CATEGORICAL = "Categorical"
    CATEGORICAL_HASH = "CategoricalHash"
    TEXT = "Text"
    DATETIME = "DateTime"
    BOOLEAN = "Boolean"
    IGNORE = "Ignore"


class Representation(StrEnum):
    """Which matrix a model family wants.

    ``tree``: numbers as they are, a code for each category. ``linear``: missing cells filled
    and marked, a column for each category. ``native``: ``tree``, unscaled, and the model is told
    which columns are codes. ``target_encoded``: ``tree`` and the mean label of
    each category. ``crossed``: ``target_encoded`` and pairs of columns.
    """

    TREE = "tree"
    LINEAR = "linear"
    NATIVE = "native"
    TARGET_ENCODED = "target_encoded"
    CROSSED = "crossed"

    @property
    def matrix(self) -> Representation:
        """The representation whose matrix it uses."""
        return Representation.TREE if self is Representation.NATIVE else self


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerParams:
    """Parameters of one transformer for some columns (for all, when `columns` is empty).

    ``Imputer`` takes ``strategy`` ("mean", "median", "most_frequent", "constant") and
    ``fill_value``; ``HashOneHotEncoder`` takes ``number_of_bits``.
    """

    transformer: str
    columns: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

    def applies_to(self, column: str) -> bool:
        """Whether the parameters are for that column."""
        return not self.columns or column in self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturizationOptions:
    """How raw columns become features.

    Parameters
    ----------
    is_auto : bool, default True
        Whether column types are found from the cells; else from the types of the columns
        alone, and nothing but constant and empty columns is dropped.
    column_purposes : mapping of str to ColumnPurpose
        Types that the user knows better.
    drop_columns : tuple of str
        Columns not to use.
    blocked_transformers : tuple of str
        Names of transformers not to use, such as ``"OneHotEncoder"`` or ``"TfIdf"``.
    transformer_params : tuple of TransformerParams
        Parameters of transformers.
    seed : int, default 0
        Seed of the transformers that draw numbers.
    language : str, default ""
        Language of the texts, as three letters; empty when it is not known.
    prediction_type : {"", "Integer"}
        What predictions become.
    """

    is_auto: bool = True
    column_purposes: Mapping[str, ColumnPurpose] = field(default_factory=dict)
    drop_columns: tuple[str, ...] = ()
    blocked_transformers: tuple[str, ...] = ()
    transformer_params: tuple[TransformerParams, ...] = ()
    seed: int = 0
    language: str = ""
    prediction_type: str = ""

    def params_of(self, transformer: str, column: str) -> dict[str, Any]:
        """Return the parameters of a transformer for a column; later ones win.

        Examples
        --------
        >>> imputer = TransformerParams(transformer="Imputer", params={"strategy": "median"})
        >>> FeaturizationOptions(transformer_params=(imputer,)).params_of("Imputer", "age")
        {'strategy': 'median'}
        """
        found: dict[str, Any] = {}
        for given in self.transformer_params:
            if given.transformer == transformer and given.applies_to(column):
                found.update(given.params)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "is_auto": self.is_auto,
            "column_purposes": {k: str(v) for k, v in self.column_purposes.items()},
            "drop_columns": list(self.drop_columns),
            "blocked_transformers": list(self.blocked_transformers),
            "transformer_params": [
                {"transformer": t.transformer, "columns": list(t.columns), "params": dict(t.params)}
                for t in self.transformer_params
            ],
            "seed": self.seed,
            "language": self.language,
            "prediction_type": self.prediction_type,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FeaturizationOptions:
        """Rebuild options from `to_dict`."""
        given = tuple(
            TransformerParams(
                transformer=t["transformer"], columns=tuple(t["columns"]), params=t["params"]
            )
            for t in values["transformer_params"]
        )
        purposes = {k: ColumnPurpose(v) for k, v in values["column_purposes"].items()}
        return cls(
            is_auto=values["is_auto"],
            column_purposes=purposes,
            drop_columns=tuple(values["drop_columns"]),
            blocked_transformers=tuple(values["blocked_transformers"]),
            transformer_params=given,
            seed=values["seed"],
            language=values.get("language", ""),
            prediction_type=values.get("prediction_type", ""),
        )
