"""What a deployment costs: time until it answers, time of an answer, rows a second, memory.

    OMP_NUM_THREADS=1 python -m benchmarks.serving --out results.json
    python -m benchmarks.serving storm --requests 10000     see `benchmarks.serving.storm`

One model (LightGBM behind the features that a run makes) is trained on made-up rows of numbers and
words by a run of its own and served three times over loopback, at the same time: as a deployment,
by ``mlflow models serve`` and by the least that serves it (one route of Starlette, without keys,
checks, log or supervisor). They are asked in turns, one, a hundred and a thousand rows at a time,
by one caller and by four. ``model`` is `predict` of the same rows, as a frame and in one thread of
this process; a deployment gives it columns, many rows in parts, and asks its trees in a way of its
own. ``update`` counts answers while another version takes over.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any  # Any: JSON values

import httpx
import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier

from benchmarks.serving.load import Times, ask, joined, timed
from benchmarks.serving.servers import (
    Server,
    deployment,
    least,
    mlflow_serve,
    records,
)
from nbautoml import AutoMLConfig, AutoMLRun, Experiment, Model, Webservice, Workspace
from nbautoml.registry.bundle import export_bundle
from nbautoml.registry.schema import describe_frame
from nbautoml.serving.trees import hasten

SEED = 0
ROWS = 5_000
BATCHES, CALLERS, ROUNDS = (1, 100, 1000), (1, 4), 5
WARM_UP = 20
PACKAGES = ("nbautoml", "mlflow-skinny", "starlette", "uvicorn", "lightgbm", "pandas")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("cost", "storm"), default="cost")
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = storm(given.requests) if given.what == "storm" else cost(given.requests)
    if given.out:
        given.out.write_text(json.dumps({"machine": machine(), **found}, indent=2) + "\n")


def cost(n_requests: int) -> dict[str, Any]:
    """Serve one model three times, and ask all in turns."""
    with tempfile.TemporaryDirectory(prefix="bench-serving-") as folder, ExitStack() as stack:
        workspace = Workspace.create("bench", path=folder)
        stack.callback(workspace.session.close)
        frame = make_rows()
        run = train(workspace, frame)
        rows = frame.drop(columns="label")
        own, service = stack.enter_context(deployment(run))
        servers = {
            "deployment": own,
            "mlflow": stack.enter_context(mlflow_serve(run)),
            "least": stack.enter_context(least(run)),
        }
        found: dict[str, Any] = {"times": compare(servers, rows, n_requests)}
        found["model"] = own_times(run, rows)
        found["servers"] = {name: facts(server) for name, server in servers.items()}
        found["ratios"] = ratios(found)
        found["update"] = update(service, run, rows)
    sys.stdout.write(json.dumps({k: found[k] for k in ("servers", "ratios", "update")}) + "\n")
    return found


def machine() -> dict[str, Any]:
    """Return what the figures belong to."""
    return {
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


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


def compare(
    servers: Mapping[str, Server], rows: pd.DataFrame, n_requests: int
) -> dict[str, dict[str, Any]]:
    """Ask all servers for the same rows, in turns; print and return the figures."""
    found: dict[str, dict[str, Any]] = {}
    sys.stdout.write(f"{'':36}{'p50 ms':>9}{'p99 ms':>9}{'rows/s':>10}\n")
    for n_rows in BATCHES:
        part = rows.head(n_rows)
        n = max(n_requests // ROUNDS // (1 if n_rows == 1 else 4), 8)
        for n_callers in CALLERS:
            parts: dict[str, list[Times]] = {name: [] for name in servers}
            for server in servers.values():
                ask(server, server.body(part), WARM_UP, n_callers)
            for place in range(ROUNDS):
                names = list(servers)
                for name in names[place % len(names) :] + names[: place % len(names)]:
                    one = servers[name]
                    parts[name].append(ask(one, one.body(part), n, n_callers))
            about = f"{n_rows} rows, {n_callers} callers"
            found[about] = {k: joined(v).figures(n_rows) for k, v in parts.items()}
            for name, figures in found[about].items():
                show(f"{name}, {about}", figures)
    return found


def own_times(run: AutoMLRun, rows: pd.DataFrame) -> dict[str, Any]:
    """Print and return how long the model itself takes, in this process.

    It is given a frame, as MLflow and people do, and columns, as a deployment does, which has its
    trees asked in a faster way, too.
    """
    model, faster = run.get_output()[1], run.get_output()[1]
    hasten(faster)
    found = {}
    for n_rows in BATCHES:
        part = rows.head(n_rows)
        is_number = {name: pd.api.types.is_float_dtype(part[name]) for name in part}
        columns = {n: part[n].to_numpy() if is_number[n] else part[n].tolist() for n in part}
        ways = (
            ("frame", partial(model.predict, part)),
            ("columns", partial(model.predict, columns)),
            ("in a worker", partial(faster.predict, columns)),
        )
        for kind, work in ways:
            about = f"{n_rows} rows, {kind}"
            found[about] = _times_of(work).figures(n_rows)
            show(f"model, {about}", found[about])
    return found


def _times_of(work: Callable[[], object]) -> Times:
    work()
    began = time.process_time()
    each = tuple(timed(work) for _ in range(100))
    return Times(each=each, wall=sum(each), processor=time.process_time() - began)


def facts(server: Server) -> dict[str, float]:
    """Return how soon a server was ready, and what it holds."""
    return {
        "ready_seconds": round(server.ready_seconds, 2),
        "memory_mb": round(server.memory()),
    }


def ratios(found: Mapping[str, Any]) -> dict[str, float]:
    """Return the deployment's rates over those of MLflow, and its own share of a large answer."""
    rates = {
        f"rate over mlflow, {about}": round(
            both["deployment"]["rows_a_second"] / both["mlflow"]["rows_a_second"], 2
        )
        for about, both in found["times"].items()
    }
    # Of the processor's time: several parts of a large request are predicted side by side.
    largest = max(BATCHES)
    answer = found["times"][f"{largest} rows, 1 callers"]["deployment"]["processor_ms"]
    shares = {
        f"share outside of the model ({kind}), {largest} rows": round(
            1.0 - found["model"][f"{largest} rows, {kind}"]["processor_ms"] / answer, 3
        )
        for kind in ("columns", "in a worker")
    }
    return {**rates, **shares}


