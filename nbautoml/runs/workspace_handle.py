"""The least that stands for a workspace where only a store is at hand."""

from __future__ import annotations

from dataclasses import dataclass

from nbautoml.store.session import Session


@dataclass(frozen=True, slots=True)
class WorkspaceHandle:
    """Anything with ``.session`` serves as a workspace below the workspace layer."""

    session: Session

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.session.address.name
