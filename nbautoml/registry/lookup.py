"""Finding registered models by what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any  # Any: tags as the SDK writes them

from nbautoml.domain.records import ModelRecord
from nbautoml.domain.run_inputs import input_datasets
from nbautoml.domain.status import ModelStage
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.store.session import Reader, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a version has to be like; what is None or empty does not count."""

    name: str | None = None
    version: int | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, str | None] = field(default_factory=dict)
    run_id: str | None = None
    framework: str | None = None
    alias: str | None = None
    stage: ModelStage | None = None
    dataset_id: str | None = None

    def with_id(self, model_id: str | None) -> Wanted:
        """Return the same for the name and the version of an id such as ``churn:3``.

        Raises
        ------
        ConfigError
            When it is no such id.

        Examples
        --------
        >>> wanted = Wanted().with_id("churn:3")
        >>> wanted.name, wanted.version
        ('churn', 3)
        """
        if model_id is None:
            return self
        name, _, number = str(model_id).rpartition(":")
        return replace(self, name=name, version=version_number(number, of=model_id))

    @property
    def is_by_name(self) -> bool:
        """Whether name and version say it all."""
        return self == Wanted(name=self.name, version=self.version) and self.name is not None

    def select(self, tx: Reader, *, latest: bool = False) -> list[ModelRecord]:
        """Return the versions that fit, newest first.

        Parameters
        ----------
        tx : Reader
            A transaction.
        latest : bool, default False
            Only the newest of each name, among those that fit.
        """
        records = tx.models.list(
            name=self.name, tags=self.tags, properties=self.properties, run_id=self.run_id
        )
        found = [record for record in records if self._fits(tx, record)]
        if not latest:
            return found
        newest: dict[str, int] = {}
        for record in found:
            newest[record.name] = max(record.version, newest.get(record.name, 0))
        return [record for record in found if record.version == newest[record.name]]

    def _fits(self, tx: Reader, record: ModelRecord) -> bool:
        return (
            self.version in (None, record.version)
            and self.framework in (None, record.framework)
            and self.stage in (None, record.stage)
            and (self.alias is None or self.alias in record.aliases)
            and (self.dataset_id is None or _has_learned(tx, record, self.dataset_id))
        )

    def describe(self) -> str:
        """Return what was asked for, as a message shows it."""
        asked = {
            "name": self.name,
            "version": self.version,
            "tags": _as_given(self.tags),
            "properties": _as_given(self.properties),
            "run_id": self.run_id,
            "model_framework": self.framework,
            "alias": self.alias,
            "stage": None if self.stage is None else self.stage.value,
        }
        return ", ".join(f"{k}={v!r}" for k, v in asked.items() if v not in (None, {}, []))


def find_model(session: Session, wanted: Wanted) -> ModelRecord:
    """Return the newest version that fits.

    Raises
    ------
    ConfigError
        When an alias is given without a name.
    NotFoundError
        When there is none; the message says what there is.
    """
    if wanted.alias is not None and wanted.name is None:
        raise ConfigError(
            "An alias belongs to one model; give its name, too: "
            f"Model(ws, name, alias={wanted.alias!r})."
        )
    with session.read() as tx:
        if wanted.is_by_name:
            return tx.models.get(str(wanted.name), wanted.version)
        if wanted.alias is not None:
            tx.models.find_alias(str(wanted.name), wanted.alias)
        fitting = wanted.select(tx)
        known = sorted({record.name for record in tx.models.list()})
    if not fitting:
        raise NotFoundError(
            f"No model fits {wanted.describe() or 'nothing'}. "
            f"There are: {', '.join(known) or 'none yet'}."
        )
    return max(fitting, key=lambda record: (record.created_at, record.version))


def version_number(text: str, *, of: str) -> int:
    """Return the version in an id such as ``churn:3``, or raise `ConfigError`."""
    try:
        return int(text)
    except ValueError:
        raise ConfigError(
            f"id of Model must be 'name:version', such as 'churn:3'; got {of!r}."
        ) from None


def tag_filter(tags: Sequence[Any] | Mapping[str, str] | None) -> dict[str, str | None]:
    """Return name and value of each tag that must be there; None stands for any value."""
    if isinstance(tags, Mapping):
        return {str(k): str(v) for k, v in tags.items()}
    if isinstance(tags, str):
        return {tags: None}
    pairs = [(t, None) if isinstance(t, str) else (t[0], str(t[1])) for t in tags or ()]
    return dict(pairs)


def _as_given(words: Mapping[str, str | None]) -> list[Any]:
    return [name if value is None else [name, value] for name, value in words.items()]


def _has_learned(tx: Reader, record: ModelRecord, dataset_id: str) -> bool:
    """Whether a model says that it is made with a dataset, or the run that made it took it in."""
    if dataset_id in (used for _, used in record.datasets):
        return True
    run_id = record.run_id
    while run_id and tx.runs.exists(run_id):
        run = tx.runs.get(run_id)
        if dataset_id in (used for _, used in input_datasets(run.settings)):
            return True
        run_id = run.parent_id
    return False
