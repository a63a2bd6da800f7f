"""One HTTP call to a deployment on this machine, with the standard library."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from nbautoml.errors import WebserviceException
from nbautoml.serving.configs import LOOPBACK

TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a service answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """Return the body as a JSON value.

        Raises
        ------
        WebserviceException
            When it is none.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            text = self.body[:200].decode("utf-8", errors="replace")
            raise WebserviceException(f"The service answered {text!r}, which is no JSON.") from None


def call(
    port: int,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    key: str = "",
    timeout: float = TIMEOUT_SECONDS,
) -> Reply:
    """Ask a service on this machine.

    Parameters
    ----------
    port : int
        Where it listens.
    method, path : str
        What is asked.
    body : bytes, optional
        JSON.
    key : str
        One of its keys.
    timeout : float, default 120
        Seconds to wait for the answer.

    Raises
    ------
    WebserviceException
        When nobody answers.
    """
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Reply(
            status=response.status,
            body=response.read(),
            headers={name.lower(): value for name, value in response.getheaders()},
        )
    except (OSError, http.client.HTTPException) as error:
        raise WebserviceException(
            f"Nobody answers at port {port}: {error or type(error).__name__}. "
            "service.state and service.get_logs() say more."
        ) from error
    finally:
        connection.close()


def explain(reply: Reply) -> str:
    """Return what a refusal says, as one sentence."""
    try:
        told = json.loads(reply.body)
        return f"{told['status']} {told['title']}: {told['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"{reply.status}: {reply.body[:500].decode('utf-8', errors='replace')}"
