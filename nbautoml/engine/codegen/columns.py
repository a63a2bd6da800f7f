"""The code of reading columns and making features: lists of columns, and a function a step."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any  # Any: sklearn transformers are untyped

from nbautoml.engine.codegen.source import (
    Call,
    Code,
    Imports,
    Noted,
    assign,
    call_of,
    comment,
    function,
    give_back,
    parameter_notes,
    render,
)
from nbautoml.engine.featurize.build import build_featurizer
from nbautoml.engine.featurize.options import ColumnPurpose, Representation
from nbautoml.engine.profile import ColumnProfile, DataProfile
from nbautoml.runtime.featurizer import Featurizer
from nbautoml.runtime.input_adapter import ColumnFormat, InputAdapter

Step = tuple[str, Any, Sequence[str]]

_NAMES = {
    ColumnPurpose.NUMERIC: "NUMERIC_COLUMNS",
    ColumnPurpose.BOOLEAN: "BOOLEAN_COLUMNS",
    ColumnPurpose.CATEGORICAL: "CATEGORICAL_COLUMNS",
    ColumnPurpose.CATEGORICAL_HASH: "CATEGORICAL_HASH_COLUMNS",
    ColumnPurpose.DATETIME: "DATETIME_COLUMNS",
    ColumnPurpose.TEXT: "TEXT_COLUMNS",
    ColumnPurpose.IGNORE: "DROPPED_COLUMNS",
}

_WHAT = {
    Representation.TREE: "Features for trees: missing numbers stay missing, categories are codes.",
    Representation.NATIVE: "Features for trees; the model is told which are codes of categories.",
    Representation.LINEAR: "Features for models that need numbers in all cells: missing ones are "
    "filled, categories have a column each.",
    Representation.TARGET_ENCODED: "Features for trees, and the mean label of each category.",
    Representation.CROSSED: "Features for trees, the mean label of each category, and pairs of "
    "columns.",
}


@dataclass(frozen=True, slots=True)
class ColumnList:
    """A named list of columns that are read in the same way."""

    name: str
    kind: str
    purpose: ColumnPurpose
    columns: tuple[ColumnProfile, ...]

    @property
    def column_names(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]


def column_lists(profile: DataProfile) -> list[ColumnList]:
    """Return the columns of a profile, grouped by type; groups and columns keep their order."""
    found = []
    for purpose, name in _NAMES.items():
        columns = profile.of_purpose(purpose)
        kinds = list(dict.fromkeys(column.form.kind for column in columns))
        for place, kind in enumerate(kinds):
            same = tuple(column for column in columns if column.form.kind == kind)
            own = name if not place else f"{name}_{place + 1}"
            found.append(ColumnList(own, kind, purpose, same))
    return found


def write_columns(profile: DataProfile) -> str:
    """Return the constants that list columns, with why each is what it is."""
    blocks = [_write_list(columns) for columns in column_lists(profile)]
    formats = _others(profile, "date_format")
    decimals = _others(profile, "decimal")
    if formats:
        blocks.append(assign("DATE_FORMATS", formats))
    if decimals:
        blocks.append(assign("DECIMAL_SIGNS", decimals))
    return "\n".join(blocks)


def _write_list(columns: ColumnList) -> str:
    reasons = [" ".join((column.reason, *column.notes)) for column in columns.columns]
    if len(set(reasons)) == 1:
        return f"{comment(reasons[0])}\n{assign(columns.name, columns.column_names)}"
    names = [
        Noted(name, reason) for name, reason in zip(columns.column_names, reasons, strict=True)
    ]
    return assign(columns.name, names)


def _others(profile: DataProfile, field: str) -> dict[str, str]:
    """Return a field of the used columns' formats where it is not the usual one."""
    usual = getattr(ColumnFormat(name="", kind=""), field)
    return {
        column.name: value
        for column in profile.used
        if (value := getattr(column.form, field)) != usual
    }


def write_input(profile: DataProfile, imports: Imports) -> str:
    """Return the function that makes the step which reads raw cells."""
    imports.add_class(InputAdapter)
    imports.add_class(ColumnFormat)
    lists = [_formats(columns, profile) for columns in column_lists(profile)]
    return function(
        "generate_input_config",
        (),
        "Return the step that reads raw cells as numbers, categories, dates and texts.",
        [
            assign("columns", [Code(f"*{text}") for text in lists], indent=4),
            "    return InputAdapter(columns)",
        ],
    )


