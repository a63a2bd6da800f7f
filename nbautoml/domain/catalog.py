"""Plug-in points: a name leads to an object that is imported when it is first asked for.

Built-ins are listed as ``"module:attribute"`` strings, so that listing names costs no import;
other packages add theirs through an entry-point group.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

from nbautoml.errors import ConfigError, did_you_mean

T = TypeVar("T")


class Catalog(Generic[T]):
    """Named objects of one kind, loaded on demand.

    Parameters
    ----------
    noun : str
        What an entry is called in messages, such as ``"model"``.
    builtins : mapping of str to str
        Name to ``"module:attribute"``.
    group : str
        Entry-point group that adds to them.
    needs : mapping of str to str, optional
        Name of a built-in to the module without which it is left out.

    Examples
    --------
    >>> Catalog("thing", {"sep": "os:sep"}, "nbautoml.things").get("sep")
    '/'
    """

    def __init__(
        self,
        noun: str,
        builtins: Mapping[str, str],
        group: str,
        needs: Mapping[str, str] | None = None,
    ) -> None:
        self._noun = noun
        self._group = group
        self._needs = dict(needs or {})
        self._paths = dict(builtins)
        self._found_plugins = False
        self._loaded: dict[str, T] = {}

    def names(self) -> tuple[str, ...]:
        """Return all names, built-ins first."""
        self._find_plugins()
        return tuple(self._paths)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def get(self, name: str) -> T:
        """Return the object of that name, importing it the first time.

        A name with a colon is taken as a ``"module:attribute"`` path of its own: it reaches
        what no catalog lists.

        Raises
        ------
        ConfigError
            When nothing has that name.
        """
        self._find_plugins()
        if name not in self._paths and ":" not in name:
            hint = did_you_mean(name, self._paths)
            raise ConfigError(
                f"No {self._noun} is called {name!r}.{hint} There are: {', '.join(self._paths)}."
            )
        if name not in self._loaded:
            module, _, attribute = self._paths.get(name, name).partition(":")
            self._loaded[name] = cast(T, getattr(importlib.import_module(module), attribute))
        return self._loaded[name]

    def _find_plugins(self) -> None:
        if self._found_plugins:
            return
        self._found_plugins = True
        for name, module in self._needs.items():
            if importlib.util.find_spec(module) is None:
                self._paths.pop(name, None)
        for point in entry_points(group=self._group):
            self._paths.setdefault(point.name, point.value)
