"""Servers of one model: a deployment, ``mlflow models serve``, and the least that serves it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pandas as pd
import psutil

from nbautoml import AutoMLRun, Webservice

MEGABYTE = 1e6
LEAST = """
import json, pickle, sys
import pandas as pd, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
model = pickle.load(open(sys.argv[1], "rb"))
async def healthz(request): return PlainTextResponse("ok")
async def score(request):
    rows = pd.DataFrame(json.loads(await request.body()))
    return JSONResponse({"predictions": model.predict(rows).tolist()})
app = Starlette(routes=[Route("/healthz", healthz), Route("/score", score, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One that runs.

    Parameters
    ----------
    address : str
        Where rows are posted.
    body : callable
        Writes rows as the server wants them.
    ready_seconds : float
        From its start to its first answer.
    pids : sequence of int
        Its processes.
    headers : mapping
        Sent with each request.
    """

    address: str
    body: Callable[[pd.DataFrame], bytes]
    ready_seconds: float
    pids: Sequence[int]
    headers: Mapping[str, str] = field(default_factory=dict)

    def memory(self) -> float:
        """Return what its processes hold, in megabytes."""
        return sum(psutil.Process(pid).memory_info().rss for pid in self.pids) / MEGABYTE

    def processor_seconds(self) -> float:
        """Return the processor time that its processes took so far."""
        times = [psutil.Process(pid).cpu_times() for pid in self.pids]
        return sum(one.user + one.system for one in times)


@contextmanager
def deployment(run: AutoMLRun) -> Iterator[tuple[Server, Webservice]]:
    """Give a deployment of a run's best model."""
    began = time.perf_counter()
    service = run.deploy("bench")
    try:
        service.wait_for_deployment()
        yield (
            Server(
                address=service.scoring_uri,
                body=cells,
                ready_seconds=time.perf_counter() - began,
                pids=[process.pid for process in processes(service)],
                headers={"Authorization": f"Bearer {service.get_keys()[0]}"},
            ),
            service,
        )
    finally:
        service.delete()


@contextmanager
def mlflow_serve(run: AutoMLRun) -> Iterator[Server]:
    """Give ``mlflow models serve`` of the same bundle, with the packages of this environment."""
    with tempfile.TemporaryDirectory(prefix="bench-mlflow-") as folder:
        model = run.register_model("bench-mlflow").export_mlflow(f"{folder}/model")
        port = free_port()
        words = ["models", "serve", "-m", model, "--env-manager", "local", "-p", str(port)]
        command = [sys.executable, "-m", "mlflow", *words]
        with _started(command, folder, f"http://127.0.0.1:{port}/ping") as (seconds, pids):
            yield Server(
                address=f"http://127.0.0.1:{port}/invocations",
                body=lambda rows: json.dumps(
                    {"dataframe_split": json.loads(rows.to_json(orient="split", index=False))}
                ).encode(),
                ready_seconds=seconds,
                pids=pids,
            )


@contextmanager
def least(run: AutoMLRun) -> Iterator[Server]:
    """Give one route of Starlette, without keys, checks, log or supervisor."""
    with tempfile.TemporaryDirectory(prefix="bench-least-") as folder:
        model = run.register_model("bench-least").download(folder)
        port = free_port()
        command = [sys.executable, "-c", LEAST, f"{model}/model.pkl", str(port)]
        with _started(command, folder, f"http://127.0.0.1:{port}/healthz") as (seconds, pids):
            yield Server(
                address=f"http://127.0.0.1:{port}/score",
                body=records,
                ready_seconds=seconds,
                pids=pids,
            )


def cells(rows: pd.DataFrame) -> bytes:
    """Write rows as lists of cells, without names: the most compact form, as MLflow's split is."""
    return json.dumps(json.loads(rows.to_json(orient="values"))).encode()


def records(rows: pd.DataFrame) -> bytes:
    """Write rows as a list of records."""
    return json.dumps(json.loads(rows.to_json(orient="records"))).encode()


def processes(service: Webservice) -> list[psutil.Process]:
    """Return a deployment's supervisor and its worker."""
    with service.session.read() as tx:
        owner = tx.deployments.get(service.name).owner
    assert owner is not None
    supervisor = psutil.Process(owner.pid)
    return [supervisor, *supervisor.children()]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _started(command: list[str], folder: str, health: str) -> Iterator[tuple[float, list[int]]]:
    """Run a server; give the seconds until it answered, and its processes."""
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/none.db"}
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    own = psutil.Process(process.pid)
    try:
        while not _answers(health):
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command[:6])} ended with {process.returncode}.")
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        yield seconds, [own.pid, *(child.pid for child in own.children(recursive=True))]
    finally:
        for child in own.children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
