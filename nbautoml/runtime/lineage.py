"""Which raw column each engineered feature comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any  # Any: JSON values

from nbautoml.runtime.input_adapter import ColumnFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One output of a transformer: its raw column, how it was made, and its name."""

    raw: str
    transformation: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureLineage:
    """One engineered feature in its place.

    ``feature`` is the name under which models know it: ``f0`` to ``fn``. Raw names never
    reach a model, because some libraries refuse or rewrite them.
    """

    index: int
    feature: str
    raw: str
    transformation: str
    name: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def number_features(features: Iterable[Feature]) -> tuple[FeatureLineage, ...]:
    """Give features their place and their positional name."""
    return tuple(
        FeatureLineage(
            index=index,
            feature=f"f{index}",
            raw=f.raw,
            transformation=f.transformation,
            name=f.name,
        )
        for index, f in enumerate(features)
    )


class SummaryRow(dict[str, Any]):
    """A row of the featurization summary.

    Its keys are those of the SDK's documentation, the misspelt ``Tranformations`` included;
    ``row["Transformations"]``, which later SDKs wrote, is answered too.
    """

    def __missing__(self, key: str) -> Any:
        if key == "Transformations":
            return self["Tranformations"]
        raise KeyError(key)


def featurization_summary(
    columns: Sequence[ColumnFormat], lineage: Sequence[FeatureLineage]
) -> list[SummaryRow]:
    """Return one row for each raw column, with the SDK's keys."""
    made: dict[str, list[str]] = {form.name: [] for form in columns}
    for entry in lineage:
        made[entry.raw].append(entry.transformation)
    rows = []
    for form in columns:
        names = list(dict.fromkeys(made[form.name]))
        rows.append(
            SummaryRow(
                RawFeatureName=form.name,
                TypeDetected=form.purpose,
                Dropped="No" if made[form.name] else "Yes",
                EngineeredFeatureCount=len(made[form.name]),
                Tranformations=names,
            )
        )
    return rows