def show(name: str, figures: Mapping[str, Any]) -> None:
    """Print one line."""
    values = (figures["p50_ms"], figures["p99_ms"], figures["rows_a_second"])
    sys.stdout.write(f"{name:36}{values[0]:9.1f}{values[1]:9.1f}{values[2]:10.0f}\n")
    sys.stdout.flush()


def storm(n_requests: int) -> dict[str, Any]:
    """Print what callers get while workers are killed and a version is swapped."""
    from benchmarks.serving.storm import blow

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
    outcome = {
        "n_requests": found.n_requests,
        "seconds": round(found.seconds, 1),
        "n_kills": found.n_kills,
        "outcomes": dict(found.outcomes),
        "answers": dict(found.answers),
        "slowest_seconds": round(found.slowest, 2),
    }
    sys.stdout.write(json.dumps(outcome) + "\n")
    return {"storm": outcome}


def constant(workspace: Workspace, frame: pd.DataFrame, answer: str) -> Model:
    """Return a registered model that always says the same."""
    rows = frame.drop(columns="label")
    model = DummyClassifier().fit(rows, np.full(len(rows), answer))
    schema = describe_frame(rows, task="classification", label="label", classes=[answer])
    with tempfile.TemporaryDirectory(prefix="bench-model-") as folder:
        place = Path(folder) / "outputs"
        export_bundle(model, place, schema=schema, sample=rows, metrics={}, run_id="none")
        return Model.register(workspace, place, f"storm-{answer}")


def update(service: Webservice, run: AutoMLRun, rows: pd.DataFrame) -> dict[str, int]:
    """Return what callers got while another version took over."""
    model = run.register_model("other", iteration=0)
    body = records(rows.head(1))
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
    return dict(seen)


if __name__ == "__main__":
    main()
