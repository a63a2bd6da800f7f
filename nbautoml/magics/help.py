"""``%automl help``: made from the declaration of the settings."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from nbautoml.automl.options import OptionRow, describe_options
from nbautoml.errors import ConfigError, did_you_mean
from nbautoml.magics.body import EXPERIMENT_KEY, SHORT_KEYS, known_keys
from nbautoml.magics.flags import FLAGS, usage

WIDTH = 92
EXAMPLE = """\
%%automl frame
label: Attrition
metric: AUC_weighted
iterations: 20
blocked_models: [KNN]"""


def help_text(key: str, commands: Sequence[tuple[str, str, str]]) -> str:
    """Return help on everything, or on one setting.

    Parameters
    ----------
    key : str
        A setting, in any spelling; empty for everything.
    commands : sequence of (str, str, str)
        Name, argument and sentence of each ``%automl`` command.

    Raises
    ------
    ConfigError
        When no setting has that name.
    """
    if key:
        return _about(key)
    parts = [
        "A run from a cell; the lines below it are settings:",
        "",
        textwrap.indent(EXAMPLE, "    "),
        "",
        *textwrap.wrap(usage(), WIDTH, subsequent_indent="    "),
        *_columns((f"{f.name} {f.value}".strip(), f.doc) for f in FLAGS.values()),
        "",
        "Lines:",
        *_columns((f"%automl {name} {argument}", doc) for name, argument, doc in commands),
        "",
        "Settings (%automl help NAME says more):",
        *_groups(),
    ]
    return "\n".join(parts)


def _groups() -> list[str]:
    groups: dict[str, list[str]] = {}
    for row in _rows():
        groups.setdefault(row.group or "More", []).append(row.name)
    lines = []
    for group, names in groups.items():
        text = f"{group}: {', '.join(names)}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return lines


def _rows() -> list[OptionRow]:
    keys = set(known_keys())
    return [row for row in describe_options() if row.name in keys]


def _about(key: str) -> str:
    name = SHORT_KEYS.get(key, key)
    if name == EXPERIMENT_KEY:
        return "experiment: experiment of the run; named after the data when not given."
    rows = {row.name: row for row in describe_options()}
    row = rows.get(name)
    if row is None:
        raise ConfigError(f"No setting is called {key!r}.{did_you_mean(key, known_keys())}")
    short = [s for s, full in SHORT_KEYS.items() if full == name]
    facts = [
        ("takes", row.type_text),
        ("unit", row.unit),
        ("default", "" if row.default is None else str(row.default)),
        ("short", ", ".join(short)),
        ("note", row.note),
    ]
    lines = [name, *textwrap.wrap(row.doc, WIDTH, initial_indent="  ", subsequent_indent="  ")]
    return "\n".join([*lines, *(f"  {what}: {text}" for what, text in facts if text)])


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    found = list(rows)
    width = max(len(left) for left, _ in found)
    return [f"  {left:<{width}}  {right}" for left, right in found]
