"""SIGKILL of the Jupyter server: the run goes on, and the next server shows the same."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.faults.stages import start_jupyter, with_jupyter


def inject(scene: Scene) -> str:
    """Kill the server, start another one, and ask it for the run."""
    moment = scene.wait_for_moment()
    harm = scene.kill("jupyter")
    before = scene.n_ended()
    shown = _ask(scene, start_jupyter(scene))
    n_shown = sum(trial["status"] == "Completed" for trial in shown["trials"])
    assert before <= n_shown <= scene.n_ended(), f"the server shows {n_shown} trials"
    return f"{harm}, {moment}"


def _ask(scene: Scene, address: str) -> dict[str, Any]:
    place = quote(str(scene.workspace), safe="")
    request = Request(f"{address}/runs/{scene.run_id}?workspace={place}")
    request.add_header("Authorization", "token t")
    with urlopen(request, timeout=20) as answer:
        shown: dict[str, Any] = json.loads(answer.read())
    return shown


FAULT = Fault(
    name="Jupyter server killed",
    sentence="SIGKILL of the Jupyter server that shows the run; another one is started",
    inject=inject,
    stage=with_jupyter,
)
