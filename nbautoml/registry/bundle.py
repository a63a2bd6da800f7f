"""A model as a folder that needs no nbautoml.

``model.pkl`` holds the classes of `nbautoml.runtime` by value, so that plain ``pickle.load``
works wherever the packages of ``requirements.txt`` are installed. The folder is checked as it
is written: the pickle is loaded again, a reference to anything else of nbautoml is refused,
and predictions on the sample must be those of the model that was handed in.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import io
import json
import pickle
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any  # Any: a model is any object with predict; JSON values

import cloudpickle
import numpy as np
import pandas as pd
import yaml

import nbautoml.runtime
from nbautoml import __version__
from nbautoml.errors import ModelError
from nbautoml.registry.profile import describe_profile
from nbautoml.registry.schema import ModelSchema, to_json, to_rows
from nbautoml.registry.trust import Versions, sha256_of

MODEL_FILE = "model.pkl"
MANIFEST_FILE = "manifest.json"
SCORING_FILE = "scoring_file_v_1_0_0.py"
NAMED_SCORING_FILE = "scoring_file_v_2_0_0.py"
"""The same for servers that give the members of a request by name."""
CONDA_FILE = "conda_env_v_1_0_0.yml"

PROFILE_FILE = "profile.json"

MANIFEST_VERSION = 1
SAMPLE_ROWS = 5
"""Rows of the sample request; enough to see every column filled, short enough to read."""

# Predictions may differ by rounding only: the same code runs on the same numbers.
_RELATIVE_TOLERANCE = 1e-9

# One module, two distributions: the small one has no build for macOS, the full one brings
# GPU libraries of hundreds of megabytes on Linux.
_XGBOOST_PINS = (
    'xgboost-cpu=={version} ; sys_platform != "darwin"',
    'xgboost=={version} ; sys_platform == "darwin"',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that was written: where, which files with which SHA-256, and what it needs."""

    folder: Path
    files: Mapping[str, str]
    packages: Versions


