"""The Jupyter server extension: live runs for JupyterLab and Notebook.

It holds no training, no cluster and no model: it reads workspaces and passes requests on.
"""

from nbautoml.labserver.extension import LabServerExtension

__all__ = ["LabServerExtension"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab's developer install where the built extension is."""
    return [{"src": "static/labextension", "dest": "nbautoml"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell the Jupyter server what to load."""
    return [{"module": "nbautoml.labserver", "app": LabServerExtension}]
