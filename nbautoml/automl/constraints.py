"""Kinds of values that only the settings of a run take: data, compute, models, log levels."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: values as users give them

import numpy as np
import pandas as pd

from nbautoml.automl import model_names
from nbautoml.automl.featurization_config import FeaturizationConfig
from nbautoml.domain.options import OneOf
from nbautoml.engine.validation import read_splits
from nbautoml.engine.validation.plan import Fold
from nbautoml.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Data:
    """A pandas DataFrame, or anything that can become one (a TabularDataset)."""

    def accept(self, value: Any) -> Any:
        """Return the value."""
        if isinstance(value, pd.DataFrame) or hasattr(value, "to_pandas_dataframe"):
            return value
        hint = ""
        if isinstance(value, str):
            hint = " Read a file with Dataset.Tabular.from_delimited_files(path)."
        raise ValueError(str(self), hint)

    def __str__(self) -> str:
        return "a DataFrame or a TabularDataset"


@dataclass(frozen=True, slots=True)
class Compute:
    """A compute target or its name."""

    def accept(self, value: Any) -> str:
        """Return its name."""
        name = value if isinstance(value, str) else getattr(value, "name", None)
        if not isinstance(name, str) or not name:
            raise ValueError(str(self))
        return name

    def __str__(self) -> str:
        return "a compute target or its name"


@dataclass(frozen=True, slots=True)
class ColumnName:
    """The name of a column: a text, or a number for columns that are numbered."""

    def accept(self, value: Any) -> str | int:
        """Return the name; a list of one name stands for the name."""
        if isinstance(value, (list, tuple)) and len(value) == 1:
            value = value[0]
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
            raise ValueError(str(self))
        return value

    def __str__(self) -> str:
        return "a column name"


@dataclass(frozen=True, slots=True)
class OneClass:
    """A class of the label; whether the label has it is checked with the data."""

    def accept(self, value: Any) -> str | int | float | bool:
        """Return the class as a plain value."""
        plain = value.item() if isinstance(value, np.generic) else value
        if not isinstance(plain, (str, int, float, bool)) or plain != plain or plain == "":
            raise ValueError(str(self))
        return plain

    def __str__(self) -> str:
        return "a class: a text, a number, True or False"


@dataclass(frozen=True, slots=True)
class SplitRows:
    """Training and validation rows of each split."""

    def accept(self, value: Any) -> tuple[Fold, ...]:
        """Return the splits as sorted arrays."""
        return read_splits(value)

    def __str__(self) -> str:
        return "a list of [train_rows, valid_rows] pairs"


@dataclass(frozen=True, slots=True)
class Settings:
    """A mapping of names to values."""

    def accept(self, value: Any) -> dict[str, Any]:
        """Return a copy."""
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise ValueError(str(self))
        return dict(value)

    def __str__(self) -> str:
        return "a mapping of settings, such as {'C': 0.1}"


@dataclass(frozen=True, slots=True)
class LogLevel:
    """A level of the ``logging`` module: its number or its name."""

    def accept(self, value: Any) -> int:
        """Return the number."""
        levels = logging.getLevelNamesMapping()
        if isinstance(value, str) and value.upper() in levels:
            return levels[value.upper()]
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return int(value)
        raise ValueError(str(self))

    def __str__(self) -> str:
        return "a level of logging, such as logging.INFO or 'INFO'"


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model in any spelling; which of them a task can use is checked with the task."""

    words: tuple[str, ...] = model_names.KNOWN

    def accept(self, value: Any) -> str:
        """Return the SDK's spelling."""
        try:
            return model_names.canonical(value if isinstance(value, str) else "")
        except LookupError as error:
            raise ValueError(str(self), str(error)) from None

    def __str__(self) -> str:
        names = {name: None for names in model_names.AVAILABLE.values() for name in names}
        return f"one of {list(names)}"


@dataclass(frozen=True, slots=True)
class PrimaryMetric(OneOf):
    """A metric in any case; whether it fits the task is checked with the task."""

    others: tuple[str, ...] = ()

    def accept(self, value: Any) -> str:
        """Return the metric in the SDK's spelling, or the text as it is."""
        if not isinstance(value, str) or not value:
            raise ValueError(str(self))
        known = (*self.words, *self.others)
        return next((w for w in known if w.lower() == value.lower()), value)

    def __str__(self) -> str:
        return f"{OneOf.__str__(self)}, or another metric of the task"


@dataclass(frozen=True, slots=True)
class Featurization(OneOf):
    """``auto``, ``off``, a FeaturizationConfig, or a mapping of its settings."""

    def accept(self, value: Any) -> Any:
        """Return the word, or a FeaturizationConfig of its own that was checked."""
        if isinstance(value, FeaturizationConfig):
            value = value.to_dict()
        if isinstance(value, Mapping):
            try:
                return FeaturizationConfig.from_dict(value)
            except ConfigError as error:
                raise ConfigError(f"featurization of AutoMLConfig: {error}") from None
        return OneOf.accept(self, value)

    def __str__(self) -> str:
        return f"one of {list(self.words)} or a FeaturizationConfig"
