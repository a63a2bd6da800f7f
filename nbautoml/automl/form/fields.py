"""The fields of a form that makes a run, from the declaration of the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any  # Any: JSON values, classes of constraints

from nbautoml.automl import constraints as own
from nbautoml.automl.model_names import available
from nbautoml.automl.options import AUTOML_OPTIONS, DATA_OPTIONS, words_of
from nbautoml.automl.run_source import EXPERIMENT_KEY
from nbautoml.data.named import SUFFIXES
from nbautoml.domain.metrics import (
    DEFAULT_PRIMARY,
    Direction,
    MetricSpec,
    get_primary_metrics,
    metrics_for,
)
from nbautoml.domain.options import Constraint, Flag, ListOf, Number, OneOf, Option, Text, Whole
from nbautoml.domain.tasks import Task
from nbautoml.engine.ensemble.names import META_LEARNERS
from nbautoml.engine.featurize.options import ColumnPurpose

DROP = "drop"
"""In place of a column's type: the column is not used."""
PURPOSES = tuple(purpose.value for purpose in ColumnPurpose if purpose is not ColumnPurpose.IGNORE)
TASKS = tuple(task for task in Task if available(task))
"""Tasks that a run can be for."""

SUGGESTED: Mapping[str, Any] = MappingProxyType({"experiment_timeout_minutes": 15})
"""What a new form holds: a first answer within a coffee break. It can be cleared."""

_COMBO, _CHOICE = "combo", "choice"
_KINDS: Mapping[type[Any], str] = MappingProxyType(
    {
        Whole: "number",
        Number: "number",
        Flag: "flag",
        Text: "text",
        OneOf: _CHOICE,
        own.PrimaryMetric: _CHOICE,
        own.Featurization: _CHOICE,
        own.ColumnName: "column",
        own.Compute: "compute",
        own.OneClass: "class",
    }
)
_LIST_KINDS: Mapping[type[Any], str] = MappingProxyType(
    {own.ModelName: "several", own.ColumnName: "columns"}
)
_NEEDED = frozenset({"label_column_name", "task"})
_SAID_TWICE = frozenset({"experiment_timeout_hours"})
_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "label_column_name": "Label",
        "experiment_timeout_minutes": "Time limit",
        "iterations": "Most models",
        "iteration_timeout_minutes": "Time limit of one model",
        "experiment_exit_score": "Score that ends the run",
        "enable_early_stopping": "Stop early",
        "max_concurrent_iterations": "Models at once",
        "mem_in_mb": "Memory of one fit",
        "name": "Name of the run",
        "n_cross_validations": "Folds",
        "weight_column_name": "Weight of rows",
        "group_column_name": "Groups of rows",
        "cv_split_column_names": "Columns of splits",
        "positive_label": "Positive class",
        "exclude_nan_labels": "Leave out rows without a label",
    }
)
"""Titles of settings that read badly as words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Values to choose from under one heading; each with what a form shows of it."""

    title: str = ""
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the form.

    Parameters
    ----------
    name : str
        The setting that it gives.
    title, doc, unit, group : str
        For people; ``group`` is the heading of the reference.
    kind : str
        What holds the value: ``number``, ``text``, ``flag``, ``choice``, ``combo`` (a text with
        suggestions), ``several`` (of the choices), ``column``, ``columns``, ``class`` (of the
        label) or ``compute``.
    takes : str
        Which values it takes, in words.
    default : mapping of str to object
        Its value when it is not given, by task.
    choices : mapping of str to tuple of Choices
        What can be chosen, by task.
    is_needed : bool
        Whether no run starts without it.
    """

    name: str
    title: str
    doc: str
    kind: str
    unit: str = ""
    group: str = ""
    takes: str = ""
    default: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, tuple[Choices, ...]] = field(default_factory=dict)
    is_needed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        plain = {
            name: getattr(self, name)
            for name in ("name", "title", "doc", "kind", "unit", "group", "takes", "is_needed")
        }
        choices = {
            task: [{"title": c.title, "words": [list(word) for word in c.words]} for c in groups]
            for task, groups in self.choices.items()
        }
        return {**plain, "default": dict(self.default), "choices": choices}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the form: what it shows at once, and groups of settings that it can unfold."""

    name: str
    title: str
    first: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


SECTIONS = (
    Section(
        name="label",
        title="Label and task",
        first=("label_column_name", "task"),
        groups=("Task and data",),
    ),
    Section(
        name="limits",
        title="Metric and limits",
        first=(
            "primary_metric",
            "experiment_timeout_minutes",
            "iterations",
            "iteration_timeout_minutes",
            "experiment_exit_score",
            "enable_early_stopping",
        ),
        groups=("When the run ends", "Models", "Validation", "Ensembles", "After the search"),
    ),
    Section(
        name="compute",
        title="Compute",
        first=("compute_target", "max_concurrent_iterations", "mem_in_mb"),
        groups=("Compute",),
    ),
    Section(name="columns", title="Columns", first=("featurization",)),
    Section(name="review", title="Review", first=("name",)),
)

LOCAL = "local"
"""Where models are trained when nobody says."""

EXPERIMENT = Field(
    name=EXPERIMENT_KEY,
    title="Experiment",
    doc="Runs of one question stand side by side in it; named after the data when not given.",
    kind="text",
    takes="letters, digits, '_', '-' and '.'",
)


