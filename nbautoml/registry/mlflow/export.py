"""A bundle as a folder in MLflow's format, which loads and serves without nbautoml."""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol  # Any: mlflow's schemas, JSON values

import pandas as pd

from nbautoml.errors import ConflictError, ModelError
from nbautoml.registry.mlflow.load import load_mlflow
from nbautoml.registry.schema import ColumnSchema, ModelSchema

_PURPOSE = "write models in MLflow's format"
LOADER = "automl_bundle_loader"
"""Module in the folder's code that loads the model."""
_NEEDED = ("model.pkl", "manifest.json", "requirements.txt", "schema.json", "sample.json")


class Downloadable(Protocol):
    """A registered model."""

    @property
    def id(self) -> str:
        """Name and version."""

    def download(self, target_dir: str | Path = ".") -> str:
        """Copy its files to a folder and return their path."""


def export_model(model: Downloadable, path: str | Path) -> Path:
    """Write a registered model of an AutoML run as a folder for MLflow.

    Parameters
    ----------
    model : Model
        Registered; it is not loaded.
    path : str or Path
        The folder, which must not exist yet.

    Raises
    ------
    ModelError
        When the model is not a bundle of an AutoML run.
    ConflictError
        When there is something at `path`.
    MissingExtraError
        When the extra ``mlflow`` is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="nbautoml-mlflow-") as folder:
        bundle = Path(model.download(folder))
        missing = [name for name in _NEEDED if not (bundle / name).is_file()]
        if missing:
            raise ModelError(
                f"{model.id} cannot be written for MLflow: it is not the bundle of an AutoML run, "
                f"as it lacks {', '.join(missing)}. Register a model with run.register_model()."
            )
        return export_pyfunc(bundle, Path(path))


def export_pyfunc(bundle: Path, path: Path) -> Path:
    """Write a bundle as a folder that ``mlflow.pyfunc.load_model`` loads.

    Parameters
    ----------
    bundle : Path
        Folder of a bundle; see `nbautoml.registry.bundle`.
    path : Path
        The folder, which must not exist yet.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ConflictError
        When there is something at `path`.
    ModelError
        When MLflow does not take the model.
    MissingExtraError
        When the extra ``mlflow`` is not installed.
    """
    pyfunc: Any = load_mlflow("mlflow.pyfunc", purpose=_PURPOSE)
    errors: Any = load_mlflow("mlflow.exceptions", purpose=_PURPOSE)
    target = path.expanduser()
    if target.exists():
        raise ConflictError(f"{target} is there already; give export_mlflow another path.")
    schema = ModelSchema.from_dict(_read(bundle / "schema.json"))
    lines = (bundle / "requirements.txt").read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory(prefix="nbautoml-mlflow-") as folder:
        code = Path(folder) / f"{LOADER}.py"
        source = files("nbautoml.registry") / "templates" / "mlflow_loader.py"
        code.write_bytes(source.read_bytes())
        data = Path(folder) / "bundle"
        data.mkdir()
        for file in bundle.iterdir():
            if file.is_file():
                shutil.copyfile(file, data / file.name)
        try:
            pyfunc.save_model(
                target,
                loader_module=LOADER,
                data_path=str(data),
                code_paths=[str(code)],
                signature=_signature(schema),
                input_example=_example(bundle, schema),
                pip_requirements=lines,
            )
        except errors.MlflowException as error:
            raise ModelError(f"MLflow did not take the model: {error}") from error
    return target


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _signature(schema: ModelSchema) -> Any:
    """Return what MLflow checks of requests and answers."""
    models: Any = load_mlflow("mlflow.models", purpose=_PURPOSE)
    types: Any = load_mlflow("mlflow.types", purpose=_PURPOSE)
    inputs = [
        types.ColSpec(_type_of(column), name=column.name, required=not column.is_nullable)
        for column in schema.columns
    ]
    answer = types.ColSpec(_type_of_answer(schema))
    method = types.ParamSpec("method", "string", "predict")
    return models.ModelSignature(
        inputs=types.Schema(inputs),
        outputs=types.Schema([answer]),
        params=types.ParamSchema([method]),
    )


def _type_of(column: ColumnSchema) -> str:
    """Return MLflow's name for the cells of a column; numbers that may be missing are floats."""
    kind = column.dtype.lower()
    if kind.startswith(("int", "uint")):
        return "double" if column.is_nullable else "long"
    if kind.startswith("float"):
        return "double"
    if kind.startswith("bool") and not column.is_nullable:
        return "boolean"
    return "datetime" if kind.startswith("datetime") else "string"


def _type_of_answer(schema: ModelSchema) -> str:
    if schema.classes is None:
        return "double"
    kinds = {type(label) for label in schema.classes}
    if kinds == {bool}:
        return "boolean"
    return "long" if kinds == {int} else "double" if kinds == {float} else "string"


def _example(bundle: Path, schema: ModelSchema) -> pd.DataFrame:
    """Return the bundle's sample as a table whose columns have the types of the signature."""
    rows = pd.DataFrame(_read(bundle / "sample.json")["data"])
    for column in schema.columns:
        kind = _type_of(column)
        if kind == "datetime":
            rows[column.name] = pd.to_datetime(rows[column.name])
        elif kind == "double":
            rows[column.name] = rows[column.name].astype(float)
        elif kind == "string":
            texts = [None if cell is None else str(cell) for cell in rows[column.name]]
            rows[column.name] = pd.Series(texts, dtype=object)
    return rows
