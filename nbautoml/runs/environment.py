"""`Environment`: what a script needs, in the SDK's words.

Nothing is built or installed. A script runs in the Python that submits it, or in an interpreter
that the environment names; what is stated is compared with what is installed in the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any  # Any: JSON values, and arguments of the SDK that do nothing here

from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.runs.conda_dependencies import CondaDependencies, read_conda_file
from nbautoml.store.session import Session

__all__ = ["Environment"]

OWNER = "environments"
"""Owner of the stored environments: ``<name>/<version>.json``."""
_CURATED = "AzureML-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
_FILE = "environment.json"
_ANY_PYTHON = "python"


class PythonSection:
    """The part of an environment about Python.

    Attributes
    ----------
    conda_dependencies : CondaDependencies
        Packages that have to be there.
    user_managed_dependencies : bool
        Whether `interpreter_path` says what the script runs in; packages are not looked at then.
    interpreter_path : str
        Path of a Python; ``"python"`` is the one that submits the run.
    """

    def __init__(self) -> None:
        self.conda_dependencies = CondaDependencies()
        self.user_managed_dependencies = False
        self.interpreter_path = _ANY_PYTHON

    @property
    def own_interpreter(self) -> str | None:
        """Path of the Python that was named; None for the one that submits."""
        is_named = self.user_managed_dependencies and self.interpreter_path != _ANY_PYTHON
        return self.interpreter_path if is_named else None


class DockerSection:
    """Settings of the SDK about images: kept as they are set, of no use here."""

    def __init__(self) -> None:
        self.enabled = False
        self.base_image: str | None = None
        self.base_dockerfile: str | None = None


class Environment:
    """Packages, environment variables and, where one is named, an interpreter.

    Parameters
    ----------
    name : str
        Letters, digits, ``_``, ``-`` and ``.``, up to 255, a letter or digit first.

    Raises
    ------
    ConfigError
        When the name cannot be used.

    Examples
    --------
    >>> env = Environment("training")
    >>> env.python.conda_dependencies.add_pip_package("scikit-learn")
    >>> env.environment_variables = {"EPOCHS": "3"}
    >>> env
    Environment(Name: training, Version: None)
    """

    def __init__(self, name: str, **_azure: Any) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigError(
                f"An environment cannot be called {name!r}: use 1 to 255 letters, digits, '_', '-' "
                "or '.', with a letter or digit first."
            )
        self.name = name
        self.version: str | None = None
        self.python = PythonSection()
        self.docker = DockerSection()
        self.environment_variables: dict[str, str] = {}

    @classmethod
    def from_conda_specification(cls, name: str, file_path: str | Path) -> Environment:
        """Return an environment with the packages of a conda file.

        Raises
        ------
        NotFoundError
            When there is no such file.
        ConfigError
            When it is no conda file.
        """
        made = cls(name)
        content = read_conda_file(Path(file_path))
        made.python.conda_dependencies = CondaDependencies.from_dict(content)
        return made

    @classmethod
    def from_pip_requirements(
        cls, name: str, file_path: str | Path, pip_version: str | None = None
    ) -> Environment:
        """Return an environment with the packages of a requirements file.

        Options of pip in the file (lines that begin with ``-``) are kept, of no use here.

        Raises
        ------
        NotFoundError
            When there is no such file.
        """
        path = Path(file_path)
        if not path.is_file():
            raise NotFoundError(f"There is no requirements file {path} (in {Path.cwd()}).")
        made = cls(name)
        for line in path.read_text(encoding="utf-8").splitlines():
            text = re.sub(r"(^|\s)#.*", "", line).strip()
            if text.startswith("-"):
                made.python.conda_dependencies.set_pip_option(text)
            elif text:
                made.python.conda_dependencies.add_pip_package(text)
        return made

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Environment:
        """Return the environment that `as_dict` gave."""
        made = cls(content["name"])
        made.version = content.get("version")
        made.environment_variables = dict(content.get("environment_variables", {}))
        python = content.get("python", {})
        made.python.conda_dependencies = CondaDependencies.from_dict(python["conda"])
        made.python.user_managed_dependencies = bool(python["user_managed_dependencies"])
        made.python.interpreter_path = str(python["interpreter_path"])
        return made

    def as_dict(self) -> dict[str, Any]:
        """Return the environment as JSON values."""
        return {
            "name": self.name,
            "version": self.version,
            "environment_variables": {
                str(k): str(v) for k, v in self.environment_variables.items()
            },
            "python": {
                "conda": self.python.conda_dependencies.as_dict(),
                "user_managed_dependencies": bool(self.python.user_managed_dependencies),
                "interpreter_path": str(self.python.interpreter_path or _ANY_PYTHON),
            },
        }

    def clone(self, new_name: str) -> Environment:
        """Return a copy under another name, which is not registered."""
        return Environment.from_dict(self.as_dict() | {"name": new_name, "version": None})

    def register(self, workspace: Any) -> Environment:
        """Keep the environment in the workspace; return it with its version.

        What is the same as the latest version stays that version.
        """
        session: Session = workspace.session
        content = self.as_dict() | {"version": None}
        known = _versions(session, self.name)
        if known and _load(session, self.name, known[-1]).as_dict() | {"version": None} == content:
            return _load(session, self.name, known[-1])
        text = json.dumps(content, sort_keys=True).encode()
        stored = session.save_artifact(OWNER, f"{self.name}/new.json", text)
        with session.write() as tx:  # the version is chosen where nobody else writes
            version = _next(record.name for record in tx.artifacts.list(OWNER, f"{self.name}/"))
            tx.artifacts.add(replace(stored, name=f"{self.name}/{version}.json"))
        return _load(session, self.name, version)

    @staticmethod
    def get(
        workspace: Any, name: str, version: str | None = None, label: str | None = None
    ) -> Environment:
        """Return a registered environment.

        Names of Azure's curated environments (``AzureML-…``) give one without packages: the
        Python that submits the run stands for them.

        Parameters
        ----------
        workspace : Workspace
            Where it is registered.
        name : str
            Its name.
        version : str, optional
            Which version; the latest by default.
        label : str, optional
            The SDK's argument; only ``"latest"``.

        Raises
        ------
        NotFoundError
            When there is no such environment or version.
        """
        session: Session = workspace.session
        known = _versions(session, name)
        if not known and name.startswith(_CURATED):
            return Environment(name)
        if not known:
            names = Environment.list(workspace)
            raise NotFoundError(
                f"No environment is called {name!r}.{did_you_mean(name, names)} To make one: "
                "Environment(name).register(workspace)."
            )
        wanted = known[-1] if version is None else version
        if str(wanted) not in map(str, known):
            there = ", ".join(map(str, known))
            raise NotFoundError(f"Environment {name!r} has no version {wanted!r}; it has {there}.")
        return _load(session, name, int(wanted))

    @staticmethod
    def list(workspace: Any) -> dict[str, Environment]:
        """Return the latest version of each registered environment, by name."""
        session: Session = workspace.session
        with session.read() as tx:
            files = [record.name for record in tx.artifacts.list(OWNER)]
        names = sorted({Path(f).parent.name for f in files if Path(f).stem.isdecimal()})
        return {name: Environment.get(workspace, name) for name in names}

    def save_to_directory(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the environment into a folder, as ``environment.json``.

        Raises
        ------
        ConfigError
            When the file is there and `overwrite` is false.
        """
        file = Path(path) / _FILE
        if file.exists() and not overwrite:
            raise ConfigError(f"{file} is there already. To replace it: overwrite=True.")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(self.as_dict(), indent=2), encoding="utf-8")

    @classmethod
    def load_from_directory(cls, path: str | Path) -> Environment:
        """Return the environment that `save_to_directory` wrote.

        Raises
        ------
        NotFoundError
            When there is none in the folder.
        """
        file = Path(path) / _FILE
        if not file.is_file():
            raise NotFoundError(f"There is no environment in {path}: no file {_FILE}.")
        return cls.from_dict(json.loads(file.read_text(encoding="utf-8")))

    def __repr__(self) -> str:
        return f"Environment(Name: {self.name}, Version: {self.version})"


def _versions(session: Session, name: str) -> list[int]:
    with session.read() as tx:
        files = [record.name for record in tx.artifacts.list(OWNER, f"{name}/")]
    return sorted(int(stem) for file in files if (stem := Path(file).stem).isdecimal())


def _next(files: Any) -> int:
    numbers = [int(stem) for file in files if (stem := Path(file).stem).isdecimal()]
    return max(numbers, default=0) + 1


def _load(session: Session, name: str, version: int) -> Environment:
    content = json.loads(session.load_artifact(OWNER, f"{name}/{version}.json").read_bytes())
    return Environment.from_dict(content | {"version": str(version)})
