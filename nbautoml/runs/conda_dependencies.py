"""`CondaDependencies`: a list of packages, in the SDK's words and as a conda file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any  # Any: what a YAML file holds

import yaml

from nbautoml.errors import ConfigError, NotFoundError

DEFAULT_NAME = "project_environment"
_NAME = re.compile(r"(?:[\w.-]+::)?\s*([A-Za-z0-9._-]+)")


class CondaDependencies:
    """Packages that a script or a service needs; nothing is installed by it.

    Parameters
    ----------
    conda_dependencies_file_path : str or pathlib.Path, optional
        A conda file to begin with.

    Examples
    --------
    >>> packages = CondaDependencies.create(pip_packages=["joblib"], conda_packages=["pandas"])
    >>> packages.add_pip_package("scipy>=1.11")
    >>> packages.pip_packages, packages.conda_packages
    (['joblib', 'scipy>=1.11'], ['pandas'])
    """

    def __init__(
        self,
        conda_dependencies_file_path: str | Path | None = None,
        _underlying_structure: object = None,
    ) -> None:
        self._channels: list[str] = []
        self._conda: list[str] = []
        self._pip: list[str] = []
        self._options: list[str] = []
        self._name = DEFAULT_NAME
        if conda_dependencies_file_path is not None:
            self._take(read_conda_file(Path(conda_dependencies_file_path)))

    @classmethod
    def create(
        cls,
        pip_indexurl: str | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_packages: Sequence[str] | None = None,
        python_version: str | None = None,
        pin_sdk_version: bool = True,
        **_azure: Any,
    ) -> CondaDependencies:
        """Return a list of packages.

        Parameters
        ----------
        pip_indexurl : str, optional
            Kept as an option for pip.
        pip_packages, conda_packages : sequence of str, optional
            Packages, with versions where they matter.
        python_version : str, optional
            Kept; scripts run in the Python that is there.
        pin_sdk_version : bool
            The SDK's argument, of no use here.
        """
        made = cls()
        if python_version is not None:
            made.set_python_version(python_version)
        if pip_indexurl is not None:
            made.set_pip_index_url(pip_indexurl)
        for package in pip_packages or ():
            made.add_pip_package(package)
        for package in conda_packages or ():
            made.add_conda_package(package)
        return made

    @classmethod
    def from_dict(cls, content: Any) -> CondaDependencies:
        """Return the list that the content of a conda file states.

        Raises
        ------
        ConfigError
            When it is no such content.
        """
        made = cls()
        made._take(content)
        return made

    @property
    def conda_channels(self) -> list[str]:
        """Names of channels; kept, of no use here."""
        return list(self._channels)

    @property
    def conda_packages(self) -> list[str]:
        """Packages of conda, Python left out."""
        return [package for package in self._conda if package_name(package) != "python"]

    @property
    def pip_packages(self) -> list[str]:
        """Packages of pip."""
        return list(self._pip)

    @property
    def pip_options(self) -> list[str]:
        """Options for pip; kept, of no use here."""
        return list(self._options)

    def add_channel(self, channel: str) -> None:
        """Add a channel."""
        _add(self._channels, channel)

    def remove_channel(self, channel: str) -> None:
        """Take a channel off."""
        self._channels = [known for known in self._channels if known != channel]

    def add_conda_package(self, conda_package: str) -> None:
        """Add a package of conda, in place of another version of it."""
        self.remove_conda_package(conda_package)
        self._conda.append(_text(conda_package))

    def remove_conda_package(self, conda_package: str) -> None:
        """Take a package of conda off, whatever its version."""
        self._conda = _without(self._conda, conda_package)

    def add_pip_package(self, pip_package: str) -> None:
        """Add a package of pip, in place of another version of it."""
        self.remove_pip_package(pip_package)
        self._pip.append(_text(pip_package))

    def remove_pip_package(self, pip_package: str) -> None:
        """Take a package of pip off, whatever its version."""
        self._pip = _without(self._pip, pip_package)

    def set_pip_requirements(self, pip_requirements: Sequence[str]) -> None:
        """Replace the packages of pip."""
        self._pip = []
        for package in pip_requirements:
            self.add_pip_package(package)

    def set_pip_option(self, pip_option: str) -> None:
        """Add an option for pip."""
        _add(self._options, pip_option)

    def remove_pip_option(self, pip_option: str) -> None:
        """Take an option for pip off."""
        self._options = [known for known in self._options if known != pip_option]

    def set_pip_index_url(self, index_url: str) -> None:
        """Keep the address of a package index."""
        self.set_pip_option(f"--index-url {index_url}")

    def set_python_version(self, version: str) -> None:
        """Keep a version of Python."""
        self.add_conda_package(f"python={version}")

    def get_python_version(self) -> str | None:
        """Return the version of Python that is stated."""
        found = [package for package in self._conda if package_name(package) == "python"]
        return re.sub(r"^python[=<>!~ ]*", "", found[0]) or None if found else None

    def as_dict(self) -> dict[str, Any]:
        """Return the content of a conda file."""
        listed: list[Any] = list(self._conda)
        if self._pip or self._options:
            listed.append({"pip": [*self._options, *self._pip]})
        content: dict[str, Any] = {"name": self._name, "dependencies": listed}
        return content | ({"channels": list(self._channels)} if self._channels else {})

    def serialize_to_string(self) -> str:
        """Return the text of a conda file."""
        return yaml.safe_dump(self.as_dict(), sort_keys=False)

    def save(self, path: str | Path | None = None) -> str:
        """Write a conda file (``conda_dependencies.yml`` by default); return its path."""
        file = Path(path) if path is not None else Path("conda_dependencies.yml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.serialize_to_string(), encoding="utf-8")
        return str(file)

    def save_to_file(
        self, base_directory: str | Path, conda_file_path: str | Path | None = None
    ) -> str:
        """Write a conda file into a folder; return its path in the folder."""
        name = str(conda_file_path or "conda_dependencies.yml")
        self.save(Path(base_directory) / name)
        return name

    def __repr__(self) -> str:
        return self.serialize_to_string()

    def _take(self, content: Any) -> None:
        listed = content.get("dependencies") if isinstance(content, dict) else None
        if not isinstance(listed, list):
            raise ConfigError("A conda file needs a list called 'dependencies'.")
        self._name = str(content.get("name") or DEFAULT_NAME)
        self._channels = [str(channel) for channel in content.get("channels") or ()]
        for entry in listed:
            if isinstance(entry, dict):
                for package in entry.get("pip") or ():
                    _add(self._options if str(package).startswith("-") else self._pip, package)
            else:
                _add(self._conda, entry)


def read_conda_file(path: Path) -> Any:
    """Return what a conda file holds.

    Raises
    ------
    NotFoundError
        When it is not there.
    ConfigError
        When it is no YAML.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no conda file {path} (in {Path.cwd()}).")
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no conda file: {error}") from error


def package_name(package: str) -> str:
    """Return the name in a statement of a package, as indexes compare names.

    Examples
    --------
    >>> package_name("conda-forge::scikit_learn>=1.0"), package_name("pandas[excel]==2.0")
    ('scikit-learn', 'pandas')
    """
    found = _NAME.match(package.strip())
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found else ""


def _text(package: object) -> str:
    if not isinstance(package, str) or not package_name(package):
        raise ConfigError(f"A package must be a text such as 'pandas>=2.0'; got {package!r}.")
    return package.strip()


def _add(known: list[str], entry: object) -> None:
    text = str(entry).strip()
    if text not in known:
        known.append(text)


def _without(known: Sequence[str], package: str) -> list[str]:
    name = package_name(str(package))
    return [one for one in known if package_name(one) != name]
