"""`Webservice`: a handle on a deployment, in the SDK's words. It holds a name, never state."""

from __future__ import annotations

import builtins
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any  # Any: JSON values, rows of any kind

from nbautoml.domain.records import DeploymentRecord
from nbautoml.errors import ConfigError, WebserviceException, did_you_mean
from nbautoml.registry.model import Model
from nbautoml.serving import client, lifecycle, versions
from nbautoml.serving.configs import ACI, LOCAL, LOOPBACK, DeploymentConfig, as_text
from nbautoml.serving.folder import write_json
from nbautoml.serving.handle import ServiceHandle
from nbautoml.serving.keys import new_key
from nbautoml.serving.standing import FAILED, HEALTHY, LOG_LINES, Standing
from nbautoml.serving.versions import Version
from nbautoml.store.session import HasSession, Session

POLL_SECONDS = 0.05
DOT_SECONDS = 1.0
WAIT_SECONDS = 600.0
KEY_NAMES = ("Primary", "Secondary")


class Webservice(ServiceHandle):
    """A deployment of a workspace.

    Parameters
    ----------
    workspace : Workspace
        Where it is listed.
    name : str
        Its name.

    Raises
    ------
    WebserviceNotFoundError
        When there is none of that name.
    """

    def __new__(cls, workspace: HasSession, name: str) -> Webservice:
        """Return an object of the class that the deployment was made with."""
        with workspace.session.read() as tx:
            kind = tx.deployments.get(name).kind
        return object.__new__(_CLASSES[kind] if cls is Webservice else cls)

    def __init__(self, workspace: HasSession, name: str) -> None:
        super().__init__(workspace.session, name)

    @staticmethod
    def list(
        workspace: HasSession,
        compute_type: str | None = None,
        model_name: str | None = None,
        model_id: str | None = None,
        tags: Sequence[Any] | Mapping[str, str] | None = None,
        properties: Sequence[Any] | Mapping[str, str] | None = None,
    ) -> builtins.list[Webservice]:
        """Return the deployments that fit, the newest first.

        Parameters
        ----------
        workspace : Workspace
            Where to look.
        compute_type : {"ACI", "Local"}, optional
            Only deployments of this kind.
        model_name, model_id : str, optional
            Only deployments of this model, or of this version (``name:version``).
        tags, properties : sequence or mapping, optional
            Words that must be there: ``["area"]``, ``[["area", "hr"]]`` or ``{"area": "hr"}``.
        """
        session = workspace.session
        with session.read() as tx:
            records = tx.deployments.list()
        return [
            webservice_of(session, record)
            for record in records
            if (compute_type is None or record.kind.lower() == compute_type.lower())
            and (model_id is None or model_id in record.models)
            and (model_name is None or model_name in {m.rpartition(":")[0] for m in record.models})
            and _has(record.tags, tags)
            and _has(record.properties, properties)
        ]

    def wait_for_deployment(
        self, show_output: bool = False, timeout_sec: float | None = None
    ) -> None:
        """Wait until it serves what was asked for last; an interrupt ends only the waiting.

        Parameters
        ----------
        show_output : bool, default False
            Whether to print that it goes on, and how it ended.
        timeout_sec : float, optional
            Longest time to wait; ten minutes when not given.

        Raises
        ------
        WebserviceException
            When it failed, with the end of its log, or took longer. After a failed update the
            version from before goes on.
        """
        say = sys.stdout.write if show_output else (lambda text: 0)
        say("Running")
        began = said = time.monotonic()
        while not (standing := self._standing()).is_settled:
            now = time.monotonic()
            if now - began > (WAIT_SECONDS if timeout_sec is None else timeout_sec):
                say("\nTimed out\n")
                raise WebserviceException(
                    f"{self.name} is {standing.state} after {now - began:.0f} s. It goes on; "
                    "get_logs() says what it does."
                )
            if now - said >= DOT_SECONDS:
                say(".")
                said = now
            time.sleep(POLL_SECONDS)
        is_good = standing.state == HEALTHY and not standing.error
        say(f"\n{'Succeeded' if is_good else 'Failed'}\n")
        say(f"Service deployment finished, state: {standing.state}\n")
        if not is_good:
            self._raise(standing)
        self.update_deployment_state()

    def update_deployment_state(self) -> None:
        """Write down which models are in use; states are read anew whenever they are asked for."""
        lifecycle.tidy(self._session, self._record())

    def run(self, input_data: Any) -> Any:
        """Send a request with a key, and return the reply.

        Parameters
        ----------
        input_data : str, bytes or JSON value
            As for the address: ``json.dumps({"data": [...]})`` or the object itself.

        Returns
        -------
        JSON value
            What the entry script or the model answered. The form ``{"data": ...}`` is answered
            with a JSON text, as the SDK's scripts did: ``json.loads(service.run(...))``.

        Raises
        ------
        WebserviceException
            When the request was refused; the message names row and column.
        """
        reply = client.call(self.port, "POST", "/score", body=_as_body(input_data), key=self._key())
        if reply.status != 200:
            raise WebserviceException(
                f"{self.name} answered {client.explain(reply)} (request "
                f"{reply.headers.get('x-request-id', 'unknown')})"
            )
        return reply.json()

    def regen_key(self, key: str, set_key: str | None = None) -> None:
        """Replace a key at once; the other one goes on.

        Parameters
        ----------
        key : {"Primary", "Secondary"}
            Which one.
        set_key : str, optional
            Its new value; a random one when not given.

        Raises
        ------
        ConfigError
            For another name, or a value of less than 16 characters.
        """
        name = str(key).capitalize()
        if name not in KEY_NAMES:
            raise ConfigError(
                f"key of regen_key must be one of {list(KEY_NAMES)}; got {key!r}."
                f"{did_you_mean(str(key), KEY_NAMES)}"
            )
        if set_key is not None and len(set_key) < 16:
            raise ConfigError("set_key of regen_key must have 16 characters or more.")
        keys = {**self._settings().get("keys", {}), name.lower(): set_key or new_key()}
        self._set(keys=keys)

    def update(
        self,
        models: Sequence[Model] | None = None,
        *,
        inference_config: Any = None,  # an InferenceConfig
        auth_enabled: bool | None = None,
        enable_app_insights: bool | None = None,
        collect_model_data: bool | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        trust: bool = False,
        wait: bool = False,
        **_azure: Any,
    ) -> None:
        """Change what it serves, or how; nobody who asks meanwhile is turned away.

        Parameters
        ----------
        models : sequence of Model, optional
            What to serve from now on; the present ones when only a script is given.
        inference_config : InferenceConfig, optional
            An entry script.
        auth_enabled : bool, optional
            Whether requests need a key.
        enable_app_insights : bool, optional
            Whether each request is written down with its time and status (`get_request_log`).
        collect_model_data : bool, optional
            Whether rows and replies are written down (`get_collected_data`).
        description, tags, properties : optional
            For people; tags and properties replace those that it has.
        trust : bool, default False
            As in ``Model.deploy``.
        wait : bool, default False
            Whether to wait until the new version serves.
        """
        flags = {
            "auth_enabled": auth_enabled,
            "log_requests": enable_app_insights,
            "log_data": collect_model_data,
        }
        self._check_auth(auth_enabled)
        self._set(**{name: value for name, value in flags.items() if value is not None})
        self._describe(description=description, tags=tags, properties=properties)
        if models is not None or inference_config is not None:
            wanted = self.models if models is None else models
            record = self._record()
            lifecycle.change(self._session, record, wanted, inference_config, trust=trust)
        if wait:
            self.wait_for_deployment()

    @property
    def versions(self) -> dict[str, Version]:
        """Its versions by name: ``default``, and a second one where there is one."""
        return versions.versions_of(self._session, self._record())

    def create_version(
        self,
        version_name: str,
        traffic_percentile: float = 10,
        models: Sequence[Model] | None = None,
        *,
        inference_config: Any = None,  # an InferenceConfig
        trust: bool = False,
    ) -> None:
        """Serve a second version that gets a share of the requests.

        Parameters
        ----------
        version_name : str
            Its name.
        traffic_percentile : float, default 10
            Its share of the requests, in percent.
        models : sequence of Model, optional
            What it serves; the models of the first version when only a script is given.
        inference_config : InferenceConfig, optional
            An entry script.
        trust : bool, default False
            As in ``Model.deploy``.

        Raises
        ------
        ConflictError
            When there is a second version.
        """
        versions.create_version(
            self._session,
            self._record(),
            version_name,
            percent=traffic_percentile,
            models=self.models if models is None else models,
            inference=inference_config,
            trust=trust,
        )

    def update_version(
        self,
        version_name: str,
        is_default: bool | None = None,
        traffic_percentile: float | None = None,
    ) -> None:
        """Change the share of the second version, or make it the first one for all requests.

        Raises
        ------
        NotFoundError
            When there is no second version of that name.
        """
        record = self._record()
        versions.update_version(
            self._session, record, version_name, is_default=is_default, percent=traffic_percentile
        )

    def delete_version(self, version_name: str) -> None:
        """End the second version; the first one answers everybody.

        Raises
        ------
        NotFoundError
            When there is no second version of that name.
        """
        versions.delete_version(self._session, self._record(), version_name)

    def reload(self, wait: bool = False) -> None:
        """Start it again at the same address, also after a restart of the machine.

        Raises
        ------
        WebserviceException
            When it does not start, or somebody else has its port now.
        """
        lifecycle.restart(self._session, self._record())
        if wait:
            self.wait_for_deployment()

    def delete(self) -> None:
        """End it and remove it with its logs; its models stay registered."""
        lifecycle.remove(self._session, self.name)

    def add_tags(self, tags: Mapping[str, str]) -> None:
        """Add tags, or change those of the same name."""
        self._describe(tags={**self.tags, **as_text(tags)})

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Take tags away by name."""
        gone = {tags} if isinstance(tags, str) else set(tags)
        self._describe(tags={k: v for k, v in self.tags.items() if k not in gone})

    def add_properties(self, properties: Mapping[str, str]) -> None:
        """Add properties."""
        self._describe(properties={**self.properties, **as_text(properties)})

    def _set(self, **changes: Any) -> None:
        self._record()  # one that was deleted has no settings
        if changes:
            write_json(self._folder.settings_file, {**self._settings(), **changes})

    def _key(self) -> str:
        return self.get_keys()[0]

    def _check_auth(self, auth_enabled: bool | None) -> None:
        host = self._record().settings.get("host", LOOPBACK)
        if auth_enabled is False and host != LOOPBACK:
            raise ConfigError(f"{self.name} listens on {host}, so its keys cannot be switched off.")

    def _describe(
        self,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        given: dict[str, Any] = {"description": description}
        given |= {"tags": None if tags is None else as_text(tags)}
        given |= {"properties": None if properties is None else as_text(properties)}
        changes = {name: value for name, value in given.items() if value is not None}
        if changes:
            with self._session.write() as tx:
                tx.deployments.update(replace(tx.deployments.get(self.name), **changes))

    def _raise(self, standing: Standing) -> None:
        """Say what failed; after a failed update the version that still serves is kept."""
        log = standing.log or self.get_logs(LOG_LINES)
        going_on = ""
        if standing.state != FAILED and lifecycle.roll_back(self._session, self._record()):
            going_on = " The version from before goes on."
        raise WebserviceException(
            f"{self.name} failed: {standing.error or standing.state}{going_on}\n"
            f"The end of its log (get_logs() has all of it):\n{log}"
        )


class AciWebservice(Webservice):
    """A deployment as notebooks for Azure Container Instances make it; it runs on this machine."""

    @staticmethod
    def deploy_configuration(
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str | None = None,
        auth_enabled: bool | None = None,
        *,
        primary_key: str | None = None,
        secondary_key: str | None = None,
        enable_app_insights: bool | None = None,
        collect_model_data: bool | None = None,
        port: int | None = None,
        host: str = LOOPBACK,
        **_azure: Any,
    ) -> DeploymentConfig:
        """Return what a deployment is like.

        Parameters
        ----------
        cpu_cores : float, optional
            Threads that its model may use, rounded down; when not given, all processors for
            requests of many rows, and one for the others.
        memory_gb : float, optional
            Kept and shown; nothing is held back for it.
        tags, properties : mapping of str to str, optional
            Words to find it by.
        description : str, optional
            A sentence for people.
        auth_enabled : bool, optional
            Whether requests need a key: they do unless this is False (in the SDK unless True).
        primary_key, secondary_key : str, optional
            Its keys; random ones when not given.
        enable_app_insights : bool, optional
            Whether each request is written down with its time and status.
        collect_model_data : bool, optional
            Whether rows and replies are written down.
        port : int, optional
            Where it listens; a free port when not given.
        host : str, default "127.0.0.1"
            The address that it listens on; ``"0.0.0.0"`` for other machines.
        **_azure
            Other arguments of the SDK (``ssl_enabled``, ``dns_name_label``, …): accepted, of no
            use here.
        """
        return DeploymentConfig(
            kind=ACI,
            port=port,
            host=host,
            cpu_cores=cpu_cores,
            memory_gb=memory_gb,
            description=description or "",
            tags=as_text(tags),
            properties=as_text(properties),
            auth_enabled=auth_enabled is not False,
            primary_key=primary_key,
            secondary_key=secondary_key,
            log_requests=bool(enable_app_insights),
            log_data=bool(collect_model_data),
        )


class LocalWebservice(Webservice):
    """A deployment on a port of your choice."""

    @staticmethod
    def deploy_configuration(
        port: int | None = None, *, auth_enabled: bool | None = None, host: str = LOOPBACK
    ) -> DeploymentConfig:
        """Return what a deployment is like.

        Parameters
        ----------
        port : int, optional
            Where it listens; a free port when not given.
        auth_enabled : bool, optional
            Whether requests need a key: they do unless this is False.
        host : str, default "127.0.0.1"
            The address that it listens on; ``"0.0.0.0"`` for other machines.
        """
        return DeploymentConfig(
            kind=LOCAL, port=port, host=host, auth_enabled=auth_enabled is not False
        )


_CLASSES: Mapping[str, type[Webservice]] = {ACI: AciWebservice, LOCAL: LocalWebservice}


class _Home:
    """Stands for a workspace where only its store is at hand."""

    def __init__(self, session: Session) -> None:
        self.session = session


def webservice_of(session: Session, record: DeploymentRecord) -> Webservice:
    """Return the handle on a deployment."""
    return _CLASSES[record.kind](_Home(session), record.name)


def _as_body(data: Any) -> bytes:
    if isinstance(data, bytes):
        return data
    return data.encode() if isinstance(data, str) else json.dumps(data).encode()


def _has(values: Mapping[str, str], wanted: Sequence[Any] | Mapping[str, str] | None) -> bool:
    """Whether words are there: names, pairs of name and value, or a mapping."""
    pairs = wanted.items() if isinstance(wanted, Mapping) else (wanted or ())
    asked = [(pair, None) if isinstance(pair, str) else tuple(pair) for pair in pairs]
    return all(
        name in values and (value is None or values[name] == str(value)) for name, value in asked
    )
