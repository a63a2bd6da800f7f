"""A child's model as ONNX: made with the bundle where a run asks for it, else when somebody does.

Whoever asks never unpickles the model: it is converted in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any  # Any: fitted models, JSON values

from nbautoml.automl.artifacts import (
    MANIFEST,
    ONNX_MODEL,
    ONNX_REFUSED,
    ONNX_RESOURCE,
    ONNX_SCORE,
    SERVED_MODEL,
)
from nbautoml.automl.run_data import RunData
from nbautoml.automl.stored_model import load_model
from nbautoml.domain.ids import child_run_id
from nbautoml.errors import ModelError, NotFoundError
from nbautoml.runs import files
from nbautoml.runs.child_process import run_apart, work_for
from nbautoml.store.session import Session

if TYPE_CHECKING:
    import pandas as pd

RESOURCE_PROPERTY = "onnx_model_resource"
"""Property of a child that has an ONNX model: the name of the file that describes its inputs."""


def ensure_onnx(session: Session, run_id: str, number: int) -> None:
    """Write the model of a child as ONNX, unless it is there.

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
    NotFoundError
        When the child has no model.
    ModelError
        When the model cannot be written as ONNX; the message names the columns or steps.
    """
    child_id = child_run_id(run_id, number)
    names = set(files.names(session, child_id))
    if ONNX_MODEL in names:
        return
    if SERVED_MODEL not in names:
        raise NotFoundError(f"Run {child_id} has no model to write as ONNX.")
    problem = run_apart(session, run_id, "nbautoml.automl.onnx_model", run_id, str(number))
    if problem:
        raise ModelError(problem)


def onnx_of_bundle(session: Session, run_id: str, number: int) -> None:
    """Have an ONNX model in a child's bundle where its run was asked for one, and it can be.

    Parameters
    ----------
    session, run_id, number
        As in `ensure_onnx`.
    """
    with session.read() as tx:
        config = tx.runs.get(run_id).settings.get("config", {})
        properties = tx.runs.get(child_run_id(run_id, number)).properties
    if not config.get("enable_onnx_compatible_models") or ONNX_REFUSED in properties:
        return
    try:
        ensure_onnx(session, run_id, number)
    except ModelError:
        return  # the reason is a property of the child by now


def write_onnx(
    session: Session, run_id: str, number: int, model: Any, features: pd.DataFrame
) -> None:
    """Convert a model that is loaded already, and store the files with its bundle.

    Parameters
    ----------
    session, run_id, number
        As in `ensure_onnx`.
    model : ModelPipeline
        The child's model.
    features : DataFrame
        The training rows without the label.

    Raises
    ------
    ModelError
        When it cannot be written; the reason is kept as a property of the child.
    MissingExtraError
        When the extra ``onnx`` is not installed.
    """
    from nbautoml.registry.onnx.convert import convert_model

    child_id = child_run_id(run_id, number)
    try:
        made = convert_model(model, features)
    except ModelError as error:
        with session.write() as tx:
            tx.runs.set_properties(child_id, {ONNX_REFUSED: str(error)})
        raise
    resource = json.dumps(made.resource.to_dict(), indent=2, ensure_ascii=False)
    score = package_files("nbautoml.registry") / "templates" / "score_onnx.py"
    stored = {
        ONNX_MODEL: made.content,
        ONNX_RESOURCE: f"{resource}\n".encode(),
        ONNX_SCORE: score.read_bytes(),
    }
    if MANIFEST in files.names(session, child_id):
        manifest = json.loads(session.load_artifact(child_id, MANIFEST).read_bytes())
        stored[MANIFEST] = _with_files(manifest, stored)
    session.save_artifacts(child_id, stored)
    with session.write() as tx:
        tx.runs.set_properties(child_id, {RESOURCE_PROPERTY: ONNX_RESOURCE})


def _with_files(manifest: dict[str, Any], added: Mapping[str, bytes]) -> bytes:
    """Return a bundle's manifest with the hashes of further files."""
    hashes = {
        name.removeprefix("outputs/"): hashlib.sha256(content).hexdigest()
        for name, content in added.items()
    }
    whole = manifest | {"files": manifest["files"] | hashes}
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()


def _convert(session: Session, run_id: str, number: str) -> None:
    child_id = child_run_id(run_id, int(number))
    with session.read() as tx:
        settings = tx.runs.get(run_id).settings
    features = RunData(session, settings).features()
    write_onnx(session, run_id, int(number), load_model(session, child_id), features)


def main() -> int:
    """Convert the model that the command line names; return the exit code."""
    return work_for(_convert)


if __name__ == "__main__":
    sys.exit(main())
