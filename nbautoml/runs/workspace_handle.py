"""The least that stands for a workspace where only a store is at hand."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any  # Any: whatever a workspace has

from nbautoml.store.session import Session

# By its name, because a workspace stands above this part.
_WORKSPACE = ("nbautoml.workspace.workspace", "Workspace")


@dataclass(frozen=True, slots=True)
class WorkspaceHandle:
    """Anything with ``.session`` serves as a workspace below the workspace layer."""

    session: Session

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.session.address.name


class ContextWorkspace(WorkspaceHandle):
    """The workspace of the run that a script belongs to.

    It opens no more than the store; what only a `Workspace` has, such as
    ``get_default_datastore()``, is asked of one that is made then.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        module, attribute = _WORKSPACE
        workspace = getattr(importlib.import_module(module), attribute)
        return getattr(workspace(self.session), name)