def _formats(columns: ColumnList, profile: DataProfile) -> str:
    arguments: list[tuple[str, Any]] = [("name", Code("name")), ("kind", columns.kind)]
    if columns.purpose is not ColumnPurpose.IGNORE:
        arguments.append(("purpose", columns.purpose.value))
    names = set(columns.column_names)
    for field, constant, usual in (
        ("date_format", "DATE_FORMATS", "mixed"),
        ("decimal", "DECIMAL_SIGNS", "."),
    ):
        if names & set(_others(profile, field)):
            arguments.append((field, Code(f'{constant}.get(name, "{usual}")')))
    call = Call("ColumnFormat", tuple(arguments))
    flat = f"({render(call, indent=-999)} for name in {columns.name})"
    if len(flat) + len("        *,") <= 88:
        return flat
    inner = render(call, indent=12)
    return f"(\n            {inner}\n            for name in {columns.name}\n        )"


class FeatureCode:
    """Writes the functions that make the features of some representations.

    Parameters
    ----------
    profile : DataProfile
        What the columns are.
    imports : Imports
        Takes what the functions need.
    """

    def __init__(self, profile: DataProfile, imports: Imports) -> None:
        self._profile = profile
        self._imports = imports
        self._mappers: dict[str, tuple[str, bool]] = {}
        self._sources: list[str] = []

    @property
    def mappers(self) -> str:
        """Source of the functions that make single steps."""
        return "\n\n\n".join(self._sources)

    def write(self, representation: Representation, name: str) -> str:
        """Return the function that puts the steps of a representation together.

        Parameters
        ----------
        representation : Representation
            Which features.
        name : str
            Name of the function.
        """
        featurizer = build_featurizer(self._profile, representation)
        self._imports.add_class(Featurizer)
        steps: list[Any] = [self._step(step, featurizer.steps) for step in featurizer.steps]
        call = Call("Featurizer", (("", steps), ("is_dense", featurizer.is_dense)))
        doc = _WHAT.get(representation, f"Return the features of kind {representation.value!r}.")
        return function(name, (), doc, [give_back(call)])

    def _step(self, step: Step, steps: Sequence[Step]) -> Call:
        """Return the call of a step's mapper, whose function is written when it is new."""
        name, transformer, columns = step
        key = _key(transformer)
        if key not in self._mappers:
            is_shared = sum(_key(other) == key for _, other, _ in steps) > 1
            self._mappers[key] = self._write_mapper(name, transformer, is_shared=is_shared)
        mapper, is_shared = self._mappers[key]
        named = (("", name),) if is_shared else ()
        return Call(mapper, (*named, ("", self._columns(columns))))

    def _write_mapper(self, name: str, transformer: Any, *, is_shared: bool) -> tuple[str, bool]:
        own = f"get_mapper_{_identifier(name)}"
        taken = {mapper for mapper, _ in self._mappers.values()}
        mapper, place = own, 2
        while mapper in taken:
            mapper, place = f"{own}_{place}", place + 1
        arguments = ["name", "column_names"] if is_shared else ["column_names"]
        step = Code("name") if is_shared else name
        notes = parameter_notes(type(transformer))
        call = call_of(transformer, self._imports, notes=notes, shown=None)
        body = [give_back((step, call, Code("column_names")))]
        self._sources.append(function(mapper, arguments, _first_line(transformer), body))
        return mapper, is_shared

    def _columns(self, columns: Sequence[str]) -> Any:
        """Return the constants that hold these columns, or the columns where none do."""
        lists = [found for found in column_lists(self._profile) if found.kind != "drop"]
        for first in lists:
            if first.column_names == list(columns):
                return Code(first.name)
            for second in lists:
                if first.column_names + second.column_names == list(columns):
                    return Code(f"{first.name} + {second.name}")
        return list(columns)


def may_be_sparse(profile: DataProfile, representation: Representation) -> bool:
    """Whether the features of a representation can come as a sparse matrix."""
    featurizer = build_featurizer(profile, representation)
    has_sparse = any(getattr(step, "is_sparse", False) for _, step, _ in featurizer.steps)
    return has_sparse and not featurizer.is_dense


def _key(transformer: Any) -> str:
    return f"{type(transformer).__name__} {sorted(transformer.get_params(deep=False).items())}"


def _identifier(name: str) -> str:
    """Return a name as a part of a Python name.

    Examples
    --------
    >>> _identifier("many_categories_zip code")
    'many_categories_zip_code'
    """
    return re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_") or "columns"


def _first_line(transformer: Any) -> str:
    return (inspect.getdoc(type(transformer)) or type(transformer).__name__).splitlines()[0]


def unique_representations(found: Iterable[Representation]) -> list[Representation]:
    """Return representations without those that give the same features as an earlier one."""
    return list(dict.fromkeys(representation.matrix for representation in found))
