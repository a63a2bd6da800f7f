"""What must hold before a pickle is loaded: its bytes are the recorded ones, its versions fit.

A pickle runs code when it is loaded. Nothing here reads a rule from the file itself: hashes
come from the workspace store, written when the file was registered, and which packages may
differ is decided below. This is no sandbox: whoever can write the store and the artifacts can
run code on the machines that load models from it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import pickle
import platform
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: a model is any object with predict

from nbautoml.errors import ModelError

_CHUNK_BYTES = 1 << 20

Versions = Mapping[str, str]
"""Distribution name to version; ``"python"`` stands for the interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A package whose version here is not the one that the model was made with.

    ``found`` is empty when it is not installed. ``is_breaking`` says that loading would fail
    or may give other numbers: the package is missing, another major version, or another
    minor version of Python (bundles hold bytecode, which is bound to it).
    """

    package: str
    wanted: str
    found: str
    is_breaking: bool


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def check_hash(path: Path, expected: str, *, of: str) -> None:
    """Check that a file is the one that was recorded.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        SHA-256 in hex, as recorded when the file was stored.
    of : str
        What the file belongs to, for the message.

    Raises
    ------
    ModelError
        When the bytes differ.
    """
    found = sha256_of(path)
    if found != expected:
        raise ModelError(
            f"{path.name} of {of} is not the file that was registered: its SHA-256 is "
            f"{found[:12]}…, recorded was {expected[:12]}…. It was not loaded. Restore the file "
            "or register the model again."
        )


def installed_version(package: str) -> str:
    """Return the version of a distribution here, or ``""``; ``"python"`` is the interpreter."""
    if package == "python":
        return platform.python_version()
    for name in _SAME_MODULE.get(package, (package,)):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


# Two distributions that ship the same module: either serves.
_SAME_MODULE: Mapping[str, tuple[str, ...]] = {
    "xgboost": ("xgboost", "xgboost-cpu"),
    "xgboost-cpu": ("xgboost-cpu", "xgboost"),
}


def compare_versions(wanted: Versions) -> tuple[Mismatch, ...]:
    """Return what differs between the versions a model was made with and those here.

    Examples
    --------
    >>> import numpy
    >>> compare_versions({"numpy": numpy.__version__})
    ()
    >>> compare_versions({"no-such-package": "1.0"})[0].is_breaking
    True
    """
    pairs = ((name, version, installed_version(name)) for name, version in wanted.items())
    return tuple(
        Mismatch(
            package=name,
            wanted=version,
            found=found,
            is_breaking=_is_breaking(name, version, found),
        )
        for name, version, found in pairs
        if found != version
        and not (name == "python" and _release(found, 2) == _release(version, 2))
    )


def _is_breaking(package: str, wanted: str, found: str) -> bool:
    if package == "python":
        return True
    return not found or _release(wanted, 1) != _release(found, 1)


def _release(version: str, n_parts: int) -> list[str]:
    return version.split(".")[:n_parts]


def describe_mismatches(mismatches: Sequence[Mismatch]) -> str:
    """Return one sentence that names each package and the command that mends it.

    Examples
    --------
    >>> miss = Mismatch(package="scikit-learn", wanted="1.5.0", found="1.9.1", is_breaking=False)
    >>> describe_mismatches([miss])
    'scikit-learn 1.5.0 (here: 1.9.1). To match it: pip install scikit-learn==1.5.0'
    """
    parts = [f"{m.package} {m.wanted} (here: {m.found or 'not installed'})" for m in mismatches]
    pins = [f"{m.package}=={m.wanted}" for m in mismatches if m.package != "python"]
    steps = [f"pip install {' '.join(pins)}"] if pins else []
    python = [m.wanted for m in mismatches if m.package == "python"]
    if python:
        steps.insert(0, f"use Python {'.'.join(_release(python[0], 2))}")
    return f"{', '.join(parts)}. To match it: {', then '.join(steps)}"


def load_pickle(path: Path, *, versions: Versions, of: str, ignore_versions: bool = False) -> Any:
    """Load a pickle whose bytes have been checked, after checking versions.

    Parameters
    ----------
    path : Path
        The file; call `check_hash` first.
    versions : mapping of str to str
        What the model was made with; empty when that is not known.
    of : str
        The model, for messages.
    ignore_versions : bool, default False
        Whether to try all the same when a version breaks.

    Raises
    ------
    ModelError
        When versions break, or when the file cannot be loaded.
    """
    mismatches = compare_versions(versions)
    broken = [m for m in mismatches if m.is_breaking]
    if broken and not ignore_versions:
        raise ModelError(
            f"{of} was made with {describe_mismatches(broken)}. "
            "It was not loaded; pass ignore_versions=True to try all the same."
        )
    if mismatches:
        warnings.warn(f"{of} was made with {describe_mismatches(mismatches)}", stacklevel=3)
    try:
        with path.open("rb") as file:
            return pickle.load(file)
    except (ImportError, AttributeError, pickle.UnpicklingError, EOFError, TypeError) as error:
        hint = f" It was made with {describe_mismatches(mismatches)}." if mismatches else ""
        raise ModelError(f"{path.name} of {of} cannot be loaded here: {error}.{hint}") from error
