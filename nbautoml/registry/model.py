"""Registered models: named, versioned files of a workspace."""

from __future__ import annotations

import builtins
import html
import importlib
import json
import re
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Protocol  # Any: a loaded model is any object with predict

from nbautoml.domain.records import ArtifactRecord, ModelRecord
from nbautoml.errors import ConfigError, ConflictError, ModelError, NotFoundError
from nbautoml.registry.files import (
    is_from_run,
    local_files,
    only_pickle,
    path_in_service,
    place_inside,
    select_files,
)
from nbautoml.registry.lookup import find_model, tag_filter, version_number
from nbautoml.registry.trust import Versions, check_hash, load_pickle
from nbautoml.store.session import Session

# Deployments stand above this part, so that they are called by name.
_SERVING = "nbautoml.serving.deploy"
_PACKAGING = "nbautoml.serving.docker"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class HasSession(Protocol):
    """Anything that stands for an open workspace."""

    @property
    def session(self) -> Session:
        """The workspace's store."""


class Framework(StrEnum):
    """What a model was made with, in the SDK's spelling."""

    CUSTOM = "Custom"
    ONNX = "Onnx"
    SCIKITLEARN = "ScikitLearn"
    TENSORFLOW = "TensorFlow"


class Model:
    """One version of a registered model.

    Parameters
    ----------
    workspace : Workspace
        Where it is registered.
    name : str, optional
        Its name; the latest version is meant unless `version` says otherwise.
    version : int, optional
        Counts from 1 for each name.
    id : str, optional
        ``"name:version"`` in place of the two.
    tags : sequence or mapping, optional
        Only a version with these tags, as in `Model.list`.
    run_id : str, optional
        Only a version that this run made.

    Raises
    ------
    NotFoundError
        When there is no such model.

    Notes
    -----
    Objects of this class hold no files and never load a pickle until `load` is called.
    """

    Framework = Framework

    def __init__(
        self,
        workspace: HasSession,
        name: str | None = None,
        version: int | None = None,
        *,
        id: str | None = None,
        tags: Sequence[Any] | Mapping[str, str] | None = None,
        run_id: str | None = None,
    ) -> None:
        if id is not None:
            name, _, number = id.rpartition(":")
            version = version_number(number, of=id)
        self._session = workspace.session
        self._record = find_model(self._session, name, version, tags=tags, run_id=run_id)

    @classmethod
    def _of(cls, session: Session, record: ModelRecord) -> Model:
        model = cls.__new__(cls)
        model._session = session
        model._record = record
        return model

    @staticmethod
    def register(
        workspace: HasSession,
        model_path: str | Path,
        model_name: str,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str | None = None,
        *,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        datasets: Sequence[tuple[str, Any]] | None = None,
    ) -> Model:
        """Copy files into the workspace as a new version of a model.

        Parameters
        ----------
        workspace : Workspace
            Where to register it.
        model_path : str or Path
            A file or a folder on this machine. It is copied as it is and never loaded.
        model_name : str
            Letters, digits, ``.``, ``_`` and ``-``. If the name is taken, this is its next
            version.
        tags, properties : mapping of str to str, optional
            Words to find it by; properties cannot be changed later.
        description : str, optional
            A text for people.
        model_framework, model_framework_version : str, optional
            What it was made with, such as ``Model.Framework.SCIKITLEARN``.
        datasets : sequence of (str, dataset), optional
            What it was trained on; the ids are kept as properties ``dataset.<label>``.

        Returns
        -------
        Model

        Raises
        ------
        NotFoundError
            When there is nothing at `model_path`.
        """
        session = workspace.session
        record = ModelRecord(
            name=_check_name(model_name),
            version=0,
            created_at=0.0,
            description=description or "",
            framework=str(model_framework or ""),
            framework_version=str(model_framework_version or ""),
            tags=_as_text(tags),
            properties={**_as_text(properties), **_lineage(datasets)},
        )
        owner = f"upload:{uuid.uuid4()}"
        saved = [
            session.save_artifact(owner, name, path) for name, path in local_files(Path(model_path))
        ]
        return _add_version(session, record, saved)

    @staticmethod
    def list(
        workspace: HasSession,
        name: str | None = None,
        tags: Sequence[Any] | Mapping[str, str] | None = None,
        latest: bool = False,
        run_id: str | None = None,
    ) -> list[Model]:
        """Return the registered models that fit, newest first.

        Parameters
        ----------
        workspace : Workspace
            Where to look.
        name : str, optional
            Only this name.
        tags : sequence or mapping, optional
            Words that must be there: ``["area"]``, ``[["area", "hr"]]`` or ``{"area": "hr"}``.
        latest : bool, default False
            Only the latest version of each name.
        run_id : str, optional
            Only what this run made.
        """
        session = workspace.session
        with session.read() as tx:
            records = tx.models.list(name=name, tags=tag_filter(tags), run_id=run_id, latest=latest)
        return [Model._of(session, record) for record in records]

    @property
    def name(self) -> str:
        """The name."""
        return self._record.name

    @property
    def version(self) -> int:
        """Counts from 1 for each name."""
        return self._record.version

    @property
    def id(self) -> str:
        """``name:version``."""
        return self._record.id

    @property
    def tags(self) -> dict[str, str]:
        """Words to find it by (a copy)."""
        return dict(self._record.tags)

    @property
    def properties(self) -> dict[str, str]:
        """Words that were given at registration (a copy)."""
        return dict(self._record.properties)

    @property
    def description(self) -> str:
        """A text for people."""
        return self._record.description

    @property
    def run_id(self) -> str | None:
        """The run that made it; None when it came from a file."""
        return self._record.run_id

    @property
    def model_framework(self) -> str:
        """What it was made with."""
        return self._record.framework

    @property
    def model_framework_version(self) -> str:
        """Version of what it was made with."""
        return self._record.framework_version

    @property
    def created_time(self) -> datetime:
        """When it was registered (UTC)."""
        return datetime.fromtimestamp(self._record.created_at, UTC)

    def add_tags(self, tags: Mapping[str, str]) -> None:
        """Add tags, or change those of the same name."""
        with self._session.write() as tx:
            self._record = tx.models.update(self.name, self.version, tags=_as_text(tags))

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Take tags away by name; names that are not there are left out."""
        gone = (tags,) if isinstance(tags, str) else tuple(tags)
        with self._session.write() as tx:
            self._record = tx.models.update(self.name, self.version, remove_tags=gone)

    def update(self, tags: Mapping[str, str] | None = None, description: str | None = None) -> None:
        """Replace the tags, the description or both; what is None stays.

        Raises
        ------
        NotFoundError
            When the model has been deleted.
        """
        with self._session.write() as tx:
            has = tx.models.get(self.name, self.version).tags
            wanted = dict(has) if tags is None else _as_text(tags)
            self._record = tx.models.update(
                self.name,
                self.version,
                description=description,
                tags=wanted,
                remove_tags=set(has) - set(wanted),
            )

    def delete(self) -> None:
        """Remove this version from the workspace; its number is not used again.

        Raises
        ------
        ConflictError
            When a deployment serves it.
        """
        with self._session.write() as tx:
            users = tx.deployments.using(self.id)
            if users:
                raise ConflictError(
                    f"{self.id} is served by {', '.join(users)}. Delete that first: "
                    f"Webservice(ws, {users[0]!r}).delete(), or update it to another version."
                )
            tx.models.delete(self.name, self.version)

    @staticmethod
    def deploy(
        workspace: HasSession,
        name: str,
        models: Sequence[Model] = (),
        inference_config: Any = None,  # an InferenceConfig; its class stands above this part
        deployment_config: Any = None,  # of deploy_configuration, likewise
        deployment_target: object = None,
        *,
        overwrite: bool = False,
        show_output: bool = False,
        trust: bool = False,
    ) -> Any:
        """Serve models over HTTP from a process of their own; returns at once.

        Parameters
        ----------
        workspace : Workspace
            Where the deployment is listed.
        name : str
            Its name.
        models : sequence of Model
            What it serves; one of a run needs nothing else.
        inference_config : InferenceConfig, optional
            An entry script of your own with ``init()`` and ``run(data)``.
        deployment_config : optional
            Of ``AciWebservice`` or ``LocalWebservice.deploy_configuration``.
        deployment_target : object
            The SDK's argument, of no use here: services run on this machine.
        overwrite : bool, default False
            Whether a deployment of that name is replaced.
        show_output : bool, default False
            Whether to say where it listens.
        trust : bool, default False
            Whether you know where the files of a model from elsewhere come from.

        Returns
        -------
        Webservice
        """
        return importlib.import_module(_SERVING).deploy(
            workspace,
            name,
            models,
            inference_config,
            deployment_config,
            overwrite=overwrite,
            show_output=show_output,
            trust=trust,
        )

    @staticmethod
    def package(
        workspace: HasSession,
        models: Sequence[Model],
        inference_config: Any = None,  # an InferenceConfig
        *,
        trust: bool = False,
        **_azure: Any,
    ) -> Any:
        """Return what a container image needs to serve models; `save` writes it to a folder.

        Parameters
        ----------
        workspace, models, inference_config, trust
            As in `deploy`.
        **_azure
            Other arguments of the SDK: accepted, of no use here.

        Returns
        -------
        ModelPackage
        """
        module = importlib.import_module(_PACKAGING)
        return module.package(workspace, models, inference_config, trust=trust)

    @staticmethod
    def get_model_path(
        model_name: str, version: int | None = None, _workspace: object = None
    ) -> str:
        """Return where a model's files lie, inside the entry script of a deployment.

        Raises
        ------
        NotFoundError
            Outside of a deployment, or when it does not serve that model.
        """
        return path_in_service(model_name, version)

    def get_file_names(self) -> builtins.list[str]:
        """Return the names of its files, as `download` writes them."""
        return sorted(a.name for a in self._artifacts())

    def download(
        self,
        target_dir: str | Path = ".",
        exist_ok: bool = False,
        *,
        exists_ok: bool | None = None,
    ) -> str:
        """Copy its files to a folder, after checking that they are the registered ones.

        Parameters
        ----------
        target_dir : str or Path, default "."
            Made if need be.
        exist_ok : bool, default False
            Whether files that are there may be replaced.
        exists_ok : bool, optional
            An old spelling of `exist_ok`.

        Returns
        -------
        str
            Path of the file, or of the folder that was registered.

        Raises
        ------
        ConflictError
            When a file is there already.
        """
        target = Path(target_dir)
        artifacts = self._artifacts()
        paths = [place_inside(target, a.name) for a in artifacts]
        taken = next((p for p in paths if p.exists()), None)
        if taken is not None and not (exist_ok or exists_ok):
            raise ConflictError(
                f"download of {self.id}: {taken} is there already. Give another target_dir, or "
                "exist_ok=True to replace it."
            )
        for artifact, path in zip(artifacts, paths, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._verified(artifact), path)
        return str(target / PurePosixPath(artifacts[0].name).parts[0])

    def load(self, *, trust: bool = False, ignore_versions: bool = False) -> Any:
        """Return the model itself, ready to predict.

        A pickle can run any code when it is loaded. A model that a run of this workspace made
        is loaded as it is; one that was registered from a file only with ``trust=True``.

        Parameters
        ----------
        trust : bool, default False
            Whether you know where the file comes from.
        ignore_versions : bool, default False
            Whether to try even though a package has another major version here.

        Raises
        ------
        ModelError
            When it must not or cannot be loaded; the message says what to do.
        """
        artifacts = self._artifacts()
        chosen = only_pickle(artifacts, of=self.id)
        if not trust and not is_from_run(self._session, self.run_id, chosen):
            raise ModelError(
                f"{self.id} was registered from a file, and {chosen.name} is a pickle: loading it "
                "can run any code. If you know where it comes from: load(trust=True)."
            )
        versions = self._recorded_versions(chosen, artifacts)
        path = self._verified(chosen)
        return load_pickle(path, versions=versions, of=self.id, ignore_versions=ignore_versions)

    def _recorded_versions(
        self, chosen: ArtifactRecord, artifacts: Sequence[ArtifactRecord]
    ) -> Versions:
        name = str(PurePosixPath(chosen.name).with_name("manifest.json"))
        found = next((a for a in artifacts if a.name == name), None)
        if found is None:
            return {}
        manifest = json.loads(self._verified(found).read_text(encoding="utf-8"))
        return {"python": manifest["python"], **manifest["packages"]}

    def _artifacts(self) -> Sequence[ArtifactRecord]:
        with self._session.read() as tx:
            found = tx.artifacts.list(self._record.owner_id)
        if not found:
            raise NotFoundError(f"{self.id} has no files here: it was deleted. Register it again.")
        return sorted(found, key=lambda a: a.name)

    def _verified(self, artifact: ArtifactRecord) -> Path:
        path = self._session.load_artifact(artifact.owner, artifact.name)
        check_hash(path, artifact.sha256, of=self.id)
        return path

    def __repr__(self) -> str:
        return f"Model(name={self.name!r}, version={self.version}, run_id={self.run_id!r})"

    def _repr_html_(self) -> str:
        rows = {
            "version": self.version,
            "registered": f"{self.created_time:%Y-%m-%d %H:%M} UTC",
            "run": self.run_id or "none: from a file",
            "tags": ", ".join(f"{k}: {v}" for k, v in self.tags.items()),
            "description": self.description,
            "files": ", ".join(self.get_file_names()),
        }
        cells = "".join(
            f"<tr><th style='text-align:left'>{k}</th>"
            f"<td style='text-align:left'>{html.escape(str(v))}</td></tr>"
            for k, v in rows.items()
            if v != ""
        )
        return f"<table><caption>Model <b>{html.escape(self.name)}</b></caption>{cells}</table>"


def register_from_run(
    session: Session,
    *,
    run_id: str,
    model_path: str,
    model_name: str,
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
    description: str | None = None,
    model_framework: str | None = None,
    model_framework_version: str | None = None,
    datasets: Sequence[tuple[str, Any]] | None = None,
) -> Model:
    """Register files that a run has stored; nothing is copied, and nothing is loaded.

    Parameters
    ----------
    session : Session
        The open workspace.
    run_id : str
        The run that owns the files.
    model_path : str
        One of its file names, such as ``"outputs/model.pkl"``, or a folder of them, such as
        ``"outputs"``.
    model_name, tags, properties, description
        As in `Model.register`.
    model_framework, model_framework_version, datasets
        As in `Model.register`.

    Raises
    ------
    NotFoundError
        When the run has no such file; the message names what there is.
    """
    record = ModelRecord(
        name=_check_name(model_name),
        version=0,
        created_at=0.0,
        run_id=run_id,
        description=description or "",
        framework=str(model_framework or ""),
        framework_version=str(model_framework_version or ""),
        tags=_as_text(tags),
        properties={**_as_text(properties), **_lineage(datasets)},
    )
    with session.read() as tx:
        stored = tx.artifacts.list(run_id)
    return _add_version(session, record, select_files(stored, model_path, run_id=run_id))


def _add_version(session: Session, record: ModelRecord, files: Iterable[ArtifactRecord]) -> Model:
    """Make the next version with its files in one transaction: seen whole, or not at all."""
    with session.write() as tx:
        made = tx.models.register(
            record.name,
            run_id=record.run_id,
            description=record.description,
            tags=record.tags,
            properties=record.properties,
            framework=record.framework,
            framework_version=record.framework_version,
        )
        for file in files:
            tx.artifacts.add(replace(file, owner=made.owner_id))
    return Model._of(session, made)


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "model_name must be 1 to 255 letters, digits, '.', '_' or '-', and begin with a "
            f"letter or a digit; got {name!r}."
        )
    return name


def _as_text(values: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(k): str(v) for k, v in (values or {}).items()}


def _lineage(datasets: Sequence[tuple[str, Any]] | None) -> dict[str, str]:
    return {f"dataset.{label}": str(dataset.id) for label, dataset in datasets or ()}
