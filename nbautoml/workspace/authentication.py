"""The SDK's authentication classes: headers for the REST service of a workspace.

Nobody logs in anywhere: whoever can open the workspace's files can make a token for its service.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any  # Any: Azure's arguments without use here

from nbautoml.store.session import HasSession, Session, open_session
from nbautoml.workspace.api_tokens import create_token
from nbautoml.workspace.config_file import find_config, read_config

__all__ = ["InteractiveLoginAuthentication", "ServicePrincipalAuthentication"]

TOKEN_SECONDS = 3600.0
"""How long a token of a notebook is good for; the SDK's last about an hour, too."""
_SPARE_SECONDS = 300.0
_TOKEN_START = "nba_"


class InteractiveLoginAuthentication:
    """Gives the header with which the REST service of a workspace is called.

    Parameters
    ----------
    force, tenant_id, cloud
        Arguments of the SDK, of no use here.
    workspace : Workspace, optional
        Whose service is called; the one of the working directory when not given.

    Notes
    -----
    It makes a token that is good for an hour and for submitting and seeing runs, and makes another
    one before that ends. ``nbautoml api token create`` makes tokens for callers elsewhere.
    """

    def __init__(
        self,
        force: bool = False,
        tenant_id: str | None = None,
        cloud: str | None = None,
        *,
        workspace: HasSession | None = None,
        **_azure: Any,
    ) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def get_authentication_header(self) -> dict[str, str]:
        """Return the header: ``{"Authorization": "Bearer …"}``.

        Raises
        ------
        NotFoundError
            When no workspace was given, and there is none at the working directory or above.
        """
        return {"Authorization": f"Bearer {self.get_token()}"}

    def get_token(self) -> str:
        """Return the token alone."""
        with self._lock:
            if time.time() > self._good_until - _SPARE_SECONDS:
                self._token = self._new_token()
                self._good_until = time.time() + TOKEN_SECONDS
            return self._token

    def _new_token(self) -> str:
        if self._workspace is not None:
            return _make(self._workspace.session)
        with open_session(read_config(find_config(Path.cwd())).address) as session:
            return _make(session)


class ServicePrincipalAuthentication(InteractiveLoginAuthentication):
    """Gives the header with which a program calls the REST service.

    Parameters
    ----------
    tenant_id, service_principal_id
        Arguments of the SDK, of no use here.
    service_principal_password : str
        A token of ``nbautoml api token create``, which is then what is sent. Anything else is not
        used: a token is made as for `InteractiveLoginAuthentication`.
    workspace : Workspace, optional
        Whose service is called; the one of the working directory when not given.
    """

    def __init__(
        self,
        tenant_id: str | None = None,
        service_principal_id: str | None = None,
        service_principal_password: str = "",
        cloud: str | None = None,
        *,
        workspace: HasSession | None = None,
        **_azure: Any,
    ) -> None:
        super().__init__(workspace=workspace)
        self._given = str(service_principal_password or "").strip()

    def get_token(self) -> str:
        """Return the token alone."""
        is_token = self._given.startswith(_TOKEN_START)
        return self._given if is_token else super().get_token()


def _make(session: Session) -> str:
    token, _ = create_token(session, "a notebook", seconds=TOKEN_SECONDS)
    return token
