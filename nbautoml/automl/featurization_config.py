"""FeaturizationConfig: what a user says about columns and features, as the SDK spelled it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self  # Any: parameters of transformers

from nbautoml.domain.options import shorten
from nbautoml.engine.featurize import names
from nbautoml.engine.featurize.options import FeaturizationOptions, TransformerParams
from nbautoml.errors import ConfigError, did_you_mean

__all__ = ["FeaturizationConfig"]

_OF = "FeaturizationConfig"
_FIELDS = (
    "blocked_transformers",
    "column_purposes",
    "transformer_params",
    "drop_columns",
    "dataset_language",
    "prediction_transform_type",
)

Given = list[tuple[list[str], dict[str, Any]]]


class FeaturizationConfig:
    """What to do with columns, where it should not be found from the data.

    Give it as ``featurization`` of `AutoMLConfig`; it is checked when it is made and again there.

    Parameters
    ----------
    blocked_transformers : list of str, optional
        Transformers not to use.
    column_purposes : dict of str to str, optional
        Column to type: ``"Numeric"``, ``"Categorical"``, ``"CategoricalHash"``, ``"Text"``,
        ``"DateTime"``, ``"Boolean"`` or ``"Ignore"``.
    transformer_params : dict, optional
        Transformer to a list of ``(columns, parameters)``; no columns means all.
    drop_columns : list of str, optional
        Columns not to use.
    dataset_language : str, optional
        Language of the texts, as three letters of ISO 639-3 such as ``"eng"``.
    prediction_transform_type : {"Integer"}, optional
        Predict whole numbers.

    Raises
    ------
    ConfigError
        For an unknown name or a wrong value.

    Examples
    --------
    >>> config = FeaturizationConfig(drop_columns=["id"])
    >>> config.add_column_purpose("zip", "Categorical")
    >>> config.add_transformer_params("Imputer", ["age"], {"strategy": "median"})
    >>> config
    FeaturizationConfig(column_purposes={'zip': 'Categorical'}, \
transformer_params={'Imputer': [(['age'], {'strategy': 'median'})]}, drop_columns=['id'])
    """

    def __init__(
        self,
        blocked_transformers: Sequence[str] | None = None,
        column_purposes: Mapping[str, str] | None = None,
        transformer_params: Mapping[str, Any] | None = None,
        drop_columns: Sequence[str] | None = None,
        dataset_language: str | None = None,
        prediction_transform_type: str | None = None,
    ) -> None:
        self.blocked_transformers = blocked_transformers
        self.column_purposes = column_purposes
        self.transformer_params = transformer_params
        self.drop_columns = drop_columns
        self.dataset_language = dataset_language
        self.prediction_transform_type = prediction_transform_type
        self._check_dropped()

    @property
    def blocked_transformers(self) -> list[str] | None:
        """Transformers not to use."""
        return self._blocked

    @blocked_transformers.setter
    def blocked_transformers(self, given: Sequence[str] | str | None) -> None:
        self._blocked: list[str] | None = None
        if given is not None:
            self.add_blocked_transformers(given)

    def add_blocked_transformers(self, transformers: Sequence[str] | str) -> None:
        """Block one transformer, or several.

        Parameters
        ----------
        transformers : str or list of str
            Names, such as ``"OneHotEncoder"``.
        """
        named = [names.blocked_name(name) for name in _listed(transformers)]
        self._blocked = list(dict.fromkeys([*(self._blocked or ()), *named]))

    @property
    def column_purposes(self) -> dict[str, str] | None:
        """Column to type."""
        return self._purposes

    @column_purposes.setter
    def column_purposes(self, given: Mapping[str, str] | None) -> None:
        self._purposes: dict[str, str] | None = None
        if given is None:
            return
        if not isinstance(given, Mapping):
            raise ConfigError(
                f"column_purposes of {_OF} must be a mapping of column to type; "
                f"got {shorten(given)}."
            )
        self._purposes = {str(c): names.purpose_name(str(c), p) for c, p in given.items()}

    def add_column_purpose(self, column_name: str, feature_type: str) -> None:
        """Say what a column is.

        Parameters
        ----------
        column_name : str
            Name of the column.
        feature_type : str
            Its type, such as ``"Categorical"``.
        """
        purpose = names.purpose_name(str(column_name), feature_type)
        self._purposes = {**(self._purposes or {}), str(column_name): purpose}

    def remove_column_purpose(self, column_name: str) -> None:
        """Take back what was said of a column.

        Parameters
        ----------
        column_name : str
            Name of the column.
        """
        if self._purposes is not None:
            self._purposes.pop(str(column_name), None)

    @property
    def transformer_params(self) -> dict[str, Given] | None:
        """Transformer to a list of columns and their parameters."""
        return self._params

    @transformer_params.setter
    def transformer_params(self, given: Mapping[str, Any] | None) -> None:
        self._params: dict[str, Given] | None = None
        if given is None:
            return
        if not isinstance(given, Mapping):
            raise ConfigError(
                f"transformer_params of {_OF} must be a mapping of transformer to a list of "
                f"(columns, parameters); got {shorten(given)}."
            )
        self._params = {}
        for transformer, entries in given.items():
            for columns, params in _pairs(str(transformer), entries):
                self.add_transformer_params(transformer, columns, params)

    def add_transformer_params(
        self, transformer: str, cols: Sequence[str] | str, params: Mapping[str, Any]
    ) -> None:
        """Set parameters of a transformer.

        Parameters
        ----------
        transformer : str
            ``"Imputer"``, ``"HashOneHotEncoder"`` or ``"TfIdf"``.
        cols : list of str
            The columns that they are for; an empty list is all columns.
        params : dict
            Such as ``{"strategy": "median"}``. Later ones win.
        """
        name, checked = names.transformer_params(transformer, params)
        self._params = self._params or {}
        self._params.setdefault(name, []).append((_listed(cols), checked))

    def get_transformer_params(self, transformer: str, cols: Sequence[str]) -> dict[str, Any]:
        """Return the parameters that were set for just these columns; empty when there are none.

        Parameters
        ----------
        transformer : str
            Name of the transformer.
        cols : list of str
            The columns, in any order.
        """
        name = names.transformer_name(transformer, of="transformer_params").name
        asked = set(_listed(cols))
        found: dict[str, Any] = {}
        for columns, params in (self._params or {}).get(name, ()):
            if set(columns) == asked:
                found |= params
        return found

    def remove_transformer_params(
        self, transformer: str, cols: Sequence[str] | None = None
    ) -> None:
        """Take back the parameters of a transformer.

        Parameters
        ----------
        transformer : str
            Name of the transformer.
        cols : list of str, optional
            Take back only those for just these columns.
        """
        name = names.transformer_name(transformer, of="transformer_params").name
        entries = (self._params or {}).pop(name, [])
        if cols is None or self._params is None:
            return
        left = [entry for entry in entries if set(entry[0]) != set(_listed(cols))]
        if left:
            self._params[name] = left

    @property
    def drop_columns(self) -> list[str] | None:
        """Columns not to use."""
        return self._dropped

    @drop_columns.setter
    def drop_columns(self, given: Sequence[str] | str | None) -> None:
        self._dropped: list[str] | None = None if given is None else _listed(given)

    def add_drop_columns(self, drop_columns: Sequence[str] | str) -> None:
        """Leave out more columns.

        Parameters
        ----------
        drop_columns : str or list of str
            Their names.
        """
        before = self._dropped
        self._dropped = list(dict.fromkeys([*(before or ()), *_listed(drop_columns)]))
        try:
            self._check_dropped()
        except ConfigError:
            self._dropped = before
            raise

    @property
    def dataset_language(self) -> str | None:
        """Language of the texts, as three letters."""
        return self._language

    @dataset_language.setter
    def dataset_language(self, given: str | None) -> None:
        self._language = None if given is None else names.language_code(given)

    @property
    def prediction_transform_type(self) -> str | None:
        """What predictions become; None leaves them as they are."""
        return self._prediction

    @prediction_transform_type.setter
    def prediction_transform_type(self, given: str | None) -> None:
        self._prediction: str | None = None
        if given is not None:
            self.add_prediction_transform_type(given)

    def add_prediction_transform_type(self, prediction_transform_type: str) -> None:
        """Say what predictions become.

        Parameters
        ----------
        prediction_transform_type : {"Integer"}
            Whole numbers.
        """
        text = str(prediction_transform_type)
        word = next((w for w in names.PREDICTION_TYPES if w.lower() == text.lower()), None)
        if word is None:
            raise ConfigError(
                f"prediction_transform_type of {_OF} must be one of "
                f"{list(names.PREDICTION_TYPES)}; got {shorten(prediction_transform_type)}."
            )
        self._prediction = word

    def remove_prediction_transform_type(self) -> None:
        """Leave predictions as they are."""
        self._prediction = None

    @property
    def named_columns(self) -> list[str]:
        """All columns that it speaks of."""
        entries = (entry for given in (self._params or {}).values() for entry in given)
        found = [*(self._purposes or {}), *(self._dropped or ())]
        return list(dict.fromkeys([*found, *(c for columns, _ in entries for c in columns)]))

    def to_dict(self) -> dict[str, Any]:
        """Return what was said as JSON values."""
        given = {field: getattr(self, field) for field in _FIELDS}
        params = self._params
        if params is not None:
            given["transformer_params"] = {
                name: [[list(columns), dict(values)] for columns, values in entries]
                for name, entries in params.items()
            }
        return {field: value for field, value in given.items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a config from `to_dict`.

        Raises
        ------
        ConfigError
            For an unknown key or a wrong value.
        """
        for key in values:
            if key not in _FIELDS:
                raise ConfigError(
                    f"{_OF} has no setting {key!r}; it takes {list(_FIELDS)}."
                    f"{did_you_mean(str(key), _FIELDS)}"
                )
        return cls(**values)

    def to_options(self) -> FeaturizationOptions:
        """Return the group of the plan that featurization gets."""
        return FeaturizationOptions(
            column_purposes={c: names.PURPOSES[p] for c, p in (self._purposes or {}).items()},
            drop_columns=tuple(self._dropped or ()),
            blocked_transformers=tuple(self._blocked or ()),
            transformer_params=tuple(
                TransformerParams(transformer=name, columns=tuple(columns), params=params)
                for name, entries in (self._params or {}).items()
                for columns, params in entries
            ),
            language=self._language or "",
            prediction_type=self._prediction or "",
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FeaturizationConfig):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment] # it can be changed

    def __repr__(self) -> str:
        given = ((field, getattr(self, field)) for field in _FIELDS)
        return f"{_OF}({', '.join(f'{f}={v!r}' for f, v in given if v is not None)})"

    def _check_dropped(self) -> None:
        """Refuse to say more of a column that is not used."""
        for column in self._dropped or ():
            used = "column_purposes" if column in (self._purposes or ()) else ""
            entries = (entry for given in (self._params or {}).values() for entry in given)
            if any(column in columns for columns, _ in entries):
                used = "transformer_params"
            if used:
                raise ConfigError(
                    f"{_OF} names column {column!r} in drop_columns and in {used}; "
                    "take it out of one of them."
                )


def _listed(given: Sequence[Any] | str) -> list[str]:
    """Return names as a list; a single one stands for a list of one."""
    if isinstance(given, (str, int)):
        return [str(given)]
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise ConfigError(f"{_OF} takes a list of names; got {shorten(given)}.")
    return [str(name) for name in given]


def _pairs(transformer: str, entries: Any) -> list[tuple[Any, Any]]:
    """Return columns and parameters of a transformer; a mapping is parameters for all columns."""
    if isinstance(entries, Mapping):
        return [((), entries)]
    pairs = list(entries) if isinstance(entries, (list, tuple)) else [entries]
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ConfigError(
                f"transformer_params of {_OF}: {transformer} must have a list of "
                f"(columns, parameters); got {shorten(pair)}."
            )
    return [(columns, params) for columns, params in pairs]
