"""A package for a container: each step of its Dockerfile that can be done without Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from nbautoml.errors import ConflictError
from nbautoml.registry.model import Model
from nbautoml.serving.configs import InferenceConfig
from tests.integration.serving.conftest import Kit
from tests.integration.test_bundle_clean_environment import CleanEnvironment

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> CleanEnvironment:
    return CleanEnvironment(tmp_path_factory.mktemp("clean") / "env")


@pytest.fixture(scope="module")
def package(kit: Kit, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(Model.package(kit.ws, [model]).save(tmp_path_factory.mktemp("image")))


class Container:
    """The command of a Dockerfile, in a copy of its folder, in a Python without nbautoml."""

    def __init__(self, package: Path, folder: Path, clean: CleanEnvironment) -> None:
        dockerfile = (package / "Dockerfile").read_text()
        self.dockerfile = dockerfile
        (command,) = re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
        words = json.loads(command)
        port = str(_free_port())
        words = [port if word == "8000" else word for word in words]
        words[words.index("--host") + 1] = "127.0.0.1"
        shutil.copytree(package, folder)
        self.address = f"http://127.0.0.1:{port}"
        environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "SCORING_KEY": "secret"}
        self.process = subprocess.Popen(
            [clean.python, "-m", *words], cwd=folder, env=environment, stderr=subprocess.PIPE
        )

    def wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.address}/healthz", trust_env=False).text == "Healthy":
                    return
            except httpx.TransportError:
                time.sleep(0.1)
            assert self.process.poll() is None, self.process.stderr.read().decode()
        raise AssertionError("it never answered")

    def ask(self, body: object, key: str = "secret") -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{self.address}/score"
        return httpx.post(url, json=body, headers=headers, trust_env=False, timeout=30)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.process.stderr.close()


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def container(
    package: Path, clean: CleanEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    container = Container(package, tmp_path_factory.mktemp("run") / "service", clean)
    try:
        container.wait()
        yield container
    finally:
        container.stop()


def test_requirements_are_exact_and_installed_here(package: Path) -> None:
    lines = (package / "requirements.txt").read_text().splitlines()
    pins = [line.split(" ;")[0].split("==") for line in lines]

    assert {"lightgbm", "scikit-learn", "starlette", "uvicorn"} <= {name for name, _ in pins}
    assert [[name, version(name)] for name, _ in pins] == pins


def test_the_dockerfile_runs_as_somebody_without_rights(container: Container) -> None:
    lines = container.dockerfile.splitlines()

    assert lines.index("USER scorer") < next(i for i, x in enumerate(lines) if x.startswith("CMD"))
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert "libgomp1" in container.dockerfile
    assert "nbautoml" not in container.dockerfile


def test_every_file_can_be_read_by_others(package: Path) -> None:
    assert [p for p in package.rglob("*") if not p.stat().st_mode & 0o004] == []


def test_it_answers_both_forms_as_the_model_does(
    container: Container, kit: Kit, model: Model
) -> None:
    rows = json.loads(kit.rows.head(10).to_json(orient="records", date_format="iso"))
    expected = model.load().predict(kit.rows.head(10)).tolist()

    assert json.loads(container.ask({"data": rows}).json()) == {"result": expected}
    assert container.ask({"Inputs": {"data": rows}}).json() == {"Results": expected}


def test_it_refuses_what_it_cannot_answer(container: Container, kit: Kit) -> None:
    assert container.ask({"data": [kit.sample()]}, key="other").status_code == 401
    assert container.ask({"data": []}).status_code == 400
    headers = {"Authorization": "Bearer secret"}
    url = f"{container.address}/score"
    assert httpx.post(url, content=b"{", headers=headers, trust_env=False).status_code == 400


def test_a_package_needs_an_empty_folder(kit: Kit, model: Model, package: Path) -> None:
    with pytest.raises(ConflictError, match="is not empty"):
        Model.package(kit.ws, [model]).save(package)


def test_a_script_is_packed_with_its_folder(
    kit: Kit, model: Model, clean: CleanEnvironment, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "score.py").write_text(
        "import os\ndef init():\n    pass\n"
        "def run(data):\n    return [open('words.txt').read(), "
        "os.path.exists(os.environ['AZUREML_MODEL_DIR'] + '/model.pkl')]\n"
    )
    (source / "words.txt").write_text("hello")
    config = InferenceConfig("score.py", source_directory=source)
    folder = Model.package(kit.ws, [model], config).save(tmp_path / "image")
    container = Container(Path(folder), tmp_path / "run", clean)
    try:
        container.wait()
        assert container.ask({}).json() == ["hello", True]
    finally:
        container.stop()
