"""What a dataset is before anything is read: sources, reader options and steps, all JSON-safe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any  # Any: JSON values

from nbautoml.data.types import DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where content is: a path, pattern or URL in `uri`, or an artifact of the workspace.

    Parameters
    ----------
    uri : str
        Absolute path or glob pattern, ``http(s)`` URL, or another fsspec URL.
    owner, name : str
        The artifact, for content that the workspace keeps.
    """

    uri: str = ""
    owner: str = ""
    name: str = ""

    @property
    def is_artifact(self) -> bool:
        """Whether the workspace keeps the content."""
        return bool(self.owner)

    def to_dict(self) -> dict[str, str]:
        """Return the source as JSON-safe values."""
        return {"owner": self.owner, "name": self.name} if self.owner else {"uri": self.uri}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something done to the rows or columns after reading; see `nbautoml.data.steps`."""

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the step as JSON-safe values."""
        return {"kind": self.kind, "params": dict(self.params)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """How a dataset is read, now and in every other process.

    Parameters
    ----------
    reader : str
        Name in the reader catalogue, or ``"memory"`` for a frame that is held in memory.
    sources : tuple of Source
        Read in this order.
    options : mapping
        The reader's own options.
    column_types : mapping of str to DataType
        Types that win over what the reader infers.
    include_path : bool
        Add a column ``Path`` that names the file of each row.
    is_union : bool
        Files may have different columns; what one lacks is missing in its rows.
    steps : tuple of Step
        Done in this order after reading.

    Examples
    --------
    >>> d = Definition(reader="parquet", sources=(Source(uri="/data/a.parquet"),))
    >>> Definition.from_dict(d.to_dict()) == d
    True
    """

    reader: str
    sources: tuple[Source, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    column_types: Mapping[str, DataType] = field(default_factory=dict)
    include_path: bool = False
    is_union: bool = False
    steps: tuple[Step, ...] = ()

    def then(self, kind: str, **params: Any) -> Definition:
        """Return the definition with one more step."""
        return replace(self, steps=(*self.steps, Step(kind=kind, params=params)))

    def to_dict(self) -> dict[str, Any]:
        """Return the definition as JSON-safe values."""
        return {
            "reader": self.reader,
            "sources": [source.to_dict() for source in self.sources],
            "options": dict(self.options),
            "column_types": {name: t.to_dict() for name, t in self.column_types.items()},
            "include_path": self.include_path,
            "is_union": self.is_union,
            "steps": [step.to_dict() for step in self.steps],
        }

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Definition:
        """Rebuild a definition from `to_dict`; keys that it does not know are left out."""
        types: Mapping[str, Mapping[str, Any]] = values.get("column_types", {})
        return Definition(
            reader=values["reader"],
            sources=tuple(Source(**source) for source in values.get("sources", ())),
            options=dict(values.get("options", {})),
            column_types={name: DataType.from_dict(t) for name, t in types.items()},
            include_path=bool(values.get("include_path", False)),
            is_union=bool(values.get("is_union", False)),
            steps=tuple(
                Step(kind=step["kind"], params=dict(step["params"]))
                for step in values.get("steps", ())
            ),
        )
