"""Which program shows the notebook of this kernel: not all of them can show the live view."""

from __future__ import annotations

import importlib
import os
import sys
from enum import StrEnum

from IPython.core.getipython import get_ipython

from nbautoml.errors import ConfigError, did_you_mean

VIEW_VARIABLE = "NBAUTOML_VIEW"
"""Environment variable that says how runs are shown, whatever the host: a `View`."""

# VS Code names the notebook in the first; it starts its kernels with the others.
_VSCODE_NAME = "__vsc_ipynb_file__"
_VSCODE_VARIABLES = ("VSCODE_PID", "VSCODE_CWD")
_COLAB_MODULE = "google.colab"


class View(StrEnum):
    """How a run is shown."""

    AUTO = "auto"
    """As the host can: a page that JupyterLab and Notebook 7 make live, else a widget."""
    PAGE = "page"
    """The page, live in JupyterLab and Notebook 7, replaced from time to time elsewhere."""
    WIDGET = "widget"
    """A widget that lives as long as the kernel."""


def wants_widget(asked: str | None = None) -> bool:
    """Return whether runs are to be shown as a widget here.

    Parameters
    ----------
    asked : str, optional
        A `View`; by default the one of the environment, else ``"auto"``.

    Raises
    ------
    ConfigError
        When there is no such view.

    Examples
    --------
    >>> wants_widget("widget"), wants_widget("page")
    (True, False)
    """
    name = asked or os.environ.get(VIEW_VARIABLE) or View.AUTO.value
    known = [view.value for view in View]
    if name not in known:
        raise ConfigError(
            f"A view must be one of {known}; got {name!r}.{did_you_mean(name, known)}"
        )
    if View(name) is not View.AUTO:
        return View(name) is View.WIDGET
    return is_vscode() or is_colab()


def allow_widgets() -> None:
    """Let a host show widgets that come from the kernel: Colab has to be asked to."""
    if is_colab():
        output = importlib.import_module("google.colab.output")
        output.enable_custom_widget_manager()


def is_vscode() -> bool:
    """Whether the kernel was started by VS Code."""
    shell = get_ipython()
    names = shell.user_ns if shell is not None else {}
    return _VSCODE_NAME in names or any(name in os.environ for name in _VSCODE_VARIABLES)


def is_colab() -> bool:
    """Whether the kernel is one of Google Colab."""
    return _COLAB_MODULE in sys.modules
