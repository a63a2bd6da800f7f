"""All settings of a run, and what help, docs and forms show of them.

`AUTOML_OPTIONS` is the one declaration: `AutoMLConfig` checks against it, the magic's body,
its help and its completion are made from it, and so is ``docs/reference/automl-config.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any  # Any: defaults of settings

from nbautoml.automl.declared import data, forecasting, search, service
from nbautoml.domain.options import Constraint, Flag, ListOf, Option

AUTOML_OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        option.name: option
        for option in (*data.OPTIONS, *search.OPTIONS, *forecasting.OPTIONS, *service.OPTIONS)
    }
)

DATA_OPTIONS: frozenset[str] = frozenset(
    {
        "training_data",
        "validation_data",
        "test_data",
        "cv_splits_indices",
        *("X", "y", "X_valid", "y_valid", "sample_weight", "sample_weight_valid"),
    }
)
"""Settings whose values are rows; they are never part of the written form of a config."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionRow:
    """What help and docs show of one setting.

    Parameters
    ----------
    name, unit, doc, group : str
        As declared.
    type_text : str
        Which values it takes, in words.
    default : object
        Its value when it is not given.
    words : tuple of str
        Its values, where they are a closed set; for completion.
    old_names : tuple of str
        Other spellings.
    note : str
        What is special: not available yet, or without effect here. Often empty.
    """

    name: str
    type_text: str
    default: Any
    unit: str
    doc: str
    group: str
    words: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()
    note: str = ""


def describe_options() -> tuple[OptionRow, ...]:
    """Return one row for each setting, in the order of the declaration.

    Examples
    --------
    >>> next(row for row in describe_options() if row.name == "iterations").type_text
    'a whole number of at least 1'
    """
    return tuple(_describe(option) for option in AUTOML_OPTIONS.values())


def _describe(option: Option) -> OptionRow:
    note = ""
    if option.not_yet:
        note = f"Not available yet. {option.not_yet}"
    elif option.no_effect:
        note = f"Accepted without effect: {option.no_effect}"
    return OptionRow(
        name=option.name,
        type_text=str(option.constraint),
        default=option.default,
        unit=option.unit,
        doc=option.doc,
        group=option.group,
        words=words_of(option.constraint),
        old_names=option.old_names,
        note=note,
    )


def words_of(constraint: Constraint) -> tuple[str, ...]:
    """Return the values of a closed set, or an empty tuple.

    Examples
    --------
    >>> words_of(Flag())
    ('true', 'false')
    """
    if isinstance(constraint, ListOf):
        return words_of(constraint.item)
    if isinstance(constraint, Flag):
        return ("true", "false")
    words: tuple[str, ...] = getattr(constraint, "words", ())
    return words


_INTRODUCTION = """\
# Settings of AutoMLConfig

All keywords of `AutoMLConfig`, which are also the keys of a `%%automl` cell. A value of `None`
means "not given". Old spellings are accepted with a warning. This page is made from the code
(`nbautoml.automl.options.reference_markdown`).
"""


def reference_markdown() -> str:
    """Return the text of ``docs/reference/automl-config.md``."""
    lines = [_INTRODUCTION]
    group = ""
    for row in describe_options():
        if row.group != group:
            group = row.group
            lines += [
                f"\n## {group}\n",
                "| setting | values | default | what it does |",
                "|---|---|---|---|",
            ]
        lines.append(_reference_line(row))
    return "\n".join(lines) + "\n"


def _reference_line(row: OptionRow) -> str:
    values = f"{row.type_text}{f' ({row.unit})' if row.unit else ''}"
    default = "" if row.default is None else f"`{row.default!r}`"
    doc = row.doc
    if row.old_names:
        doc += f" Old spellings: {', '.join(f'`{name}`' for name in row.old_names)}."
    if row.note:
        doc += f" *{row.note}*"
    cells = (f"`{row.name}`", values, default, doc)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
