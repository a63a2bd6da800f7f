"""Registered models: named, versioned files of a workspace."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any  # Any: a loaded model is any object with predict

from nbautoml.domain.records import ArtifactRecord, ModelRecord
from nbautoml.errors import ConflictError, ModelError, NotFoundError
from nbautoml.registry.files import (
    MODEL_PATHS_VARIABLE,
    is_from_run,
    kept_copy,
    local_files,
    manifest_of,
    only_children,
    only_pickle,
    path_in_service,
    place_inside,
    select_files,
)
from nbautoml.registry.lookup import Wanted, find_model, tag_filter
from nbautoml.registry.registration import Framework, Registration, add_version, check_stage
from nbautoml.registry.trust import Versions, check_hash, load_pickle
from nbautoml.registry.words import ModelWords
from nbautoml.store.session import HasSession, Session, open_session

__all__ = ["Framework", "Model", "register_from_run"]

# Deployments and jobs stand above this part, so that they are called by name.
_SERVING = "nbautoml.serving.deploy"
_PACKAGING = "nbautoml.serving.docker"
_CONFIGS = "nbautoml.serving.configs"
_BATCH = "nbautoml.serving.batch.driver"
_RUNS = "nbautoml.runs.child_process"
_MLFLOW = "nbautoml.registry.mlflow.export"


class Model(ModelWords):
    """One version of a registered model.

    Parameters
    ----------
    workspace : Workspace
        Where it is registered.
    name : str, optional
        Its name; the latest version is meant unless another argument says otherwise.
    version : int, optional
        Counts from 1 for each name.
    id : str, optional
        ``"name:version"`` in place of the two.
    tags, properties : sequence or mapping, optional
        Only a version with these, as in `Model.list`.
    run_id : str, optional
        Only a version that this run made.
    model_framework : str, optional
        Only a version that was made with this.
    alias : str, optional
        The version of `name` that has this alias (see `set_alias`).
    stage : str, optional
        The newest version in this stage (see `set_stage`).
    **_azure
        ``expand`` of the SDK: accepted, of no use here.

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
        properties: Sequence[Any] | Mapping[str, str] | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        alias: str | None = None,
        stage: str | None = None,
        **_azure: Any,
    ) -> None:
        wanted = Wanted(
            name=name,
            version=version,
            tags=tag_filter(tags),
            properties=tag_filter(properties),
            run_id=run_id,
            framework=model_framework,
            alias=alias,
            stage=None if stage is None else check_stage(stage),
        )
        session = workspace.session
        super().__init__(session, find_model(session, wanted.with_id(id)))

    @classmethod
    def _of(cls, session: Session, record: ModelRecord) -> Model:
        model = cls.__new__(cls)
        ModelWords.__init__(model, session, record)
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
        datasets: Sequence[tuple[str, Any]] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: Sequence[str] | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        **_azure: Any,
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
        datasets : sequence of (str, dataset), optional
            What it was made with, such as ``[("training", dataset)]``.
        model_framework, model_framework_version : str, optional
            What it was made with, such as ``Model.Framework.SCIKITLEARN``.
        child_paths : sequence of str, optional
            Only these files and folders of the folder `model_path`.
        sample_input_dataset, sample_output_dataset : dataset, optional
            Rows to try it with, and what it answers.
        **_azure
            ``resource_configuration`` of the SDK: accepted, of no use here.

        Returns
        -------
        Model

        Raises
        ------
        NotFoundError
            When there is nothing at `model_path`, or a child path is not in it.
        ConfigError
            When the name cannot be one, or a dataset is not kept in the workspace.
        """
        session = workspace.session
        wanted = Registration.of(
            name=model_name,
            tags=tags,
            properties=properties,
            description=description,
            framework=model_framework,
            framework_version=model_framework_version,
            datasets=datasets,
            samples={"input": sample_input_dataset, "output": sample_output_dataset},
        )
        files = dict(local_files(Path(model_path)))
        owner = f"upload:{uuid.uuid4()}"
        chosen = only_children(files, child_paths, folder=str(model_path))
        saved = [session.save_artifact(owner, name, files[name]) for name in chosen]
        return Model._of(session, add_version(session, wanted, saved))

    @staticmethod
    def list(
        workspace: HasSession,
        name: str | None = None,
        tags: Sequence[Any] | Mapping[str, str] | None = None,
        properties: Sequence[Any] | Mapping[str, str] | None = None,
        run_id: str | None = None,
        latest: bool = False,
        *,
        dataset_id: str | None = None,
        model_framework: str | None = None,
        stage: str | None = None,
        **_azure: Any,
    ) -> list[Model]:
        """Return the registered models that fit, newest first.

        Parameters
        ----------
        workspace : Workspace
            Where to look.
        name : str, optional
            Only this name.
        tags, properties : sequence or mapping, optional
            Words that must be there: ``["area"]``, ``[["area", "hr"]]`` or ``{"area": "hr"}``.
        run_id : str, optional
            Only what this run made.
        latest : bool, default False
            Only the latest version of each name, among those that fit.
        dataset_id : str, optional
            Only models that were registered with this dataset, or made by a run that took it in.
        model_framework : str, optional
            Only models that were made with this.
        stage : str, optional
            Only models in this stage.
        **_azure
            ``expand`` and ``page_count`` of the SDK: accepted, of no use here, because all is
            read at once.
        """
        session = workspace.session
        wanted = Wanted(
            name=name,
            tags=tag_filter(tags),
            properties=tag_filter(properties),
            run_id=run_id,
            framework=model_framework,
            stage=None if stage is None else check_stage(stage),
            dataset_id=dataset_id,
        )
        with session.read() as tx:
            records = wanted.select(tx, latest=latest)
        return [Model._of(session, record) for record in records]

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
    def print_configuration(
        models: Sequence[Model],
        inference_config: Any,  # an InferenceConfig
        deployment_config: Any,  # of deploy_configuration
        deployment_target: object = None,
    ) -> None:
        """Print what `deploy` would be given: models, entry script, settings; no keys."""
        text = importlib.import_module(_CONFIGS).describe_configuration(
            [model.id for model in models], inference_config, deployment_config
        )
        sys.stdout.write(text)

    def score(
        self,
        data: Any,
        output: str | Path,
        *,
        compute_target: Any = None,  # a ComputeTarget or its name
        probabilities: bool = False,
        columns: Sequence[str] | None = None,
        partition_rows: int = 100_000,
        max_concurrent: int | None = None,
        overwrite: bool = False,
        trust: bool = False,
        show_output: bool = False,
    ) -> Any:
        """Predict a whole dataset, partition by partition; it may be larger than memory.

        Parameters
        ----------
        data : dataset, DataFrame, dask DataFrame, str or Path
            The rows. A path or a pattern names ``.csv`` or ``.parquet`` files.
        output : str or Path
            A file that ends in ``.csv`` or ``.parquet``, or a folder, which gets a Parquet file
            a partition. It is there only once it is whole.
        compute_target : ComputeTarget or str, optional
            Where partitions are predicted; this machine when not given.
        probabilities : bool, default False
            Whether to write a column ``probability of <class>`` for each class, too.
        columns : sequence of str, optional
            Columns of the rows to write before the predictions; all when not given.
        partition_rows : int, default 100000
            About how many rows are predicted, and held in memory, at a time.
        max_concurrent : int, optional
            Partitions at once; as many as the target has slots when not given.
        overwrite : bool, default False
            Whether what is at `output` is replaced, and what an unlike job left is thrown away.
        trust : bool, default False
            Whether you know where the files of a model from elsewhere come from.
        show_output : bool, default False
            Whether to print how far it is.

        Returns
        -------
        BatchScore
            Where the predictions are, and how many.

        Raises
        ------
        DatasetError
            When rows cannot be predicted; the message names partition and row.
        ConflictError
            When `output` is there already, or another job writes it.

        Notes
        -----
        A job that was stopped, in whatever way, goes on with the partitions that are missing
        when it is called again in the same way. Rows keep their order.
        """
        return importlib.import_module(_BATCH).score(
            self,
            data,
            output,
            compute_target=compute_target,
            probabilities=probabilities,
            columns=columns,
            partition_rows=partition_rows,
            max_concurrent=max_concurrent,
            overwrite=overwrite,
            trust=trust,
            show_output=show_output,
        )

    @staticmethod
    def get_model_path(
        model_name: str, version: int | None = None, _workspace: HasSession | None = None
    ) -> str:
        """Return where a model's files lie, inside of a script.

        In the entry script of a deployment they are the deployment's own. In the script of a
        run, and where `_workspace` is given, they are copied once into the workspace's folder;
        the copy is checked each time.

        Parameters
        ----------
        model_name : str
            The model.
        version : int, optional
            Its version; the latest when not given.
        _workspace : Workspace, optional
            Where to look, outside of deployments and runs.

        Returns
        -------
        str
            Path of the file, or of the folder that was registered.

        Raises
        ------
        NotFoundError
            When there is no such model, or nobody says in which workspace to look.
        """
        if _workspace is not None:
            return Model(_workspace, model_name, version)._kept_copy()
        run = importlib.import_module(_RUNS).current_run()
        if run is None or MODEL_PATHS_VARIABLE in os.environ:
            return path_in_service(model_name, version)
        with open_session(run[0]) as session:
            record = find_model(session, Wanted(name=model_name, version=version))
            return Model._of(session, record)._kept_copy()

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

    def export_mlflow(self, path: str | Path) -> str:
        """Write the model as a folder that MLflow loads and serves; it is not loaded.

        Parameters
        ----------
        path : str or Path
            The folder, which must not exist yet; see docs/howto/mlflow.md. Returned as text.
        """
        return str(importlib.import_module(_MLFLOW).export_model(self, path))

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
        found = manifest_of(self._session, self.run_id, chosen, artifacts)
        if found is None:
            return {}
        manifest = json.loads(self._verified(found).read_text(encoding="utf-8"))
        return {"python": manifest["python"], **manifest["packages"]}

    def _kept_copy(self) -> str:
        folder = self._session.state_dir / "models" / self.name / str(self.version)
        return str(kept_copy(self, self._artifacts(), folder))

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
    child_paths: Sequence[str] | None = None,
    sample_input_dataset: Any = None,
    sample_output_dataset: Any = None,
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
    model_framework, model_framework_version, datasets, child_paths, sample_input_dataset
        As in `Model.register`; `sample_output_dataset`, too.

    Raises
    ------
    NotFoundError
        When the run has no such file; the message names what there is.
    """
    wanted = Registration.of(
        name=model_name,
        run_id=run_id,
        tags=tags,
        properties=properties,
        description=description,
        framework=model_framework,
        framework_version=model_framework_version,
        datasets=datasets,
        samples={"input": sample_input_dataset, "output": sample_output_dataset},
    )
    with session.read() as tx:
        stored = tx.artifacts.list(run_id)
    files = {file.name: file for file in select_files(stored, model_path, run_id=run_id)}
    chosen = only_children(files, child_paths, folder=model_path)
    record = add_version(session, wanted, [files[name] for name in chosen])
    return Model._of(session, record)
