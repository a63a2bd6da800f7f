"""How a model is deployed: the entry script, keys, port, in the SDK's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any  # Any: arguments of the SDK that do nothing here

from nbautoml.errors import ConfigError, NotFoundError

LOOPBACK = "127.0.0.1"
ACI, LOCAL = "ACI", "Local"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_MAX_PORT = 65_535


def check_deployment_name(name: object) -> str:
    """Return a name that a deployment may have.

    Raises
    ------
    ConfigError
        When it may not.

    Examples
    --------
    >>> check_deployment_name("heart-failure")
    'heart-failure'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            "The name of a deployment must be 1 to 63 letters, digits, '.', '_' or '-', and begin "
            f"with a letter or a digit; got {name!r}."
        )
    return name


class InferenceConfig:
    """An entry script of your own: ``init()`` loads the model, ``run(data)`` answers a request.

    Parameters
    ----------
    entry_script : str or Path
        The script; relative to `source_directory` where that is given.
    runtime, conda_file : object
        The SDK's older arguments, of no use here: services run in the Python that deploys them.
    source_directory : str or Path, optional
        Folder that is copied with the script; the service works in the copy. Without it only
        the script is copied.
    environment : Environment, optional
        Its ``environment_variables`` are set for the script; packages are those of this Python.
    description : str, optional
        A sentence for people.
    **_azure
        Other arguments of the SDK: accepted, of no use here.

    Examples
    --------
    >>> InferenceConfig("score.py", source_directory="service").entry_script
    'score.py'
    """

    def __init__(
        self,
        entry_script: str | Path,
        runtime: object = None,
        conda_file: object = None,
        source_directory: str | Path | None = None,
        *,
        environment: Any = None,
        description: str | None = None,
        **_azure: Any,
    ) -> None:
        self.entry_script = str(entry_script)
        self.source_directory = None if source_directory is None else str(source_directory)
        self.environment = environment
        self.description = description or ""

    def validate_configuration(self) -> None:
        """Check that the script is there.

        Raises
        ------
        NotFoundError
            When it is not.
        """
        self.locate()

    def locate(self) -> tuple[Path, Path]:
        """Return the folder to copy (or the script alone), and the script.

        Raises
        ------
        NotFoundError
            When the folder or the script is not there.
        ConfigError
            When the script is outside of the folder.
        """
        script = Path(self.entry_script).expanduser()
        if self.source_directory is None:
            return self._existing(script), script.resolve()
        folder = Path(self.source_directory).expanduser()
        if not folder.is_dir():
            raise NotFoundError(
                f"source_directory of InferenceConfig is no folder: {folder} (in {Path.cwd()})."
            )
        inside = (folder / script).resolve()
        if not inside.is_relative_to(folder.resolve()):
            raise ConfigError(
                f"entry_script of InferenceConfig must lie in source_directory {folder}; got "
                f"{self.entry_script!r}."
            )
        self._existing(folder / script)
        return folder.resolve(), inside

    def _existing(self, script: Path) -> Path:
        if not script.is_file():
            raise NotFoundError(
                f"entry_script of InferenceConfig: there is no file {script} (in {Path.cwd()}). "
                "A cell that begins with %%writefile score.py writes one."
            )
        return script.resolve()

    def variables(self) -> dict[str, str]:
        """Return the environment variables that the script gets."""
        found = getattr(self.environment, "environment_variables", None)
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}

    def __repr__(self) -> str:
        return (
            f"InferenceConfig(entry_script={self.entry_script!r}, "
            f"source_directory={self.source_directory!r})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConfig:
    """What a deployment is like, apart from what it serves.

    Made by ``AciWebservice.deploy_configuration`` and ``LocalWebservice.deploy_configuration``.
    Keys are asked for unless `auth_enabled` is false; `host` is loopback unless it is said.
    """

    kind: str = ACI
    port: int | None = None
    host: str = LOOPBACK
    cpu_cores: float | None = None
    memory_gb: float | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    auth_enabled: bool = True
    primary_key: str | None = field(default=None, repr=False)
    secondary_key: str | None = field(default=None, repr=False)
    log_requests: bool = False
    log_data: bool = False

    def __post_init__(self) -> None:
        """Check what was given.

        Raises
        ------
        ConfigError
            When a value cannot be.
        """
        port = 1 if self.port is None else self.port
        is_whole = isinstance(port, int) and not isinstance(port, bool)
        if not is_whole or not 0 < port <= _MAX_PORT:
            raise ConfigError(f"port of a deployment must be 1 to {_MAX_PORT}; got {port!r}.")
        if self.cpu_cores is not None and not self.cpu_cores > 0:
            raise ConfigError(f"cpu_cores of a deployment must be above 0; got {self.cpu_cores!r}.")
        if self.host != LOOPBACK and not self.auth_enabled:
            raise ConfigError(
                f"A deployment that others can reach (host={self.host!r}) needs keys: leave "
                "auth_enabled as it is, or listen on this machine alone."
            )

    @property
    def threads(self) -> int | None:
        """Threads that a model may use; None for all processors, where there are many rows."""
        return None if self.cpu_cores is None else max(1, int(self.cpu_cores))


def as_text(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Return tags or properties as text."""
    return {str(key): str(value) for key, value in (values or {}).items()}


def describe_configuration(
    models: Sequence[str], inference: InferenceConfig | None, deployment: DeploymentConfig | None
) -> str:
    """Return models, entry script and settings of a deployment as lines of text; no keys.

    Examples
    --------
    >>> print(describe_configuration(["churn:1"], None, DeploymentConfig(port=8000)), end="")
    models: churn:1
    entry script: none, nbautoml answers
    kind: ACI
    port: 8000
    host: 127.0.0.1
    auth_enabled: True
    """
    config = deployment or DeploymentConfig()
    hidden = ("primary_key", "secondary_key")
    facts: dict[str, Any] = {
        "models": ", ".join(models) or "none",
        "entry script": inference.entry_script if inference else "none, nbautoml answers",
        "source_directory": inference.source_directory if inference else None,
        **{f.name: getattr(config, f.name) for f in fields(config) if f.name not in hidden},
    }
    return "".join(f"{name}: {value}\n" for name, value in facts.items() if value)
