"""What a deployment costs: time until it answers, time of an answer, rows a second, memory.

    OMP_NUM_THREADS=1 python -m benchmarks.serving --requests 300
    python -m benchmarks.serving storm --requests 10000     see `benchmarks.storm`

One model (LightGBM, 100 trees, behind the features that a run makes) is trained on made-up rows of
numbers and words by a run of its own, deployed, and asked over loopback: one row and a thousand
rows at a time, by one caller and by four. ``model`` is `predict_proba` of the same rows in this
process: what no server can be faster than. ``plain`` is the least that serves the same model with
the same packages: one route of FastAPI, without keys, checks, log or supervisor. ``update``
counts answers and failures while another version takes over.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import psutil
from sklearn.dummy import DummyClassifier

from nbautoml import AutoMLConfig, AutoMLRun, Experiment, Model, Webservice, Workspace
from nbautoml.registry.bundle import export_bundle
from nbautoml.registry.schema import describe_frame

SEED = 0
ROWS = 5_000
MILLISECOND = 1e-3
MEGABYTE = 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("cost", "storm"), default="cost")
    parser.add_argument("--requests", type=int, default=300)
    given = parser.parse_args()
    if given.what == "storm":
        storm(given.requests)
        return
    with tempfile.TemporaryDirectory(prefix="bench-serving-") as folder:
        workspace = Workspace.create("bench", path=folder)
        frame = make_rows()
        run = train(workspace, frame)
        began = time.perf_counter()
        service = run.deploy("bench")
        try:
            service.wait_for_deployment()
            ready = time.perf_counter() - began
            report(service, run, frame.drop(columns="label"), given.requests, ready=ready)
            plain(run, frame.drop(columns="label"), given.requests)
            update(service, run, frame.drop(columns="label"))
        finally:
            service.delete()
            workspace.session.close()


def make_rows() -> pd.DataFrame:
    """Return rows of numbers and words with a label that follows from both."""
    rng = np.random.default_rng(SEED)
    numbers = rng.normal(size=(ROWS, 8))
    words = rng.choice(["a", "b", "c", "d"], size=(ROWS, 3))
    score = numbers[:, 0] - numbers[:, 1] * numbers[:, 2] + (words[:, 0] == "a")
    frame = pd.DataFrame(numbers, columns=[f"n{i}" for i in range(8)])
    for place in range(3):
        frame[f"w{place}"] = words[:, place]
    return frame.assign(label=np.where(score + rng.normal(size=ROWS) > 0, "yes", "no"))


def train(workspace: Workspace, frame: pd.DataFrame) -> AutoMLRun:
    """Return a finished run of one family."""
    config = AutoMLConfig(
        task="classification",
        training_data=frame,
        label_column_name="label",
        primary_metric="AUC_weighted",
        iterations=2,
        n_cross_validations=2,
        allowed_models=["LightGBM"],
        enable_voting_ensemble=False,
        enable_stack_ensemble=False,
    )
    run = Experiment(workspace, "bench").submit(config)
    run.wait_for_completion()
    return run


def report(
    service: Webservice, run: AutoMLRun, rows: pd.DataFrame, n: int, *, ready: float
) -> None:
    """Print times and memory of a deployment."""
    used = [p.memory_info().rss / MEGABYTE for p in processes(service)]
    memory = " + ".join(f"{megabytes:.0f}" for megabytes in used)
    sys.stdout.write(f"ready after {ready:.2f} s; memory {memory} MB\n")
    model = run.get_output()[1]
    sys.stdout.write(f"{'':28}{'p50 ms':>9}{'p99 ms':>9}{'rows/s':>10}\n")
    for n_rows in (1, 1000):
        part = rows.head(n_rows)
        body = json.dumps(json.loads(part.to_json(orient="records"))).encode()
        times = [timed(lambda part=part: model.predict_proba(part)) for _ in range(min(n, 100))]
        show(f"model, {n_rows} rows", times, n_rows, sum(times))
        compare("HTTP", service.scoring_uri, service.get_keys()[0], body, n_rows, n)


def compare(name: str, address: str, key: str, body: bytes, n_rows: int, n: int) -> None:
    """Print the times of one kind of request, by one caller and by four."""
    for callers in (1, 4):
        times, wall = ask(address, key, body, n if n_rows == 1 else max(n // 5, 10), callers)
        show(f"{name}, {n_rows} rows, {callers} callers", times, n_rows, wall)


PLAIN = """
import json, pickle, sys
import pandas as pd, uvicorn
from fastapi import FastAPI, Request
model = pickle.load(open(sys.argv[1], "rb"))
app = FastAPI()
@app.get("/healthz")
def healthz(): return "ok"
@app.post("/score")
async def score(request: Request):
    rows = pd.DataFrame(json.loads(await request.body()))
    return {"predictions": model.predict(rows).tolist()}
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""