def export_bundle(
    model: Any,
    folder: Path,
    *,
    schema: ModelSchema,
    sample: pd.DataFrame,
    metrics: Mapping[str, float | None],
    run_id: str,
    clock: Callable[[], float] = time.time,
) -> Bundle:
    """Write a fitted model as a folder that loads without nbautoml.

    Parameters
    ----------
    model : object
        Fitted, with ``predict`` (and ``predict_proba`` where it has classes).
    folder : Path
        Made if need be; files of the same names are replaced.
    schema : ModelSchema
        The rows that the model takes: see `nbautoml.registry.schema.describe_frame`.
    sample : DataFrame
        Raw training rows without the label; the first `SAMPLE_ROWS` are kept as a sample
        request, the shares of all their values as a profile.
    metrics : mapping of str to float
        Scores to keep in the manifest.
    run_id : str
        The child run that made the model.
    clock : callable
        Seconds since the epoch.

    Returns
    -------
    Bundle

    Raises
    ------
    ModelError
        When the model refers to code that a clean environment does not have, or when it
        predicts other values after loading.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = sample.head(SAMPLE_ROWS)
    data = dump_by_value(model)
    packages, result = _check_pickle(data, model, rows)
    (folder / MODEL_FILE).write_bytes(data)
    _write_environment(folder, packages)
    _write_json(folder / "schema.json", schema.to_dict())
    _write_json(folder / "sample.json", {"data": to_rows(rows)})
    _write_json(folder / PROFILE_FILE, describe_profile(model, sample))
    for name in (SCORING_FILE, NAMED_SCORING_FILE, "score.py"):
        source = files("nbautoml.registry") / "templates" / name
        (folder / name).write_bytes(source.read_bytes())
    hashes = {name: sha256_of(folder / name) for name in _FILES}
    manifest = {
        "version": MANIFEST_VERSION,
        "created_at": clock(),
        "run_id": run_id,
        "task": schema.task,
        "metrics": {name: to_json(value) for name, value in metrics.items()},
        "nbautoml": __version__,
        "python": platform.python_version(),
        "packages": packages,
        "sample_result": [to_json(v) for v in result],
        "files": hashes,
    }
    _write_json(folder / MANIFEST_FILE, manifest)
    hashes[MANIFEST_FILE] = sha256_of(folder / MANIFEST_FILE)
    return Bundle(folder=folder, files=hashes, packages=packages)


def _check_pickle(data: bytes, model: Any, rows: pd.DataFrame) -> tuple[dict[str, str], list[Any]]:
    """Load the pickle again; return the packages that it needs and what it predicts."""
    loaded, modules = load_and_trace(data)
    before, after = _values(model.predict(rows)), _values(loaded.predict(rows))
    if not _is_same(before, after):
        raise ModelError(
            f"The model predicts other values after it was written and loaded: {before} before, "
            f"{after} after. The bundle was not written."
        )
    return versions_of(modules | {"pandas", "cloudpickle"}), after


def dump_by_value(model: Any) -> bytes:
    """Return a pickle of the model with the classes of `nbautoml.runtime` inside it.

    Not safe to call from two threads at once: which modules go by value is a setting of
    cloudpickle's for the whole process.
    """
    cloudpickle.register_pickle_by_value(nbautoml.runtime)
    try:
        data: bytes = cloudpickle.dumps(model, protocol=5)
    finally:
        cloudpickle.unregister_pickle_by_value(nbautoml.runtime)
    return data


def load_and_trace(data: bytes) -> tuple[Any, frozenset[str]]:
    """Load a pickle of our own and say which packages it imports.

    Returns
    -------
    model : object
    modules : frozenset of str
        Top-level names of the modules that the pickle names.

    Raises
    ------
    ModelError
        When it names a module of nbautoml.
    """
    reader = _TracingUnpickler(io.BytesIO(data))
    model = reader.load()
    return model, frozenset(reader.modules)


class _TracingUnpickler(pickle.Unpickler):
    """Remembers what is imported, and lets nothing of nbautoml be."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.modules: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        """Return a global, as the plain unpickler would."""
        self._note(module, name)
        if name == "subimport" and module.startswith("cloudpickle"):
            return self._import_module
        return super().find_class(module, name)

    def _import_module(self, module: str) -> Any:
        self._note(module, "")
        return importlib.import_module(module)

    def _note(self, module: str, name: str) -> None:
        top = module.partition(".")[0]
        if top == "nbautoml":
            raise ModelError(
                f"The model refers to {module}.{name}, which a machine without nbautoml does not "
                "have. Code of a fitted model belongs in nbautoml.runtime."
            )
        self.modules.add(top)


def versions_of(modules: frozenset[str]) -> dict[str, str]:
    """Return distribution and version of each top-level module; the standard library is left out.

    Raises
    ------
    ModelError
        When a module belongs to no installed distribution.

    Examples
    --------
    >>> list(versions_of(frozenset({"json", "sklearn"})))
    ['scikit-learn']
    """
    providers = importlib.metadata.packages_distributions()
    found: dict[str, str] = {}
    for module in sorted(modules - set(sys.stdlib_module_names) - {"__main__"}):
        names = providers.get(module)
        if not names:
            raise ModelError(
                f"The model uses the module {module!r}, which belongs to no installed package, so "
                "that no other machine could load it. Install it as a package first."
            )
        name = _distribution_of(module, names)
        found[name] = importlib.metadata.version(names[0])
    return dict(sorted(found.items()))


def _distribution_of(module: str, names: list[str]) -> str:
    return "xgboost" if module == "xgboost" else names[0]


def requirement_lines(packages: Versions) -> list[str]:
    """Return exact pins, one a line.

    Examples
    --------
    >>> requirement_lines({"numpy": "2.1.0"})
    ['numpy==2.1.0']
    """
    lines: list[str] = []
    for name, version in packages.items():
        patterns = _XGBOOST_PINS if name == "xgboost" else (f"{name}=={{version}}",)
        lines.extend(pattern.format(version=version) for pattern in patterns)
    return lines


def _write_environment(folder: Path, packages: Versions) -> None:
    lines = requirement_lines(packages)
    version = platform.python_version()
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "python_version").write_text(f"{version}\n", encoding="utf-8")
    environment = {
        "name": "model",
        "channels": ["conda-forge"],
        "dependencies": [f"python={version}", "pip", {"pip": lines}],
    }
    text = yaml.safe_dump(environment, sort_keys=False)
    (folder / CONDA_FILE).write_text(text, encoding="utf-8")
    _write_json(folder / "env_dependencies.json", dict(packages))


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


_FILES = (
    MODEL_FILE,
    "requirements.txt",
    "python_version",
    CONDA_FILE,
    "schema.json",
    "sample.json",
    PROFILE_FILE,
    "env_dependencies.json",
    SCORING_FILE,
    NAMED_SCORING_FILE,
    "score.py",
)


def _values(predicted: Any) -> list[Any]:
    return list(np.asarray(predicted).tolist())


def _is_same(before: list[Any], after: list[Any]) -> bool:
    if before == after:
        return True
    is_number = all(isinstance(v, float) for v in (*before, *after))
    close = is_number and np.allclose(
        before, after, rtol=_RELATIVE_TOLERANCE, atol=0, equal_nan=True
    )
    return bool(close)
