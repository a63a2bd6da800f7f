"""The lines below ``%%automl``: YAML with the settings of AutoMLConfig, checked line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: values of settings

import yaml

from nbautoml.automl.constraints import ColumnName, PrimaryMetric
from nbautoml.automl.options import AUTOML_OPTIONS, DATA_OPTIONS
from nbautoml.automl.run_source import EXPERIMENT_KEY as EXPERIMENT_KEY
from nbautoml.automl.run_source import SHORT_KEYS as SHORT_KEYS
from nbautoml.domain.options import Anything, Flag, ListOf, OneOf, Option, Text, first_named
from nbautoml.errors import ConfigError, NbAutoMLError, did_you_mean

FIRST_BODY_LINE = 2
SHORT_METRICS: Mapping[str, str] = {
    "auc": "AUC_weighted",
    "average_precision": "average_precision_score_weighted",
    "precision": "precision_score_weighted",
    "rmse": "normalized_root_mean_squared_error",
    "mae": "normalized_mean_absolute_error",
    "r2": "r2_score",
    "spearman": "spearman_correlation",
    "f1": "f1_score_weighted",
    "logloss": "log_loss",
    "mcc": "matthews_correlation",
    "mape": "mean_absolute_percentage_error",
}
"""Short names of metrics, in a cell only; they name the SDK's normalized forms."""

_NOT_IN_A_CELL = DATA_OPTIONS - {
    "training_data",
    "validation_data",
    "test_data",
    "cv_splits_indices",
}
_TEXT_LIKE = (ColumnName, Text, OneOf, PrimaryMetric, Anything)
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The settings of a cell, and the line of each (the magic's own line is line 1)."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    experiment: str | None = None


def parse_body(text: str) -> Body:
    r"""Read the lines below ``%%automl``.

    Parameters
    ----------
    text : str
        YAML: a mapping of settings, or nothing.

    Returns
    -------
    Body
        Settings under their full names.

    Raises
    ------
    ConfigError
        For text that is no mapping, and for unknown or repeated keys; with the line.

    Examples
    --------
    >>> body = parse_body("label: y\niterations: 5")
    >>> dict(body.settings), body.lines["iterations"]
    ({'label_column_name': 'y', 'iterations': 5}, 3)
    """
    root = _compose(text)
    settings: dict[str, Any] = {}
    lines: dict[str, int] = {}
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            f"{_where(root)}: %%automl expects lines of 'key: value'; got {_first_line(text)!r}."
        )
    for key_node, value_node in root.value if root is not None else ():
        name = _full_name(key_node)
        if name in settings:
            first = lines[name]
            raise ConfigError(f"{_where(key_node)}: {name} is in line {first} already.")
        settings[name] = _value(name, value_node)
        lines[name] = _line(key_node)
    experiment = settings.pop(EXPERIMENT_KEY, None)
    return Body(
        settings=settings, lines=lines, experiment=None if experiment is None else str(experiment)
    )


def known_keys() -> list[str]:
    """Return all keys of a cell: settings in today's spelling, then short names."""
    names = [name for name in AUTOML_OPTIONS if name not in _NOT_IN_A_CELL]
    return [*names, *SHORT_KEYS, EXPERIMENT_KEY]


def at_its_line(error: NbAutoMLError, lines: Mapping[str, int]) -> NbAutoMLError:
    """Return the error with the line of the setting that it speaks of, where there is one.

    Parameters
    ----------
    error : NbAutoMLError
        What AutoMLConfig found.
    lines : mapping of str to int
        The line of each setting.
    """
    named = first_named(error.message, lines)
    if named is None:
        return error
    message = error.message.replace(" of AutoMLConfig", "").replace("AutoMLConfig", "%%automl")
    return type(error)(f"line {lines[named]}: {message}")


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        last = text.rstrip().count("\n")  # a bracket or quote left open is found behind it
        line = FIRST_BODY_LINE + (min(mark.line, last) if mark else 0)
        raise ConfigError(
            f"line {line}: this is not 'key: value' with even indents ({error.problem})."
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"The lines below %%automl cannot be read: {error}.") from None


def _full_name(node: yaml.Node) -> str:
    key = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
    name = SHORT_KEYS.get(key, key)
    if name == EXPERIMENT_KEY:
        return name
    if name in _NOT_IN_A_CELL:
        raise ConfigError(
            f"{_where(node)}: {key} takes an array, which a cell cannot hold. "
            f"Name a DataFrame that has the label in it: 'data: df'."
        )
    old = {
        spelling: option.name for option in AUTOML_OPTIONS.values() for spelling in option.old_names
    }
    if name not in AUTOML_OPTIONS and name not in old:
        hint = did_you_mean(key, [*known_keys(), *old])
        raise ConfigError(
            f"{_where(node)}: %%automl has no setting {key!r}.{hint or ' See %automl help.'}"
        )
    return name


def _value(name: str, node: yaml.Node) -> Any:
    option = _option(name)
    if isinstance(node, yaml.ScalarNode) and _is_text(option, node):
        text = node.value
        return SHORT_METRICS.get(text.lower(), text) if name == "primary_metric" else text
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    except yaml.YAMLError as error:
        raise ConfigError(f"{_where(node)}: {name} has a value that cannot be read.") from error
    finally:
        loader.dispose()


def _option(name: str) -> Option | None:
    found = AUTOML_OPTIONS.get(name)
    if found is not None:
        return found
    return next((o for o in AUTOML_OPTIONS.values() if name in o.old_names), None)


def _is_text(option: Option | None, node: yaml.ScalarNode) -> bool:
    """Whether YAML must not make a number or a truth value of it: 'off' is a word here."""
    if option is None or node.tag == _TEXT_TAG:
        return node.tag != "tag:yaml.org,2002:null"
    constraint = option.constraint
    if isinstance(constraint, ListOf):
        constraint = constraint.item
    if isinstance(constraint, OneOf):
        return node.value.lower() in {w.lower() for w in constraint.words}
    is_null = node.tag == "tag:yaml.org,2002:null"
    return isinstance(constraint, _TEXT_LIKE) and not isinstance(constraint, Flag) and not is_null


def _line(node: yaml.Node) -> int:
    return FIRST_BODY_LINE + int(node.start_mark.line)


def _where(node: yaml.Node) -> str:
    return f"line {_line(node)}"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:60]
