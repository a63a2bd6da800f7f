"""Making a child's model its owner's: the bundle that loads without nbautoml.

The best model's bundle is made by the run itself. Any other child's is made when somebody asks
for it, in a process of its own: whoever registers a model never unpickles it.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: fitted models

from nbautoml.automl.artifacts import INTERNAL_MODEL, MANIFEST, MLFLOW_MODEL, SERVED_MODEL
from nbautoml.automl.onnx_model import onnx_of_bundle, write_onnx
from nbautoml.automl.run_data import RunData
from nbautoml.domain.ids import child_run_id
from nbautoml.errors import MissingExtraError, ModelError, NotFoundError
from nbautoml.registry.model import Model, register_from_run
from nbautoml.runs import files
from nbautoml.runs.child_process import run_apart, work_for
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


def ensure_bundle(session: Session, run_id: str, number: int) -> None:
    """Make the bundle of a child, unless it has one.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The parent run.
    number : int
        The child's number.

    Raises
    ------
    ModelError
        When the model cannot be exported; the message says why.
    """
    names = files.names(session, child_run_id(run_id, number))
    if MANIFEST in names or SERVED_MODEL not in names:
        return
    problem = run_apart(session, run_id, "nbautoml.automl.export", run_id, str(number))
    if problem:
        raise ModelError(f"The model of {child_run_id(run_id, number)} was not exported: {problem}")


def register_child(
    session: Session,
    run_id: str,
    number: int,
    model_name: str,
    *,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Model:
    """Register the model of a child as a new version; its bundle is made where it has none.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The parent run.
    number : int
        The child's number.
    model_name : str
        The model's name.
    description : str, optional
        A sentence for people.
    tags : mapping of str to str, optional
        Kept with the version.

    Raises
    ------
    NotFoundError
        When the child has no model.
    ModelError
        When the model cannot be exported; the message says why.
    """
    child_id = child_run_id(run_id, number)
    with session.read() as tx:
        child = tx.runs.get(child_id)
    if SERVED_MODEL not in files.names(session, child_id):
        raise NotFoundError(f"Run {child_id} has no model: it is {child.status.value}.")
    ensure_bundle(session, run_id, number)
    onnx_of_bundle(session, run_id, number)
    return register_from_run(
        session,
        run_id=child_id,
        model_path="outputs",
        model_name=model_name,
        tags=tags,
        description=description,
    )


def registered_child(session: Session, run_id: str, number: int, model_name: str) -> Model:
    """Return the version under which the model of a child is registered; a new one if need be.

    Parameters
    ----------
    session, run_id, number, model_name
        As in `register_child`.
    """
    child_id = child_run_id(run_id, number)
    with session.read() as tx:
        known = tx.models.list(name=model_name, run_id=child_id)
    if known:
        return Model(WorkspaceHandle(session), model_name, known[0].version)
    return register_child(session, run_id, number, model_name)


def export_child(session: Session, run_id: str, number: int) -> None:
    """Make the bundle of a child in this process, which loads its model.

    The pickle that the trial wrote is kept as ``internal/model.pkl``; the bundle's files take
    the names ``outputs/…``.
    """
    from nbautoml.registry.bundle import export_bundle
    from nbautoml.registry.schema import describe_frame
    from nbautoml.registry.trust import load_pickle

    child_id = child_run_id(run_id, number)
    with session.read() as tx:
        run = tx.runs.get(run_id)
        metrics = tx.metrics.last([child_id]).get(child_id, {})
    settings = run.settings
    label = str(settings["label"])
    source = session.load_artifact(child_id, SERVED_MODEL)
    session.save_artifact(child_id, INTERNAL_MODEL, source.read_bytes())
    model = load_pickle(source, versions={}, of=f"run {child_id}")
    features = RunData(session, settings).features()
    classes = getattr(model, "classes_", None)
    schema = describe_frame(
        features,
        task=str(settings["task"]),
        label=label,
        classes=None if classes is None else list(classes),
    )
    with tempfile.TemporaryDirectory(prefix="nbautoml-export-") as folder:
        bundle = export_bundle(
            model, Path(folder), schema=schema, sample=features, metrics=metrics, run_id=child_id
        )
        # All names appear at once: where the manifest is, the bundle is whole.
        files = {f"outputs/{name}": Path(folder) / name for name in bundle.files}
        session.save_artifacts(child_id, files)
        _add_formats(session, run_id, number, Path(folder), model, features)


def _add_formats(
    session: Session, run_id: str, number: int, bundle: Path, model: Any, features: pd.DataFrame
) -> None:
    """Write the model in the other formats that the run was asked for; the bundle is stored."""
    with session.read() as tx:
        config = tx.runs.get(run_id).settings.get("config", {})
    try:
        if config.get("enable_onnx_compatible_models"):
            write_onnx(session, run_id, number, model, features)
        if config.get("save_mlflow"):
            _add_mlflow(session, child_run_id(run_id, number), bundle)
    except (ModelError, MissingExtraError) as error:  # the model itself is stored
        logger.warning("%s", error)


def _add_mlflow(session: Session, child_id: str, bundle: Path) -> None:
    from nbautoml.registry.mlflow.export import export_pyfunc

    with tempfile.TemporaryDirectory(prefix="nbautoml-mlflow-") as folder:
        made = export_pyfunc(bundle, Path(folder) / "model")
        paths = [path for path in made.rglob("*") if path.is_file()]
        named = {f"{MLFLOW_MODEL}/{p.relative_to(made).as_posix()}": p for p in paths}
        session.save_artifacts(child_id, named)


def main() -> int:
    """Export the child that the command line names; return the exit code."""
    return work_for(lambda session, run_id, number: export_child(session, run_id, int(number)))


if __name__ == "__main__":
    sys.exit(main())
