"""Python source from values, calls and functions, laid out as ``ruff format`` leaves it."""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any  # Any: values of parameters, estimators

import numpy as np

WIDTH = 88
"""Longest line, the default of ``ruff`` and ``black``."""
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Code:
    """An expression, as it is to stand in the source."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function.

    Parameters
    ----------
    function : str
        Its name.
    arguments : tuple of (str, object)
        Name, or ``""`` for a positional one, and value.
    notes : mapping of str to str
        Comments beside arguments, by name; a call with notes has a line for each argument.
    """

    function: str
    arguments: tuple[tuple[str, Any], ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with a comment behind it, as an item of a list."""

    value: Any
    note: str


class Imports:
    """Names that a script imports.

    Examples
    --------
    >>> imports = Imports()
    >>> imports.add("numpy", alias="np")
    >>> imports.add("math")
    >>> imports.add("sklearn.svm", "SVC")
    >>> print(imports.render())
    import math
    <BLANKLINE>
    import numpy as np
    from sklearn.svm import SVC
    """

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}

    def add(self, module: str, *names: str, alias: str = "") -> None:
        """Import a module, or names of it."""
        if names:
            self._names.setdefault(module, set()).update(names)
        else:
            self._modules[module] = alias

    def add_class(self, kind: type) -> str:
        """Import a class from where its package shows it; return its name."""
        self.add(public_module(kind), kind.__name__)
        return kind.__name__

    def render(self) -> str:
        """Return the import lines: the standard library, then the rest."""
        from_standard = [self._lines(is_standard=True), self._lines(is_standard=False)]
        return "\n\n".join("\n".join(lines) for lines in from_standard if lines)

    def _lines(self, *, is_standard: bool) -> list[str]:
        plain = [
            f"import {module} as {alias}" if alias else f"import {module}"
            for module, alias in sorted(self._modules.items())
            if _is_standard(module) is is_standard
        ]
        names = [
            _import_line(module, sorted(found, key=_by_kind))
            for module, found in sorted(self._names.items())
            if _is_standard(module) is is_standard
        ]
        return plain + names


def public_module(kind: type) -> str:
    """Return the shortest module path under which a class can be imported.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> SVC.__module__, public_module(SVC)
    ('sklearn.svm._classes', 'sklearn.svm')
    """
    parts = kind.__module__.split(".")
    for length in range(1, len(parts)):
        path = ".".join(parts[:length])
        if getattr(importlib.import_module(path), kind.__name__, None) is kind:
            return path
    return kind.__module__


def render(value: Any, *, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """Return the source of a value, over several lines where one is too short.

    Parameters
    ----------
    value : object
        A plain value, a `Code`, a `Call`, or a list, tuple or dict of such.
    indent : int
        Spaces before the lines that follow the first.
    before, after : int
        Characters on the first line before, and on the last line behind it.

    Examples
    --------
    >>> render(Call("SVC", (("C", 1.0), ("kernel", "rbf"))))
    'SVC(C=1.0, kernel="rbf")'
    """
    flat = None if _has_notes(value) else _flat(value)
    if flat is not None and indent + before + len(flat) + after <= WIDTH:
        return flat
    return _exploded(value, indent) or flat or ""


def assign(name: str, value: Any, *, indent: int = 0) -> str:
    """Return the line that gives a name to a value."""
    start = f"{' ' * indent}{name} = "
    return start + render(value, indent=indent, before=len(start) - indent)


def give_back(value: Any) -> str:
    """Return the last line of a function."""
    return "    return " + render(value, indent=_INDENT, before=len("return "))


def comment(text: str, *, indent: int = 0) -> str:
    """Return a comment of as many lines as it needs; nothing for no text."""
    start = " " * indent + "# "
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - len(start))
    return "\n".join(start + line for line in lines)


def function(name: str, arguments: Sequence[str], doc: str, body: Iterable[str]) -> str:
    """Return the source of a function.

    Parameters
    ----------
    name : str
        Its name.
    arguments : sequence of str
        Arguments as they stand in the source, such as ``"weight=None"``.
    doc : str
        What it does: a sentence, and lines that explain it.
    body : iterable of str
        Lines, with their indent.
    """
    call = Call(name, tuple(("", Code(argument)) for argument in arguments))
    head = "def " + render(call, before=len("def "), after=1) + ":"
    return "\n".join([head, docstring(doc), *(line for line in body if line)])


def docstring(text: str, *, indent: int = _INDENT) -> str:
    """Return a docstring; the first sentence has a line of its own."""
    margin = " " * indent
    text = text.strip().replace("\\", "\\\\").replace('"""', "'''")
    if "\n" not in text and indent + len(text) + 6 <= WIDTH and not text.endswith('"'):
        return f'{margin}"""{text}"""'
    if "\n" not in text:
        text = text.replace(". ", ".\n", 1)
    first, *others = text.split("\n")
    lines = textwrap.wrap(first, WIDTH - indent - 6)
    lines = [f'"""{lines[0]}', *lines[1:]]
    for paragraph in others:
        lines += ["", *textwrap.wrap(paragraph, WIDTH - indent)]
    return "\n".join((margin + line).rstrip() for line in [*lines, '"""'])


def call_of(
    estimator: Any,
    imports: Imports,
    *,
    changes: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | None = None,
    shown: Iterable[str] | None = (),
) -> Call:
    """Return the call that makes an estimator.

    Parameters
    ----------
    estimator : estimator
        With ``get_params``.
    imports : Imports
        Takes what the call needs.
    changes : mapping, optional
        Values in place of the estimator's own, by name.
    notes : mapping of str to str, optional
        Comments by parameter.
    shown : iterable of str or None
        Parameters to show though they are at their default; None for all.
    """
    kind = type(estimator)
    changes, notes = changes or {}, notes or {}
    values = estimator.get_params(deep=False)
    usual = _defaults_of(kind)
    always = set(values if shown is None else shown) | set(changes)
    written = [
        name
        for name in _in_order(kind, values)
        if name in always or not _is_same(values[name], usual.get(name))
    ]
    arguments = [(name, changes.get(name, _nested(values[name], imports))) for name in written]
    arguments += [(name, value) for name, value in changes.items() if name not in values]
    beside = {name: notes[name] for name, _ in arguments if name in notes}
    return Call(imports.add_class(kind), tuple(arguments), beside)


def parameter_notes(kind: type) -> dict[str, str]:
    """Return the first sentence that a class's docstring says of each parameter.

    Examples
    --------
    >>> from nbautoml.runtime.crosses import PairArithmetic
    >>> parameter_notes(PairArithmetic)
    {'crossed': 'Pairs among this many columns are made'}
    """
    _, _, rest = (inspect.getdoc(kind) or "").partition("Parameters\n----------\n")
    section = re.split(r"\n\n\w+\n-+\n", rest, maxsplit=1)[0]
    notes: dict[str, str] = {}
    for entry in re.finditer(
        r"^(\w[\w, ]*) : .*\n((?:[ ]{4}.*\n?)+)", section + "\n", re.MULTILINE
    ):
        sentence = " ".join(entry[2].split()).partition(". ")[0].rstrip(".")
        notes |= dict.fromkeys(entry[1].split(", "), sentence)
    return notes


def _nested(value: Any, imports: Imports) -> Any:
    return call_of(value, imports) if hasattr(value, "get_params") else value


def _defaults_of(kind: type) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    if any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters):
        return {p.name: p.default for p in parameters}
    defaults: dict[str, Any] = kind().get_params(deep=False)
    return defaults


