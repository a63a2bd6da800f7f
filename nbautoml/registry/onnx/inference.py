"""Saving and running ONNX models under the SDK's names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any  # Any: ONNX models, JSON values, arrays of labels

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.errors import ConfigError, ModelError
from nbautoml.registry.extras import need
from nbautoml.registry.onnx.convert import RESOURCE_KEY, OnnxResource
from nbautoml.registry.onnx.parity import ask, open_model, runtime_errors


class OnnxConverter:
    """The SDK's name for what saves and loads ONNX models."""

    @staticmethod
    def save_onnx_model(model: Any, file_path: str | Path) -> None:
        """Write a model to a file.

        Parameters
        ----------
        model : onnx.ModelProto
            What ``run.get_output(return_onnx_model=True)`` returned.
        file_path : str or Path
            The file, such as ``"model.onnx"``; its folder is made.

        Raises
        ------
        ConfigError
            When `model` is no ONNX model.
        """
        write = getattr(model, "SerializeToString", None)
        if not callable(write):
            raise ConfigError(
                "model of save_onnx_model must be an ONNX model, as "
                "run.get_output(return_onnx_model=True) returns it second; got "
                f"{type(model).__name__}."
            )
        path = Path(file_path).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write())

    @staticmethod
    def load_onnx_model(file_path: str | Path) -> Any:
        """Return the model in a file as an ``onnx.ModelProto``.

        Parameters
        ----------
        file_path : str or Path
            The file.
        """
        return load_model(Path(file_path).expanduser().read_bytes())


def load_model(content: bytes) -> Any:
    """Return a model from its bytes as an ``onnx.ModelProto``.

    Raises
    ------
    MissingExtraError
        When the extra ``onnx`` is not installed.
    """
    onnx: Any = need("onnx", extra="onnx", purpose="read ONNX models")
    return onnx.load_model_from_string(content)


class OnnxInferenceHelper:
    """Runs an ONNX model of an AutoML run on tables.

    The graph itself needs onnxruntime alone; this class turns the columns of a table into its
    inputs.

    Parameters
    ----------
    model_bytes : bytes
        The model, such as ``model.SerializeToString()`` or the content of ``model.onnx``.
    resource : mapping, optional
        The content of ``outputs/model_onnx.json``; the model itself has it, too.

    Raises
    ------
    ModelError
        When onnxruntime cannot open the model, or nobody says what its inputs are.
    MissingExtraError
        When the extra ``onnx`` is not installed.
    """

    def __init__(self, model_bytes: bytes, resource: Mapping[str, Any] | None = None) -> None:
        self._session = _open(model_bytes)
        given = resource or _resource_in(self._session)
        try:
            self._resource = OnnxResource.from_dict(given)
        except (KeyError, TypeError) as error:
            raise ModelError(
                "resource of OnnxInferenceHelper must be the content of outputs/model_onnx.json; "
                f"it lacks {error}."
            ) from error

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """Labels in the order of the columns of the probabilities; None for numbers."""
        return self._resource.classes

    def predict(
        self, X: Any, with_prob: bool = True
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32] | None]:
        """Return labels (or numbers) and probabilities.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Rows as they came in the training data; columns are found by name.
        with_prob : bool, default True
            Whether to return probabilities too.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
        probabilities : ndarray of shape (n_rows, n_classes) or None
            None for numbers, and when they are not asked for.

        Raises
        ------
        ModelError
            When a column is missing, or its cells are of a kind that the model does not take.
        """
        rows = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
        names = [column.name for column in self._resource.inputs]
        there = rows.rename(columns=str)
        missing = [name for name in names if name not in there.columns]
        if missing:
            raise ModelError(
                f"The ONNX model needs the columns {', '.join(map(repr, missing))}; the rows have "
                f"{', '.join(map(repr, there.columns))}."
            )
        if not len(there):  # nothing to ask
            n_classes = len(self.classes or ())
            shares = np.empty((0, n_classes), dtype=np.float32)
            return np.empty(0, dtype=object), shares if with_prob and n_classes else None
        try:
            answers = ask(self._session, self._resource.inputs, there)
        except runtime_errors() as error:
            raise ModelError(
                "The ONNX model refused the rows; a text column may hold numbers or dates that "
                f"are written in a way it does not know. onnxruntime says: {error}"
            ) from error
        return answers[0], answers[1] if with_prob and len(answers) > 1 else None


def _open(content: bytes) -> Any:
    try:
        return open_model(content)
    except runtime_errors() as error:
        raise ModelError(f"onnxruntime cannot open these bytes as a model: {error}") from error


def _resource_in(session: Any) -> Mapping[str, Any]:
    found = session.get_modelmeta().custom_metadata_map.get(RESOURCE_KEY)
    if found is None:
        raise ModelError(
            "This ONNX model does not say what its inputs are; give the content of "
            "outputs/model_onnx.json as resource."
        )
    resource: Mapping[str, Any] = json.loads(found)
    return resource
