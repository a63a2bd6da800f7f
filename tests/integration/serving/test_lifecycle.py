"""A deployment's life: processes, keys, crashes, updates under load, its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import httpx
import psutil
import pytest

from nbautoml.errors import (
    ConfigError,
    ConflictError,
    ModelError,
    WebserviceException,
    WebserviceNotFoundError,
)
from nbautoml.registry.model import Model
from nbautoml.serving.configs import InferenceConfig
from nbautoml.serving.webservice import AciWebservice, LocalWebservice, Webservice
from tests.integration.serving.conftest import (
    Kit,
    ask,
    deleted_at_the_end,
    processes_of,
    worker_of,
)

pytestmark = pytest.mark.integration

Until = Callable[[Callable[[], object]], None]


def deployed(kit: Kit, name: str, model: Model, config: object = None) -> Webservice:
    service = Model.deploy(kit.ws, name, [model], deployment_config=config)
    service.wait_for_deployment()
    return service


def answer(service: Webservice, kit: Kit) -> str:
    return str(json.loads(service.run({"data": [kit.sample()]}))["result"][0])


def test_a_deployment_answers_and_leaves_nothing_behind(kit: Kit, model: Model) -> None:
    service = Model.deploy(workspace=kit.ws, name="heart-1", models=[model])
    with deleted_at_the_end(service):
        service.wait_for_deployment(show_output=True)
        assert service.state == "Healthy"
        assert (service.compute_type, service.auth_enabled) == ("ACI", True)
        assert service.scoring_uri == f"http://127.0.0.1:{service.port}/score"
        assert answer(service, kit) in ("yes", "no")
        assert [s.name for s in Webservice.list(kit.ws, model_name="heart")] == ["heart-1"]
        assert [m.id for m in service.models] == [model.id]
        processes = processes_of(service)
        port = service.port
    assert [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    assert not (kit.session.state_dir / "deployments" / "heart-1").exists()
    with socket.socket() as free:
        free.bind(("127.0.0.1", port))
    with pytest.raises(WebserviceNotFoundError, match="heart-1"):
        Webservice(kit.ws, "heart-1")


def test_a_name_is_given_once_unless_it_is_to_be_replaced(kit: Kit, model: Model) -> None:
    with deleted_at_the_end(deployed(kit, "twice", model)) as first:
        port = first.port
        with pytest.raises(ConflictError, match="overwrite=True"):
            Model.deploy(kit.ws, "twice", [model])
        assert first.state == "Healthy"
        second = Model.deploy(kit.ws, "twice", [model], overwrite=True)
        second.wait_for_deployment()
        assert answer(second, kit) in ("yes", "no")
        assert (second.port == port) or not _listens(port)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_of_ones_own(kit: Kit, model: Model) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = LocalWebservice.deploy_configuration(port=port)
    with deleted_at_the_end(deployed(kit, "own-port", model, config)) as service:
        assert (type(service), service.port) == (LocalWebservice, port)
        assert isinstance(Webservice(kit.ws, "own-port"), LocalWebservice)
        with pytest.raises(WebserviceException, match=f"Port {port} cannot be used"):
            Model.deploy(kit.ws, "other", [model], deployment_config=config)
    with pytest.raises(WebserviceNotFoundError):
        Webservice(kit.ws, "other")


def test_keys_are_replaced_at_once_and_tokens_end_with_them(kit: Kit, model: Model) -> None:
    with deleted_at_the_end(deployed(kit, "keys", model)) as service:
        first, second = service.get_keys()
        token, refresh_after = service.get_token()
        rows = [kit.sample()]
        assert refresh_after.timestamp() > time.time() + 3000
        assert {ask(service, rows, key=k).status_code for k in (first, second, token)} == {200}

        service.regen_key("Primary")
        service.regen_key("Secondary", set_key="a key of my own, long")

        assert {ask(service, rows, key=k).status_code for k in (first, second, token)} == {401}
        assert ask(service, rows).status_code == 200
        assert ask(service, rows, key="a key of my own, long").status_code == 200
        with pytest.raises(ConfigError, match="'Primary', 'Secondary'"):
            service.regen_key("Third")
        service.update(auth_enabled=False)
        assert ask(service, rows, key="none").status_code == 200
        files = kit.session.state_dir / "deployments" / "keys"
        assert (files / "settings.json").stat().st_mode & 0o077 == 0
        assert files.stat().st_mode & 0o077 == 0


def test_a_killed_worker_is_started_again_at_the_same_port(
    kit: Kit, model: Model, until: Until
) -> None:
    with deleted_at_the_end(deployed(kit, "killed", model)) as service:
        port, worker = service.port, worker_of(service)
        os.kill(worker.pid, signal.SIGKILL)
        # Whoever asks in between waits; nobody is refused.
        assert answer(service, kit) in ("yes", "no")
        until(lambda: service.state == "Healthy")
        assert service.port == port
        assert worker_of(service).pid != worker.pid
        assert "ended with -9" in service.get_logs()


def test_a_model_that_keeps_crashing_fails_with_its_log(
    kit: Kit, model: Model, tmp_path: Path, until: Until
) -> None:
    (tmp_path / "score.py").write_text(
        "import os\ndef init():\n    print('about to crash', flush=True)\n    os._exit(7)\n"
        "def run(data):\n    return 1\n"
    )
    config = InferenceConfig(entry_script="score.py", source_directory=str(tmp_path))
    service = Model.deploy(kit.ws, "crashing", [model], config)
    with deleted_at_the_end(service):
        with pytest.raises(WebserviceException, match="crashed 5 times in 60 s") as caught:
            service.wait_for_deployment()
        assert "about to crash" in str(caught.value)
        assert service.state == "Failed"
        # and callers are told, not left waiting
        response = ask(service, [kit.sample()])
        assert response.status_code == 503
        assert "crashed 5 times" in response.json()["detail"]


def test_a_killed_supervisor_takes_its_worker_with_it_and_can_be_started_again(
    kit: Kit, model: Model, until: Until
) -> None:
    with deleted_at_the_end(deployed(kit, "orphan", model)) as service:
        port, (supervisor, worker) = service.port, processes_of(service)
        os.kill(supervisor.pid, signal.SIGKILL)
        until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
        until(lambda: service.state == "Unhealthy")
        assert "reload()" in service.error
        assert [s.state for s in Webservice.list(kit.ws, compute_type="aci")] == ["Unhealthy"]
        service.reload(wait=True)
        assert (service.state, service.port) == ("Healthy", port)
        assert answer(service, kit) in ("yes", "no")


KERNEL = """
import json, os, sys, time
sys.path.insert(0, {path!r})
from nbautoml.domain.records import SessionAddress
from nbautoml.registry.model import Model
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import open_session
ws = WorkspaceHandle(open_session(SessionAddress(**json.loads(sys.argv[1]))))
service = Model.deploy(ws, "survivor", [Model(ws, "heart")])
service.wait_for_deployment()
print("up", flush=True)
time.sleep(600)
"""


def test_it_outlives_the_kernel_and_its_process_group(kit: Kit, model: Model) -> None:
    code = KERNEL.format(path=str(Path.cwd()))
    kernel = subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(asdict(kit.session.address))],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert kernel.stdout is not None
    assert kernel.stdout.readline().strip() == "up"
    os.killpg(kernel.pid, signal.SIGKILL)
    kernel.wait()
    kernel.stdout.close()
    service = Webservice(kit.ws, "survivor")
    with deleted_at_the_end(service):
        assert service.state == "Healthy"
        assert answer(service, kit) in ("yes", "no")


class Load:
    """Asks a service again and again from several threads, and keeps what it said."""

    def __init__(self, service: Webservice, row: object, *, threads: int = 3) -> None:
        self.answers: Counter[str] = Counter()
        self.order: list[str] = []
        self._stop = threading.Event()
        headers = {"Authorization": f"Bearer {service.get_keys()[0]}"}
        self._threads = [
            threading.Thread(target=self._ask, args=(service.scoring_uri, headers, row))
            for _ in range(threads)
        ]

    def _ask(self, uri: str, headers: dict[str, str], row: object) -> None:
        with httpx.Client(headers=headers, trust_env=False, timeout=30) as client:
            while not self._stop.is_set():
                try:
                    response = client.post(uri, json=[row])
                    said = response.json().get("predictions", [response.text])[0]
                except httpx.HTTPError as error:
                    said = repr(error)
                self.answers[said] += 1
                self.order.append(said)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_an_update_under_load_turns_nobody_away(kit: Kit, until: Until) -> None:
    old, new = kit.constant("constant", "old"), kit.constant("constant", "new")
    with deleted_at_the_end(deployed(kit, "updated", old)) as service:
        port = service.port
        with Load(service, kit.sample()) as load:
            until(lambda: load.answers["old"] > 20)
            service.update(models=[new])
            assert service.state == "Transitioning"
            service.wait_for_deployment()
            seen = len(load.order)
            until(lambda: len(load.order) > seen + 50)
        assert set(load.answers) == {"old", "new"}
        assert set(load.order[-20:]) == {"new"}
        assert service.port == port
        until(lambda: len(processes_of(service)) == 2)
        # only what serves is held on to
        old.delete()
        with pytest.raises(ConflictError, match="served by updated"):
            new.delete()
        revisions = kit.session.state_dir / "deployments" / "updated" / "revisions"
        assert [p.name for p in revisions.iterdir()] == ["2"]


def test_an_update_that_cannot_be_served_leaves_the_version_from_before(
    kit: Kit, model: Model, tmp_path: Path
) -> None:
    (tmp_path / "score.py").write_text("def init():\n    raise ValueError('no such file')\n")
    (tmp_path / "score.py").open("a").write("def run(data):\n    return 1\n")
    config = InferenceConfig(entry_script="score.py", source_directory=str(tmp_path))
    with deleted_at_the_end(deployed(kit, "kept", model)) as service:
        service.update(models=[model], inference_config=config)
        with pytest.raises(WebserviceException, match="no such file.*goes on") as caught:
            service.wait_for_deployment()
        assert "Traceback" in str(caught.value)
        assert answer(service, kit) in ("yes", "no")
        service.wait_for_deployment()
        assert service.state == "Healthy"


def test_a_second_version_gets_its_share_and_takes_over(kit: Kit, until: Until) -> None:
    old, new = kit.constant("split", "old"), kit.constant("split", "new")
    with deleted_at_the_end(deployed(kit, "split", old)) as service:
        service.create_version("blue", traffic_percentile=30, models=[new])
        service.wait_for_deployment()
        assert [v.traffic_percentile for v in service.versions.values()] == [70.0, 30.0]
        said = Counter(ask(service, [kit.sample()]).json()["predictions"][0] for _ in range(150))
        # 150 draws of 30 %: four standard deviations are 22
        assert 45 - 22 <= said["new"] <= 45 + 22, said
        with pytest.raises(ConflictError, match="second version, 'blue'"):
            service.create_version("green", models=[new])

        service.update_version("blue", traffic_percentile=100)
        assert {answer(service, kit) for _ in range(10)} == {"new"}
        # where the second one is gone, the first one answers
        canary = max(processes_of(service)[1:], key=lambda p: p.create_time())
        os.kill(canary.pid, signal.SIGKILL)
        assert answer(service, kit) in ("old", "new")

        service.update_version("blue", is_default=True)
        service.wait_for_deployment()
        until(lambda: len(processes_of(service)) == 2)
        assert list(service.versions) == ["default"]
        assert {answer(service, kit) for _ in range(5)} == {"new"}
        service.update_deployment_state()
        assert [m.id for m in service.models] == [new.id]


def test_a_second_version_is_taken_away_again(kit: Kit, until: Until) -> None:
    old, new = kit.constant("away", "old"), kit.constant("away", "new")
    with deleted_at_the_end(deployed(kit, "away", old)) as service:
        service.create_version("blue", traffic_percentile=100, models=[new])
        service.wait_for_deployment()
        assert answer(service, kit) == "new"
        service.delete_version("blue")
        until(lambda: len(processes_of(service)) == 2)
        assert answer(service, kit) == "old"
        with pytest.raises(LookupError, match="no second version 'blue'"):
            service.update_version("blue", traffic_percentile=5)
        with pytest.raises(ConfigError, match="from 0 to 100; got 101"):
            service.create_version("blue", traffic_percentile=101, models=[new])


def test_a_model_is_not_deleted_while_it_is_served(kit: Kit) -> None:
    model = kit.constant("needed", "yes")
    with (
        deleted_at_the_end(deployed(kit, "needs", model)),
        pytest.raises(ConflictError, match=r"needed:1 is served by needs"),
    ):
        model.delete()
    model.delete()


def test_a_model_from_elsewhere_needs_trust_or_a_script(
    kit: Kit, model: Model, tmp_path: Path
) -> None:
    model.download(tmp_path)
    foreign = Model.register(kit.ws, tmp_path / "outputs", "foreign")
    (tmp_path / "other.pkl").write_bytes(b"no pickle at all")
    other = Model.register(kit.ws, tmp_path / "other.pkl", "other")

    with pytest.raises(ModelError, match="trust=True"):
        Model.deploy(kit.ws, "foreign", [foreign])
    with pytest.raises(ConfigError, match="was not made by nbautoml"):
        Model.deploy(kit.ws, "foreign", [other])
    with pytest.raises(ConfigError, match="serves one model; got 2"):
        Model.deploy(kit.ws, "foreign", [model, foreign])
    service = Model.deploy(kit.ws, "foreign", [foreign], trust=True)
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        assert answer(service, kit) in ("yes", "no")


def test_files_that_were_changed_are_not_loaded(kit: Kit, model: Model, until: Until) -> None:
    with deleted_at_the_end(deployed(kit, "changed", model)) as service:
        folder = kit.session.state_dir / "deployments" / "changed" / "revisions" / "1"
        (file,) = folder.rglob("model.pkl")
        file.write_bytes(b"something else")
        os.kill(worker_of(service).pid, signal.SIGKILL)
        until(lambda: service.state == "Failed")
        assert "not the file that was registered" in service.error


def test_requests_and_replies_are_written_down_when_asked(
    kit: Kit, model: Model, until: Until
) -> None:
    config = AciWebservice.deploy_configuration(tags={"area": "hr"}, description="A try")
    with deleted_at_the_end(deployed(kit, "noted", model, config)) as service:
        answer(service, kit)
        assert (service.get_request_log(), service.get_collected_data()) == ("", [])

        service.update(enable_app_insights=True, collect_model_data=True)
        answer(service, kit)
        until(lambda: service.get_collected_data())

        assert " 200 " in service.get_request_log()
        assert model.id in service.get_request_log()
        (line,) = service.get_collected_data()
        assert json.loads(line["request"])["data"][0]["ward"] == "north"
        assert "result" in line["reply"]
        service.update(enable_app_insights=False, collect_model_data=False)
        answer(service, kit)
        assert len(service.get_collected_data()) == 1
        assert (service.tags, service.description) == ({"area": "hr"}, "A try")
        service.add_tags({"stage": "trial"})
        assert [s.name for s in Webservice.list(kit.ws, tags=[["stage", "trial"]])] == ["noted"]
        assert Webservice.list(kit.ws, tags={"stage": "other"}) == []


PLAIN = """
import time, asyncio, pydantic, orjson, pandas, lightgbm, sklearn.compose
print(time.process_time())
"""


def test_a_worker_starts_fast_and_stays_small(kit: Kit, model: Model) -> None:
    """It takes what its packages take, and little more: under 300 MB, and no seconds of its own."""
    service = deployed(kit, "small", model)
    with deleted_at_the_end(service):
        used = sum(p.memory_info().rss for p in processes_of(service))
        seconds = sum(worker_of(service).cpu_times()[:2])
    done = subprocess.run([sys.executable, "-c", PLAIN], capture_output=True, text=True, check=True)

    assert used < 300e6
    assert seconds < 1.7 * float(done.stdout)
