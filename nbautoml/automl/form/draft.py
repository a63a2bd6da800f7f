"""What a person has put into the form: read, checked field by field, and written as source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values, values of settings

from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.form.fields import DROP, form_names
from nbautoml.automl.options import AUTOML_OPTIONS
from nbautoml.automl.run_source import (
    DATA,
    EXPERIMENT_KEY,
    cell_source,
    experiment_name,
    python_source,
    setup_source,
)
from nbautoml.domain.options import Flag, ListOf, Number, OneOf, Whole, first_named, validate
from nbautoml.errors import ConfigError, NbAutoMLError
from nbautoml.runs.experiment import check_experiment_name

_OF = "AutoMLConfig"
_FEATURIZATION = "featurization"
_OVERRIDES = "columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to correct: the field it belongs to (empty for none), and a sentence."""

    field: str
    message: str

    def to_dict(self) -> dict[str, str]:
        """Return the fields."""
        return {"field": self.field, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A run that is being described.

    Parameters
    ----------
    settings : mapping
        Settings that were given and are not what they would be anyway, without the data.
    experiment : str
        Experiment of the run.
    is_named : bool
        Whether the person chose the experiment's name.
    problems : tuple of Problem
        What has to be corrected before the run can start.
    """

    settings: Mapping[str, Any]
    experiment: str
    is_named: bool = False
    problems: tuple[Problem, ...] = ()

    def config(self, data: Any) -> AutoMLConfig:
        """Return the config with its data.

        Raises
        ------
        ConfigError
            When something has to be corrected.
        """
        if self.problems:
            raise ConfigError(self.problems[0].message)
        return AutoMLConfig(**{DATA: data, **self.settings})

    def sources(self, word: str, code: str, *, home: str, cell_home: str) -> dict[str, str]:
        """Return the source of the run.

        Parameters
        ----------
        word : str
            What a cell calls the data.
        code : str
            Python for the data.
        home, cell_home : str
            Python for the workspace, in Python and before a cell.

        Returns
        -------
        dict of str to str
            ``setup``, a cell that goes before; ``cell``; and ``python`` that does the same.
        """
        given = self.experiment if self.is_named else ""
        return {
            "setup": setup_source(cell_home),
            "cell": cell_source(self.settings, word, experiment=given),
            "python": python_source(
                {DATA: None, **self.settings}, {DATA: code}, self.experiment, home=home
            ),
        }


@dataclass(frozen=True, slots=True)
class Table:
    """Stands for data of which only the columns matter yet."""

    columns: Sequence[str]

    def to_pandas_dataframe(self) -> Any:
        """Refuse: there are no rows here.

        Raises
        ------
        ConfigError
            Always.
        """
        raise ConfigError("A draft has no rows.")


def read_draft(form: Mapping[str, Any], columns: Sequence[str], name: str) -> Draft:
    """Read and check what a form holds.

    Parameters
    ----------
    form : mapping
        ``settings``, values by name, numbers as they were typed; ``columns``, a type or ``drop``
        by column; ``experiment``.
    columns : sequence of str
        The columns of the data.
    name : str
        What people call the data; the experiment is named after it.

    Raises
    ------
    ConfigError
        When `form` is not of this shape.

    Examples
    --------
    >>> form = {"settings": {"label_column_name": "y", "task": "regression", "iterations": "0"}}
    >>> read_draft(form, ["x", "y"], "d").problems[0].message
    'iterations must be a whole number of at least 1; got 0.'
    """
    settings, problems = _read_settings(form)
    experiment = _text(form, EXPERIMENT_KEY)
    named = experiment or experiment_name(name)
    try:
        check_experiment_name(named)
    except ConfigError as error:
        problems.append(Problem(field=EXPERIMENT_KEY, message=error.message))
    if not problems:
        problems = _check_together(settings, columns)
    return Draft(
        settings={n: settings[n] for n in form_names() if n in settings},
        experiment=named,
        is_named=named != experiment_name(name),
        problems=tuple(problems),
    )


def _read_settings(form: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return what was given, and what is wrong with each value alone."""
    given = {n: v for n, v in _mapping(form, "settings").items() if v not in (None, "", [])}
    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    known = form_names()
    for name, value in given.items():
        if name not in known:
            raise ConfigError(f"The form has no field {name!r}.")
        option = AUTOML_OPTIONS[name]
        read = _read(option.constraint, value)
        try:
            accepted = validate({name: read}, {name: option}, of=_OF, warn=_silent).values[name]
        except NbAutoMLError as error:
            problems.append(Problem(field=name, message=_plain(error.message)))
        else:
            if accepted != option.default:
                settings[name] = read
    return _with_overrides(form, settings, problems)


def _with_overrides(
    form: Mapping[str, Any], settings: dict[str, Any], problems: list[Problem]
) -> tuple[dict[str, Any], list[Problem]]:
    """Return settings with what was said of columns."""
    overrides = _mapping(form, _OVERRIDES)
    purposes = {column: purpose for column, purpose in overrides.items() if purpose != DROP}
    dropped = [column for column, purpose in overrides.items() if purpose == DROP]
    config = {"column_purposes": purposes, "drop_columns": dropped}
    said = {name: value for name, value in config.items() if value}
    if not said:
        return settings, problems
    if _FEATURIZATION in settings:
        message = (
            f"featurization is {settings[_FEATURIZATION]!r}, which goes by the types of the "
            "columns alone; choose 'auto', or take back what you chose for columns."
        )
        return settings, [*problems, Problem(field=_FEATURIZATION, message=message)]
    try:
        validate(
            {_FEATURIZATION: said},
            {_FEATURIZATION: AUTOML_OPTIONS[_FEATURIZATION]},
            of=_OF,
            warn=_silent,
        )
    except NbAutoMLError as error:
        return settings, [*problems, Problem(field=_OVERRIDES, message=_plain(error.message))]
    return {**settings, _FEATURIZATION: said}, problems


def _check_together(settings: Mapping[str, Any], columns: Sequence[str]) -> list[Problem]:
    """Return what is wrong with settings that are right one by one: the first thing found."""
    try:
        AutoMLConfig(**{DATA: Table(columns), **settings})
    except NbAutoMLError as error:
        found = first_named(error.message, form_names()) or ""
        has_overrides = isinstance(settings.get(_FEATURIZATION), Mapping)
        place = _OVERRIDES if found == _FEATURIZATION and has_overrides else found
        return [Problem(field=place, message=_plain(error.message))]
    return []


def _read(constraint: object, value: Any) -> Any:
    """Return a value as the setting takes it: what was typed is a text."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if isinstance(constraint, Flag):
        return {"true": True, "false": False}.get(text.lower(), text)
    takes_number = isinstance(constraint, (Whole, Number)) or (
        isinstance(constraint, OneOf) and isinstance(constraint.also, (Whole, Number))
    )
    if isinstance(constraint, ListOf) or not takes_number:
        return value
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _plain(message: str) -> str:
    """Return a message without the class that a form does not speak of."""
    return message.replace(f" of {_OF}", "").replace(_OF, "The form")


def _mapping(form: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = form.get(name) or {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{name} of the form must be a mapping; got {value!r:.100}.")
    return {str(key): inner for key, inner in value.items()}


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name) or ""
    if not isinstance(value, str):
        raise ConfigError(f"{name} of the form must be a text; got {value!r:.100}.")
    return value.strip()


def _silent(_message: str) -> None:
    """Take a warning about an old spelling; a form has none."""
