"""How an option is declared: once, with its type, constraint, unit and sentence of help.

A set of options is a mapping of name to `Option`. `validate` turns what a user wrote into
checked values; help, docs, completion, the magic's YAML body and the form are made from the
same declaration.
"""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeGuard  # Any: values of options

from nbautoml.errors import ConfigError, NotAvailableError, did_you_mean


class Constraint(Protocol):
    """Which values an option takes."""

    def accept(self, value: Any) -> Any:
        """Return the value in its canonical form.

        Raises
        ------
        ValueError
            When it is not one of the accepted values; the first argument says what was
            expected, a second one may add a hint.
        """

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words, in any case, or a value that `also` accepts."""

    words: tuple[str, ...]
    also: Constraint | None = None

    def accept(self, value: Any) -> Any:
        """Return the word as it is spelled in the declaration."""
        if isinstance(value, str):
            for word in self.words:
                if value.lower() == word.lower():
                    return word
        if isinstance(value, str) and (hint := did_you_mean(value, self.words)):
            raise ValueError(str(self), hint)
        if self.also is None:
            raise ValueError(str(self))
        try:
            return self.also.accept(value)
        except ValueError:
            raise ValueError(str(self)) from None

    def __str__(self) -> str:
        words = f"one of {list(self.words)}"
        return f"{words} or {self.also}" if self.also is not None else words


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of at least `low` (and at most `high`, where given)."""

    low: int | None = None
    high: int | None = None

    def accept(self, value: Any) -> int:
        """Return the value as an ``int``."""
        if not _is_number(value) or not math.isfinite(value) or value != int(value):
            raise ValueError(str(self))
        if not _within(value, self.low, self.high):
            raise ValueError(str(self))
        return int(value)

    def __str__(self) -> str:
        return "a whole number" + _bounds(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number, within bounds where given."""

    low: float | None = None
    high: float | None = None
    is_low_open: bool = False

    def accept(self, value: Any) -> float:
        """Return the value as a ``float``."""
        if not _is_number(value) or not math.isfinite(value):
            raise ValueError(str(self))
        if not _within(value, self.low, self.high):
            raise ValueError(str(self))
        if self.is_low_open and value == self.low:
            raise ValueError(str(self))
        return float(value)

    def __str__(self) -> str:
        return "a number" + _bounds(self.low, self.high, self.is_low_open)


@dataclass(frozen=True, slots=True)
class Flag:
    """True or False."""

    def accept(self, value: Any) -> bool:
        """Return the value."""
        if not isinstance(value, bool):
            raise ValueError(str(self))
        return value

    def __str__(self) -> str:
        return "True or False"


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not empty."""

    def accept(self, value: Any) -> str:
        """Return the text."""
        if not isinstance(value, str) or not value:
            raise ValueError(str(self))
        return value

    def __str__(self) -> str:
        return "a text"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values that each fulfil `item`; a single value stands for a list of one."""

    item: Constraint

    def accept(self, value: Any) -> list[Any]:
        """Return a new list of canonical values."""
        values = list(value) if isinstance(value, (list, tuple, set)) else [value]
        return [self.item.accept(v) for v in values]

    def __str__(self) -> str:
        return f"a list of: {self.item}"


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value; `what` says what is meant, the reader of the option checks it."""

    what: str

    def accept(self, value: Any) -> Any:
        """Return the value."""
        return value

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option.

    Parameters
    ----------
    name : str
        The keyword.
    constraint : Constraint
        Which values it takes; None is always "not given".
    doc : str
        One sentence of help.
    default : object, default None
        The value when it is not given.
    unit : str, default ""
        Unit of the value, such as ``"minutes"``.
    group : str, default ""
        Heading under which help and docs show it.
    old_names : tuple of str
        Spellings of earlier SDKs; accepted with one warning.
    not_yet : str, default ""
        When its function does not exist yet: what to do instead. A value other than the
        default is then refused with it.
    no_effect : str, default ""
        When it is accepted but changes nothing here: why. Given values are warned about once.
    """

    name: str
    constraint: Constraint
    doc: str
    default: Any = None
    unit: str = ""
    group: str = ""
    old_names: tuple[str, ...] = ()
    not_yet: str = ""
    no_effect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """Checked values of all options, and which of them the user gave."""

    values: Mapping[str, Any]
    given: frozenset[str] = field(default_factory=frozenset)


def validate(
    given: Mapping[str, Any], options: Mapping[str, Option], *, of: str, warn: Callable[[str], None]
) -> Validated:
    """Check what a user wrote against a set of options.

    Parameters
    ----------
    given : mapping
        What the user wrote, in new or old spelling.
    options : mapping of str to Option
        The declaration.
    of : str
        Whose options they are, for messages (``"AutoMLConfig"``).
    warn : callable
        Takes one sentence for each old spelling and each option without effect.

    Returns
    -------
    Validated
        A value for every option.

    Raises
    ------
    ConfigError
        For an unknown name, a wrong value, or the same option in two spellings.
    NotAvailableError
        For an option whose function does not exist yet.
    """
    named = _rename(given, options, of=of, warn=warn)
    values = {name: option.default for name, option in options.items()}
    for name, value in named.items():
        if value is not None:
            values[name] = _check(options[name], value, of=of, warn=warn)
    return Validated(values=values, given=frozenset(n for n, v in named.items() if v is not None))


def _rename(
    given: Mapping[str, Any], options: Mapping[str, Option], *, of: str, warn: Callable[[str], None]
) -> dict[str, Any]:
    old = {spelling: option for option in options.values() for spelling in option.old_names}
    named: dict[str, Any] = {}
    for key, value in given.items():
        option = options.get(key) or old.get(key)
        if option is None:
            hint = did_you_mean(key, [*options, *old])
            raise ConfigError(f"{of} has no setting {key!r}.{hint}")
        if option.name in named and named[option.name] is not None and value is not None:
            raise ConfigError(f"{of} got {option.name} twice, once as {key!r}; give it once.")
        if key != option.name and value is not None:
            warn(f"{key} of {of} is an old name; write {option.name}.")
        named[option.name] = value if value is not None else named.get(option.name)
    return named


def _check(option: Option, value: Any, *, of: str, warn: Callable[[str], None]) -> Any:
    try:
        accepted = option.constraint.accept(value)
    except ConfigError:
        raise
    except ValueError as error:
        expected, *hint = error.args
        raise ConfigError(
            f"{option.name} of {of} must be {expected}; got {shorten(value)}.{''.join(hint)}"
        ) from None
    is_default = _equals(accepted, option.default)
    if option.not_yet and not is_default:
        raise NotAvailableError(f"{option.name} of {of} is not available yet. {option.not_yet}")
    if option.no_effect and not is_default:
        warn(f"{option.name} of {of} has no effect here: {option.no_effect}")
    return accepted


def first_named(message: str, names: Iterable[str]) -> str | None:
    """Return the option that a message speaks of first, or None.

    Examples
    --------
    >>> first_named("task of AutoMLConfig must fit primary_metric.", ["primary_metric", "task"])
    'task'
    """
    found = [(m.start(), n) for n in names if (m := re.search(rf"\b{re.escape(n)}\b", message))]
    return min(found)[1] if found else None


def shorten(value: object, limit: int = 80) -> str:
    """Return the value as a message shows it: its repr on one line, cut at `limit`.

    Examples
    --------
    >>> shorten("a" * 100, limit=10)
    "'aaaaaa..."
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number of Python or NumPy; True and False are none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _equals(value: object, default: object) -> bool:
    """Whether they are equal; values of other types, such as frames, never are."""
    return value is default or (type(value) is type(default) and bool(value == default))


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _bounds(low: float | None, high: float | None, is_low_open: bool = False) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" above {low}" if is_low_open else f" of at least {low}"
    return "" if high is None else f" of at most {high}"
