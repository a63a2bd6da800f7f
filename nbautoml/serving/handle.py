"""What can be asked of a deployment: the reading side of `Webservice`."""

from __future__ import annotations

import html
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any  # Any: JSON values

from nbautoml.domain.records import DeploymentRecord
from nbautoml.errors import WebserviceException
from nbautoml.registry.model import Model
from nbautoml.serving.configs import LOOPBACK
from nbautoml.serving.folder import Folder, read_json
from nbautoml.serving.keys import PRIMARY, SECONDARY, TOKEN_SECONDS, new_token
from nbautoml.serving.logfile import last_lines
from nbautoml.serving.standing import Standing, folder_of, standing_of
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.serving.drift import DriftReport


class ServiceHandle:
    """Looks at a deployment; it holds a name, never state.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        The deployment.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    @property
    def state(self) -> str:
        """``"Transitioning"``, ``"Healthy"``, ``"Unhealthy"`` or ``"Failed"``."""
        return self._standing().state

    @property
    def error(self) -> str:
        """What went wrong, in a sentence; empty when nothing did."""
        return self._standing().error

    @property
    def compute_type(self) -> str:
        """``"ACI"`` or ``"Local"``: the class that it was configured with."""
        return self._record().kind

    @property
    def port(self) -> int:
        """Where it listens on this machine; stays the same as long as the deployment lives."""
        port = self._record().port
        if port is None:
            raise WebserviceException(f"{self.name} has no address yet: it is {self.state}.")
        return port

    @property
    def scoring_uri(self) -> str:
        """The address for requests."""
        return f"http://{LOOPBACK}:{self.port}/score"

    @property
    def swagger_uri(self) -> str:
        """The address of the description of requests (OpenAPI); it asks for a key, too."""
        return f"http://{LOOPBACK}:{self.port}/swagger.json"

    @property
    def auth_enabled(self) -> bool:
        """Whether requests need a key."""
        return bool(self._settings().get("auth_enabled", True))

    @property
    def tags(self) -> dict[str, str]:
        """Words to find it by (a copy)."""
        return dict(self._record().tags)

    @property
    def properties(self) -> dict[str, str]:
        """Facts about it (a copy)."""
        return dict(self._record().properties)

    @property
    def description(self) -> str:
        """A text for people."""
        return self._record().description

    @property
    def created_time(self) -> datetime:
        """When it was made (UTC)."""
        return datetime.fromtimestamp(self._record().created_at, UTC)

    @property
    def updated_time(self) -> datetime:
        """When it was changed last (UTC)."""
        return datetime.fromtimestamp(self._record().updated_at, UTC)

    @property
    def models(self) -> list[Model]:
        """The models that it may serve now."""
        return [Model(self, id=model_id) for model_id in self._record().models]

    @property
    def session(self) -> Session:
        """The workspace's store, so that this stands for its workspace."""
        return self._session

    def get_logs(self, num_lines: int = 5000, init: bool = False) -> str:
        """Return the end of its log: starts, crashes, tracebacks of the entry script.

        Parameters
        ----------
        num_lines : int, default 5000
            How many lines.
        init : bool, default False
            The SDK's argument, of no use here: there is one log.
        """
        return last_lines(self._folder.log_file, num_lines)

    def get_keys(self) -> tuple[str, str]:
        """Return both keys; a request may bear either."""
        keys = self._settings().get("keys", {})
        return keys.get(PRIMARY, ""), keys.get(SECONDARY, "")

    def get_token(self) -> tuple[str, datetime]:
        """Return a token that serves as a key for an hour, and when to ask for a new one."""
        end = time.time() + TOKEN_SECONDS
        return new_token(self.get_keys()[0], expires_at=end), datetime.fromtimestamp(end, UTC)

    def get_request_log(self, num_lines: int = 5000) -> str:
        """Return one line a request, as far as that was switched on (``enable_app_insights``)."""
        return last_lines(self._folder.request_log, num_lines)

    def get_collected_data(self, num_lines: int = 5000) -> list[dict[str, Any]]:
        """Return requests and replies, as far as that was switched on (``collect_model_data``)."""
        text = last_lines(self._folder.data_log, num_lines)
        return [json.loads(line) for line in text.splitlines()]

    def get_drift(self, num_requests: int = 5000) -> DriftReport:
        """Return how far the rows of its requests are from the training data of its model.

        Requests have to be written down for that (``collect_model_data``).

        Parameters
        ----------
        num_requests : int, default 5000
            The newest ones, so many at most.

        Raises
        ------
        NotAvailableError
            When no requests were written down, or nothing is known of the training data.
        """
        # Here: most callers never ask, and it needs pandas.
        from nbautoml.serving.drift import drift_of

        return drift_of(self._session, self.name, n_requests=num_requests)

    def serialize(self) -> dict[str, Any]:
        """Return what is known of it as JSON values; no keys."""
        record, standing = self._record(), self._standing()
        return {
            "name": record.name,
            "computeType": record.kind,
            "state": standing.state,
            "error": standing.error,
            "scoringUri": None if record.port is None else self.scoring_uri,
            "swaggerUri": None if record.port is None else self.swagger_uri,
            "authEnabled": self.auth_enabled,
            "models": list(record.models),
            "description": record.description,
            "tags": dict(record.tags),
            "properties": dict(record.properties),
            "createdTime": self.created_time.isoformat(),
            "updatedTime": self.updated_time.isoformat(),
        }

    @property
    def _folder(self) -> Folder:
        return folder_of(self._session, self.name)

    def _record(self) -> DeploymentRecord:
        with self._session.read() as tx:
            return tx.deployments.get(self.name)

    def _standing(self) -> Standing:
        return standing_of(self._session, self._record())

    def _settings(self) -> dict[str, Any]:
        return read_json(self._folder.settings_file)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, state={self.state!r})"

    def _repr_html_(self) -> str:
        facts = {**self.serialize(), "models": ", ".join(self._record().models)}
        rows = ("state", "scoringUri", "models", "authEnabled", "error", "description")
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(str(facts[name]))}</td></tr>"
            for name in rows
            if facts[name] not in ("", None)
        )
        return f"<table><caption>Service <b>{html.escape(self.name)}</b></caption>{cells}</table>"
