"""The first line of a ``%%automl`` cell: which words it takes, and what they mean."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nbautoml.errors import ConfigError, did_you_mean

OF = "%%automl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One word of the line.

    Parameters
    ----------
    name : str
        With its two dashes.
    value : str
        What follows it, in capitals; empty for a switch.
    doc : str
        One sentence of help.
    setting : str
        The setting of AutoMLConfig that it gives, if it is one.
    """

    name: str
    doc: str
    value: str = ""
    setting: str = ""


FLAGS: Mapping[str, Flag] = {
    flag.name: flag
    for flag in (
        Flag(name="--name", value="VAR", doc="Variable that gets the run; run when not given."),
        Flag(name="--experiment", value="E", doc="Experiment of the run; named after the data."),
        Flag(
            name="--target",
            value="COL",
            doc="The column to predict.",
            setting="label_column_name",
        ),
        Flag(
            name="--task",
            value="T",
            doc="classification or regression; guessed from the column when not given.",
            setting="task",
        ),
        Flag(name="--metric", value="M", doc="The metric to make best.", setting="primary_metric"),
        Flag(
            name="--compute",
            value="C",
            doc="Compute target; this machine when not given.",
            setting="compute_target",
        ),
        Flag(name="--wait", doc="Wait until the run ends."),
        Flag(name="--dry-run", doc="Check everything, show the Python code, and start nothing."),
        Flag(name="--code", doc="Show the Python code that does the same, and start the run."),
        Flag(name="--no-widget", doc="Show one line in place of the live view."),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLine:
    """The first line, taken apart.

    Parameters
    ----------
    data : str or None
        The word that names the data.
    name : str
        Variable that gets the run.
    experiment : str or None
        Experiment of the run.
    settings : mapping of str to str
        Settings of AutoMLConfig that were given as flags.
    switches : frozenset of str
        Flags without a value.
    """

    data: str | None = None
    name: str = "run"
    experiment: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    switches: frozenset[str] = frozenset()


def parse_line(line: str) -> CellLine:
    """Take the first line of a cell apart.

    Parameters
    ----------
    line : str
        What follows ``%%automl``.

    Raises
    ------
    ConfigError
        For an unknown flag, a flag without its value, or more than one name of data.

    Examples
    --------
    >>> parse_line("heart --target DEATH_EVENT --wait").settings
    {'label_column_name': 'DEATH_EVENT'}
    """
    positional, values = _split(line)
    if len(positional) > 1:
        raise ConfigError(
            f"{OF} takes one name of data; got {positional}. Settings go into the lines below, "
            f"as 'key: value'."
        )
    name = values.pop("--name", "run")
    if not name.isidentifier():
        raise ConfigError(f"--name of {OF} must be a name of a variable; got {name!r}.")
    experiment = values.pop("--experiment", None)
    return CellLine(
        data=positional[0] if positional else None,
        name=name,
        experiment=experiment,
        settings={FLAGS[f].setting: v for f, v in values.items() if FLAGS[f].setting},
        switches=frozenset(f for f in values if not FLAGS[f].value),
    )


def _split(line: str) -> tuple[list[str], dict[str, str]]:
    """Return the words without a flag, and the value of each flag (empty for a switch)."""
    try:
        words = shlex.split(line)
    except ValueError:
        raise ConfigError(f"{OF} cannot read {line!r}: a quote is not closed.") from None
    positional: list[str] = []
    values: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            positional.append(word)
            continue
        name, equals, value = word.partition("=")
        flag = _flag(name)
        if flag.name in values:
            raise ConfigError(f"{OF} got {flag.name} twice; give it once.")
        if flag.value and not equals:
            value = next(rest, "")
        _check_value(flag, value)
        values[flag.name] = value
    return positional, values


def _flag(name: str) -> Flag:
    try:
        return FLAGS[name]
    except KeyError:
        hint = did_you_mean(name, FLAGS)
        there = "" if hint else f" There are: {', '.join(FLAGS)}."
        raise ConfigError(f"{OF} has no flag {name!r}.{hint}{there}") from None


def _check_value(flag: Flag, value: str) -> None:
    if flag.value and (not value or value.startswith("--")):
        raise ConfigError(f"{flag.name} of {OF} needs a value: {flag.name} {flag.value}.")
    if value and not flag.value:
        raise ConfigError(f"{flag.name} of {OF} takes no value; got {value!r}.")


def usage(flags: Sequence[Flag] = tuple(FLAGS.values())) -> str:
    """Return the form of the line."""
    words = [f"[{f.name} {f.value}]" if f.value else f"[{f.name}]" for f in flags]
    return f"{OF} [DATA] {' '.join(words)}"