def _in_order(kind: type, values: Mapping[str, Any]) -> list[str]:
    """Return parameters in the order of the signature, others behind."""
    named = [name for name in inspect.signature(kind).parameters if name in values]
    return named + [name for name in values if name not in named]


def _is_same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other or value is other)


def _has_notes(value: Any) -> bool:
    if isinstance(value, Noted):
        return True
    if isinstance(value, Call):
        return bool(value.notes) or any(_has_notes(v) for _, v in value.arguments)
    if isinstance(value, Mapping):
        return any(_has_notes(v) for v in value.values())
    return isinstance(value, (list, tuple)) and any(_has_notes(v) for v in value)


def _flat(value: Any) -> str:
    if isinstance(value, Code):
        return value.text
    if isinstance(value, Call):
        inner = ", ".join(_named(name) + _flat(v) for name, v in value.arguments)
        return f"{value.function}({inner})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flat(k)}: {_flat(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_flat, value)) + ("," if len(value) == 1 else "") + ")"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float) and value - value != 0:
        return f'float("{value}")'
    return repr(value)


def _quoted(text: str) -> str:
    """Return a string in double quotes, as formatters write it unless that needs more escapes."""
    inner = "".join(sign if sign in "'\"" else repr(sign)[1:-1] for sign in text)
    if inner.count('"') > inner.count("'"):
        return "'" + inner.replace("'", "\\'") + "'"
    return '"' + inner.replace('"', '\\"') + '"'


def _exploded(value: Any, indent: int) -> str:
    """Return a line for each item; nothing for what has no items."""
    inner = indent + _INDENT
    if isinstance(value, Call) and value.arguments:
        lines = [
            _item(v, inner, before=_named(name), note=value.notes.get(name, ""))
            for name, v in value.arguments
        ]
        return _block(f"{value.function}(", lines, ")", indent)
    if isinstance(value, Mapping) and value:
        lines = [_item(v, inner, before=f"{_flat(k)}: ") for k, v in value.items()]
        return _block("{", lines, "}", indent)
    if isinstance(value, (list, tuple)) and value:
        ends = "[]" if isinstance(value, list) else "()"
        lines = [
            _item(v.value, inner, note=v.note) if isinstance(v, Noted) else _item(v, inner)
            for v in value
        ]
        return _block(ends[0], lines, ends[1], indent)
    return ""


def _item(value: Any, indent: int, *, before: str = "", note: str = "") -> str:
    source = render(value, indent=indent, before=len(before), after=1)
    line = f"{' ' * indent}{before}{source},"
    if not note:
        return line
    if len(line.rpartition("\n")[2]) + len(note) + 4 <= WIDTH:
        return f"{line}  # {note}"
    return comment(note, indent=indent) + "\n" + line


def _block(start: str, lines: list[str], end: str, indent: int) -> str:
    return "\n".join([start, *lines, " " * indent + end])


def _named(name: str) -> str:
    return f"{name}=" if name else ""


def _import_line(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"    {name},\n" for name in names)
    return f"from {module} import (\n{inner})"


def _by_kind(name: str) -> tuple[int, str]:
    """Sort as import sorters do: constants, classes, functions."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in {
        "argparse",
        "math",
        "operator",
        "pathlib",
        "warnings",
    }