def form_declaration() -> dict[str, Any]:
    """Return all that a form offers, as JSON values.

    Returns
    -------
    dict
        ``tasks``; ``sections`` with ``name``, ``title``, ``fields`` and ``more`` (see `Field`);
        ``purposes`` that a column can be given and ``drop`` for none; ``suffixes`` of files that
        can be read; ``suggested`` values by setting.
    """
    shown = {name for section in SECTIONS for name in section.first}
    return {
        "tasks": [task.value for task in TASKS],
        "sections": [_section(section, shown) for section in SECTIONS],
        "purposes": list(PURPOSES),
        "drop": DROP,
        "suffixes": [end for ends in SUFFIXES.values() for end in ends],
        "suggested": dict(SUGGESTED),
    }


def form_names() -> tuple[str, ...]:
    """Return the settings that a form can give, the label and the task first.

    Examples
    --------
    >>> form_names()[:3]
    ('label_column_name', 'task', 'primary_metric')
    """
    shown = [name for section in SECTIONS for name in section.first]
    rest = [name for section in SECTIONS for name in _more(section, set(shown))]
    head = ("label_column_name", "task", "primary_metric")
    return tuple(dict.fromkeys((*head, *shown, *rest)))


def kind_of(constraint: Constraint) -> str:
    """Return which field holds values of a constraint; empty where a form has none.

    Examples
    --------
    >>> kind_of(Whole(1)), kind_of(ListOf(own.ColumnName())), kind_of(own.Data())
    ('number', 'columns', '')
    """
    if isinstance(constraint, ListOf):
        return _LIST_KINDS.get(type(constraint.item), "")
    kind = _KINDS.get(type(constraint), "")
    return _COMBO if kind == _CHOICE and getattr(constraint, "also", None) else kind


def _section(section: Section, shown: set[str]) -> dict[str, Any]:
    fields = [_field(AUTOML_OPTIONS[name]) for name in section.first]
    if section.name == "review":
        fields.insert(0, EXPERIMENT)
    return {
        "name": section.name,
        "title": section.title,
        "fields": [shown_at_once.to_dict() for shown_at_once in fields],
        "more": [_field(AUTOML_OPTIONS[name]).to_dict() for name in _more(section, shown)],
    }


def _more(section: Section, shown: set[str]) -> Iterator[str]:
    """Yield the settings of a section's groups that are not shown at once anywhere."""
    for group in section.groups:
        for option in AUTOML_OPTIONS.values():
            if option.group == group and option.name not in shown and _has_field(option):
                yield option.name


def _has_field(option: Option) -> bool:
    is_known = option.name not in DATA_OPTIONS | _SAID_TWICE and bool(kind_of(option.constraint))
    return is_known and not option.not_yet and not option.no_effect


def _field(option: Option) -> Field:
    tasks = [task.value for task in TASKS]
    return Field(
        name=option.name,
        title=_TITLES.get(option.name) or _title(option),
        doc=option.doc,
        kind=_CHOICE if _is_open(option) else kind_of(option.constraint),
        unit=option.unit,
        group=option.group,
        takes=str(option.constraint),
        default={task: _default(option, Task(task)) for task in tasks},
        choices={task: _choices(option, Task(task)) for task in tasks},
        is_needed=option.name in _NEEDED,
    )


def _is_open(option: Option) -> bool:
    """Whether it is true, false, or left to the run."""
    return isinstance(option.constraint, Flag) and option.default is None


def _title(option: Option) -> str:
    """Return the name of a setting as words."""
    words = option.name.split("_")
    return " ".join(words[1:] if words[0] == "enable" else words).capitalize()


def _default(option: Option, task: Task) -> Any:
    known = {"primary_metric": DEFAULT_PRIMARY[task], "compute_target": LOCAL}
    return known.get(option.name, option.default)


def _choices(option: Option, task: Task) -> tuple[Choices, ...]:
    make = _BY_TASK.get(option.name)
    if make is not None:
        return make(task)
    if _is_open(option):
        return (_YES_OR_NO,)
    is_choice = kind_of(option.constraint) in {_CHOICE, _COMBO}
    return (_plain(words_of(option.constraint)),) if is_choice else ()


def _plain(words: tuple[str, ...], title: str = "") -> Choices:
    return Choices(title=title, words=tuple((word, word) for word in words))


def _metrics(task: Task) -> tuple[Choices, ...]:
    usual = set(get_primary_metrics(task.value))
    specs = metrics_for(task, has_positive=True)
    return tuple(
        Choices(title=title, words=tuple((spec.name, _metric_words(spec)) for spec in found))
        for title, found in (
            ("Usual", [s for s in specs if s.name in usual]),
            ("Others", [s for s in specs if s.name not in usual and not s.needs_positive]),
            ("Of the positive class", [s for s in specs if s.needs_positive]),
        )
        if found
    )


def _metric_words(spec: MetricSpec) -> str:
    return f"{spec.name} (smaller is better)" if spec.direction is Direction.MINIMIZE else spec.name


_YES_OR_NO = Choices(words=(("true", "Yes"), ("false", "No")))
_BY_TASK: Mapping[str, Callable[[Task], tuple[Choices, ...]]] = {
    "task": lambda _task: (_plain(tuple(task.value for task in TASKS)),),
    "primary_metric": _metrics,
    "allowed_models": lambda task: (_plain(available(task)),),
    "blocked_models": lambda task: (_plain(available(task)),),
    "stack_meta_learner_type": lambda task: (_plain(META_LEARNERS[task]),),
}
"""Settings whose values depend on the task, or are fewer than the declaration names."""
