"""Optional packages: loaded when something needs them, by the one function that names the extra."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from types import ModuleType

from nbautoml.errors import MissingExtraError


def need(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Return an optional module.

    Parameters
    ----------
    module : str
        Its import path, such as ``"onnxruntime"``.
    extra : str
        The extra of nbautoml that brings it.
    purpose : str
        What it is needed for, as the end of "… is needed to".

    Raises
    ------
    MissingExtraError
        When it is not installed; the message says what to install.

    Examples
    --------
    >>> need("json", extra="none", purpose="write JSON").dumps([1])
    '[1]'
    >>> need("no_such_module", extra="onnx", purpose="write ONNX models")
    Traceback (most recent call last):
    ...
    nbautoml.errors.MissingExtraError: The package no_such_module is needed to write ONNX models. \
Install it: pip install 'nbautoml[onnx]'.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise _missing(module, extra, purpose) from error


def check_extra(*modules: str, extra: str, purpose: str) -> None:
    """Raise `MissingExtraError` when a module is not installed; nothing is loaded.

    Parameters
    ----------
    *modules : str
        Their import paths.
    extra, purpose : str
        As in `need`.
    """
    for module in modules:
        if find_spec(module) is None:
            raise _missing(module, extra, purpose)


def _missing(module: str, extra: str, purpose: str) -> MissingExtraError:
    package = module.partition(".")[0]
    return MissingExtraError(
        f"The package {package} is needed to {purpose}. "
        f"Install it: pip install 'nbautoml[{extra}]'."
    )
