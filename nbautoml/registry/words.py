"""What people say of a registered model, and how they change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any  # Any: datasets, whose class is not known here

from nbautoml.errors import ConflictError
from nbautoml.registry.facts import ModelFacts
from nbautoml.registry.registration import (
    as_text,
    check_alias,
    check_stage,
    dataset_ids,
    sample_ids,
)


class ModelWords(ModelFacts):
    """Tags, properties, stage and aliases of one version of a model, to be changed."""

    def add_tags(self, tags: Mapping[str, str]) -> None:
        """Add tags, or change those of the same name."""
        self._change(tags=as_text(tags))

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Take tags away by name; names that are not there are left out."""
        self._change(remove_tags=(tags,) if isinstance(tags, str) else tuple(tags))

    def add_properties(self, properties: Mapping[str, str]) -> None:
        """Add properties; those that it has stay as they are.

        Raises
        ------
        ConflictError
            When it has one of them with another value.
        """
        self.update_tags_properties(add_properties=properties)

    def update_tags_properties(
        self,
        add_tags: Mapping[str, str] | None = None,
        remove_tags: Iterable[str] | None = None,
        add_properties: Mapping[str, str] | None = None,
    ) -> None:
        """Add tags and properties and take tags away, all in one step.

        Raises
        ------
        ConflictError
            When it has one of the properties with another value.
        """
        wanted = as_text(add_properties)
        with self._session.write() as tx:
            has = tx.models.get(self.name, self.version).properties
            other = next((k for k, v in wanted.items() if has.get(k, v) != v), None)
            if other is not None:
                raise ConflictError(
                    f"The property {other!r} of {self.id} is {has[other]!r}, and properties "
                    "cannot be changed. Use a tag for what changes: add_tags."
                )
            self._record = tx.models.update(
                self.name,
                self.version,
                tags=as_text(add_tags),
                remove_tags=(remove_tags,) if isinstance(remove_tags, str) else remove_tags or (),
                properties=wanted,
            )

    def add_dataset_references(self, datasets: Sequence[tuple[str, Any]]) -> None:
        """Note datasets that it was made with, beside those that are noted.

        Raises
        ------
        ConfigError
            When a dataset is not kept in the workspace.
        """
        self._change(datasets=dataset_ids(datasets))

    def update(
        self,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        **_azure: Any,
    ) -> None:
        """Replace the tags, the description or the sample datasets; what is None stays.

        Raises
        ------
        NotFoundError
            When the model has been deleted.
        """
        samples = sample_ids({"input": sample_input_dataset, "output": sample_output_dataset})
        with self._session.write() as tx:
            has = tx.models.get(self.name, self.version).tags
            wanted = dict(has) if tags is None else as_text(tags)
            self._record = tx.models.update(
                self.name,
                self.version,
                description=description,
                tags=wanted,
                remove_tags=set(has) - set(wanted),
                samples=samples,
            )

    def set_stage(self, stage: str) -> None:
        """Say how far it has come; one version of a name at most is in production.

        Parameters
        ----------
        stage : {"None", "Staging", "Production", "Archived"}
            The stage. The version that was in production before this one is archived with the
            same step.

        Raises
        ------
        ConfigError
            When there is no such stage.
        """
        wanted = check_stage(stage)
        with self._session.write() as tx:
            self._record = tx.models.set_stage(self.name, self.version, wanted)

    def set_alias(self, alias: str) -> None:
        """Let a name of your choice stand for this version: ``Model(ws, name, alias=...)``.

        An alias stands for one version of a model at a time; from another version it is taken
        away. A deployment keeps the version that it was made with.

        Raises
        ------
        ConfigError
            When it cannot be an alias.
        """
        wanted = check_alias(alias)
        with self._session.write() as tx:
            self._record = tx.models.set_alias(self.name, self.version, wanted)

    def remove_alias(self, alias: str) -> None:
        """Take an alias away; one that it does not have is no error."""
        with self._session.write() as tx:
            self._record = tx.models.remove_alias(self.name, self.version, alias)

    def refresh(self) -> None:
        """Read its tags, stage and aliases again.

        Raises
        ------
        NotFoundError
            When it has been deleted.
        """
        with self._session.read() as tx:
            self._record = tx.models.get(self.name, self.version)

    def delete(self) -> None:
        """Remove this version from the workspace; its number is not used again.

        Raises
        ------
        ConflictError
            When a deployment serves it.
        """
        with self._session.write() as tx:
            tx.models.delete(self.name, self.version)

    def _change(self, **changes: Any) -> None:
        with self._session.write() as tx:
            self._record = tx.models.update(self.name, self.version, **changes)
