"""What a container image needs to serve models without nbautoml."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.errors import ConflictError
from nbautoml.registry.model import Model
from nbautoml.serving.configs import LOOPBACK, InferenceConfig
from nbautoml.serving.folder import read_json, write_json
from nbautoml.serving.revisions import Plan, make_revision, plan_revision
from nbautoml.store.session import HasSession

SERVER_PACKAGES = ("starlette", "uvicorn")
"""Beside the model's own packages: what its small server is made of."""
SCRIPT_PACKAGES = ("numpy", "pandas", "scikit-learn", "joblib")
"""For an entry script, whose imports are not known: what such scripts use; add the others."""
SCORING_FILE = "scoring_file_v_1_0_0.py"
PORT = 8000
_DOCKERFILE = """\
FROM python:{python}-slim
# libgomp1: threads of LightGBM and XGBoost
RUN apt-get update \\
    && apt-get install -y --no-install-recommends libgomp1 \\
    && rm -rf /var/lib/apt/lists/* \\
    && useradd --create-home scorer
WORKDIR /service
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
USER scorer
ENV OMP_NUM_THREADS=1
EXPOSE {port}
HEALTHCHECK CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/healthz')"
# docker run -p {port}:{port} -e SCORING_KEY=secret …
CMD ["uvicorn", "service:app", "--host", "0.0.0.0", "--port", "{port}"]
"""


class ModelPackage:
    """Models and what serves them, ready for ``docker build``.

    Parameters
    ----------
    plan : Plan
        What is served.
    name : str
        What it is called.
    """

    def __init__(self, plan: Plan, name: str) -> None:
        self._plan = plan
        self.name = name

    def save(self, local_dir: str | Path) -> str:
        """Write the folder for ``docker build``; return its path.

        It holds a ``Dockerfile``, ``requirements.txt`` with exact versions, ``service.py`` (the
        server, which needs no nbautoml), the models and the entry script.

        Parameters
        ----------
        local_dir : str or Path
            Made if need be; it must be empty.

        Raises
        ------
        ConflictError
            When there is something in the folder.
        """
        target = Path(local_dir).expanduser()
        if target.exists() and any(target.iterdir()):
            raise ConflictError(f"{target} is not empty; give another folder for the package.")
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="nbautoml-package-") as folder:
            revision = Path(folder) / "revision"
            make_revision(self._plan, revision, service=self.name, host=LOOPBACK, threads=1)
            job = read_json(revision / "job.json")
            for part in ("models", "source"):
                if (revision / part).is_dir():
                    shutil.copytree(revision / part, target / part)
        place = _place(job)
        write_json(target / "service.json", place)
        template = files("nbautoml.registry") / "templates" / "service.py"
        (target / "service.py").write_bytes(template.read_bytes())
        own = target / Path(place["script"]).parent / "requirements.txt"
        _write_requirements(target, own if self._plan.inference is None else None)
        python = ".".join(platform.python_version_tuple()[:2])
        (target / "Dockerfile").write_text(_DOCKERFILE.format(python=python, port=PORT))
        for path in target.rglob("*"):
            # The user of the image is another one.
            path.chmod(0o755 if path.is_dir() else 0o644)
        return str(target)


def package(
    workspace: HasSession,
    models: Sequence[Model],
    inference_config: InferenceConfig | None = None,
    *,
    trust: bool = False,
) -> ModelPackage:
    """Return a package of models; see `nbautoml.registry.model.Model.package`.

    Raises
    ------
    ConfigError
        When it cannot be told how requests are to be answered.
    ModelError
        When a model came from a file, and `trust` is false.
    """
    plan = plan_revision(workspace.session, models, inference_config, trust=trust)
    return ModelPackage(plan, ", ".join(plan.ids) or "service")


def _place(job: dict[str, Any]) -> dict[str, str]:
    entry = job["entry"]
    if entry["kind"] == "script":
        return {"script": entry["script"], "model_dir": job["model_dir"]}
    return {"script": f"{entry['folder']}/{SCORING_FILE}", "model_dir": entry["folder"]}


def _write_requirements(target: Path, own: Path | None) -> None:
    """Write the model's exact requirements and the server's; for a script what is usual."""
    if own is not None:
        lines = own.read_text(encoding="utf-8").splitlines()
    else:
        lines = [f"{name}=={importlib.metadata.version(name)}" for name in SCRIPT_PACKAGES]
    lines += [f"{name}=={importlib.metadata.version(name)}" for name in SERVER_PACKAGES]
    (target / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
