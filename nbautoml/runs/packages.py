"""What an environment states, compared with what this Python has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement

from nbautoml.errors import ConfigError
from nbautoml.runs.conda_dependencies import package_name
from nbautoml.runs.environment import Environment

Find = Callable[[str], str | None]
"""Returns the installed version of a package, None where it is not there."""

_NOT_PYTHON = frozenset(
    {
        *("python", "pip", "setuptools", "wheel", "conda", "git", "curl", "make", "cmake"),
        *("gcc", "gxx", "gcc-linux-64", "gxx-linux-64", "libgcc", "openssl", "ffmpeg", "nodejs"),
        *("openmpi", "mpich", "cudatoolkit", "cudnn", "nccl", "mkl", "blas", "r-base"),
    }
)
"""Packages of conda that no Python index knows, and those that every Python has."""

_PIP_NAMES: Mapping[str, str] = {
    "dask-core": "dask",
    "matplotlib-base": "matplotlib",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "pytables": "tables",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
}
"""Package of conda to its name in pip's index, where they differ."""

_SAME: Mapping[str, tuple[str, ...]] = {
    "fbprophet": ("prophet",),
    "opencv-python": ("opencv-python-headless",),
    "psycopg2": ("psycopg2-binary",),
    "sklearn": ("scikit-learn",),
    "tensorflow": ("tensorflow-cpu", "tensorflow-intel"),
    "tensorflow-gpu": ("tensorflow",),
    "xgboost": ("xgboost-cpu",),
}
"""Package to others that give the same module."""

_OURS = ("azureml", "inference-schema", "nbautoml")
"""Beginnings of packages whose place nbautoml takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How stated packages differ from what is there.

    Parameters
    ----------
    missing : tuple of str
        Stated packages that are not installed, as pip writes them.
    notes : tuple of str
        A sentence for each that is there in another version, or cannot be looked at.
    """

    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def check_packages(environment: Environment, find: Find | None = None) -> tuple[str, ...]:
    """Return what a reader should know of the packages that an environment states.

    Nothing is looked at where the environment's Python is managed by its user.

    Parameters
    ----------
    environment : Environment
        What is stated.
    find : callable, optional
        Finds versions; those of this Python by default.

    Raises
    ------
    ConfigError
        When packages are missing; the message is the line that installs them.
    """
    if environment.python.user_managed_dependencies:
        return ()
    found = compare_packages(environment, find or installed_version)
    if found.missing:
        words = " ".join(shlex.quote(package) for package in found.missing)
        raise ConfigError(
            f"Environment {environment.name!r} states packages that this Python does not have: "
            f"{', '.join(found.missing)}. The script runs in the Python that submits it; install "
            f"them there: pip install {words}"
        )
    return found.notes


def compare_packages(environment: Environment, find: Find) -> Comparison:
    """Return how the packages of an environment differ from those that `find` knows."""
    missing, notes = [], []
    for stated in _stated(environment):
        requirement = _requirement(stated)
        if requirement is None:
            notes.append(
                f"Stated was {stated!r}; it is no package of an index and is not looked at."
            )
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        names = (requirement.name, *_SAME.get(package_name(requirement.name), ()))
        version = next((v for name in names if (v := find(name)) is not None), None)
        if version is None:
            missing.append(f"{requirement.name}{requirement.specifier}")
        elif not requirement.specifier.contains(version, prereleases=True):
            notes.append(f"Stated was {stated}; the script runs with version {version}.")
    return Comparison(missing=tuple(missing), notes=tuple(notes))


def stated_names(environment: Environment) -> tuple[str, ...]:
    """Return the names of the packages that an environment states, sorted.

    Examples
    --------
    >>> env = Environment("training")
    >>> env.python.conda_dependencies.add_pip_package("scikit-learn>=1.5")
    >>> stated_names(env)
    ('scikit-learn',)
    """
    found = (_requirement(stated) for stated in _stated(environment))
    return tuple(sorted(requirement.name for requirement in found if requirement is not None))


def installed_version(name: str) -> str | None:
    """Return the version of a package of this Python, None where it is not installed.

    Examples
    --------
    >>> installed_version("surely-not-installed") is None
    True
    """
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _stated(environment: Environment) -> Iterator[str]:
    """Yield what pip would be asked for, each package once; addresses as they are."""
    packages = environment.python.conda_dependencies
    known = set()
    for stated in (*packages.pip_packages, *map(_as_pip, packages.conda_packages)):
        if _requirement(stated) is None:
            yield stated
            continue
        name = package_name(stated)
        if name in known or name in _NOT_PYTHON or name.startswith(_OURS):
            continue
        known.add(name)
        yield stated


def _as_pip(stated: str) -> str:
    """Return how pip writes a package of conda.

    Examples
    --------
    >>> _as_pip("conda-forge::py-xgboost<=1.3"), _as_pip("pandas=1.1"), _as_pip("numpy 1.18")
    ('xgboost<=1.3', 'pandas==1.1.*', 'numpy==1.18.*')
    """
    text = re.sub(r"^[\w.-]+::", "", stated.strip())
    found = re.match(r"[A-Za-z0-9._-]+", text)
    name = found[0] if found else text
    spec = text[len(name) :].strip()
    if exact := re.fullmatch(r"=?\s*(\d[\w.]*?)(?:\.?\*)?(?:=\w+)?", spec):
        spec = f"=={exact[1]}.*"
    return f"{_PIP_NAMES.get(package_name(name), name)}{spec}"


def _requirement(stated: str) -> Requirement | None:
    try:
        return Requirement(stated)
    except InvalidRequirement:
        return None