def plain(run: AutoMLRun, rows: pd.DataFrame, n: int) -> None:
    """Print the same of the least that serves the model."""
    with tempfile.TemporaryDirectory(prefix="bench-plain-") as folder:
        model = run.register_model("plain").download(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        began = time.perf_counter()
        arguments = [sys.executable, "-c", PLAIN, f"{model}/model.pkl", str(port)]
        process = subprocess.Popen(arguments, cwd=folder)
        try:
            address = f"http://127.0.0.1:{port}"
            while not answers(f"{address}/healthz"):
                time.sleep(0.02)
            used = psutil.Process(process.pid).memory_info().rss / MEGABYTE
            ready = time.perf_counter() - began
            sys.stdout.write(f"plain: ready after {ready:.2f} s; memory {used:.0f} MB\n")
            for n_rows in (1, 1000):
                text = rows.head(n_rows).to_json(orient="records").encode()
                compare("plain", f"{address}/score", "", text, n_rows, n)
        finally:
            process.terminate()
            process.wait()


def answers(address: str) -> bool:
    """Whether a server is up."""
    try:
        return httpx.get(address, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def storm(n_requests: int) -> None:
    """Print what callers get while workers are killed and a version is swapped."""
    from benchmarks.storm import blow

    with tempfile.TemporaryDirectory(prefix="bench-storm-") as folder:
        workspace = Workspace.create("storm", path=folder)
        frame = make_rows().head(200)
        models = [constant(workspace, frame, answer) for answer in ("old", "new")]
        service = Model.deploy(workspace, "storm", models[:1], trust=True)
        try:
            service.wait_for_deployment()
            row = json.loads(frame.drop(columns="label").head(1).to_json(orient="records"))[0]
            found = blow(service, row, models[1], n_requests=n_requests, answers=("old", "new"))
        finally:
            service.delete()
            workspace.session.close()
    sys.stdout.write(
        f"{found.n_requests} requests in {found.seconds:.0f} s, {found.n_kills} kills\n"
    )
    sys.stdout.write(f"outcomes: {dict(found.outcomes)}\nanswers: {dict(found.answers)}\n")
    sys.stdout.write(f"slowest answer: {found.slowest:.1f} s\n")


def constant(workspace: Workspace, frame: pd.DataFrame, answer: str) -> Model:
    """Return a registered model that always says the same."""
    rows = frame.drop(columns="label")
    model = DummyClassifier().fit(rows, np.full(len(rows), answer))
    schema = describe_frame(rows, task="classification", label="label", classes=[answer])
    with tempfile.TemporaryDirectory(prefix="bench-model-") as folder:
        place = Path(folder) / "outputs"
        export_bundle(model, place, schema=schema, sample=rows, metrics={}, run_id="none")
        return Model.register(workspace, place, f"storm-{answer}")


def ask(address: str, key: str, body: bytes, n: int, callers: int) -> tuple[list[float], float]:
    """Return the seconds of each request, and of all of them."""
    times: list[float] = []
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"

    def work() -> None:
        with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
            for _ in range(n // callers):
                times.append(timed(lambda: client.post(address, content=body).raise_for_status()))

    threads = [threading.Thread(target=work) for _ in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, time.perf_counter() - began


def update(service: Webservice, run: AutoMLRun, rows: pd.DataFrame) -> None:
    """Print what callers got while another version took over."""
    model = run.register_model("other", iteration=0)
    body = json.dumps(json.loads(rows.head(1).to_json(orient="records"))).encode()
    headers = {
        "Authorization": f"Bearer {service.get_keys()[0]}",
        "Content-Type": "application/json",
    }
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def work() -> None:
        with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
            while not stop.is_set():
                try:
                    reply = client.post(service.scoring_uri, content=body)
                    seen[reply.headers.get("x-model", str(reply.status_code))] += 1
                except httpx.HTTPError as error:
                    seen[type(error).__name__] += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    service.update(models=[model], wait=True)
    time.sleep(1.0)
    stop.set()
    for thread in threads:
        thread.join()
    sys.stdout.write(f"update, 4 callers: {dict(seen)}\n")


def processes(service: Webservice) -> list[psutil.Process]:
    """Return the supervisor and its worker."""
    with service.session.read() as tx:
        owner = tx.deployments.get(service.name).owner
    assert owner is not None
    supervisor = psutil.Process(owner.pid)
    return [supervisor, *supervisor.children()]


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def show(name: str, times: list[float], n_rows: int, wall: float) -> None:
    """Print one line."""
    middle = statistics.median(times) / MILLISECOND
    late = statistics.quantiles(times, n=100)[98] / MILLISECOND
    rate = len(times) * n_rows / wall
    sys.stdout.write(f"{name:28}{middle:9.1f}{late:9.1f}{rate:10.0f}\n")


if __name__ == "__main__":
    main()
