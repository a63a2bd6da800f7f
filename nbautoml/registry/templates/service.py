"""Serve the model beside this file over HTTP, without nbautoml.

    SCORING_KEY=secret uvicorn service:app --host 0.0.0.0 --port 8000

It needs the packages of requirements.txt. POST /score takes what run(data) of the entry script
takes, with the header "Authorization: Bearer <SCORING_KEY>"; GET /healthz needs no key.
"""

import hmac
import importlib.util
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

HERE = Path(__file__).resolve().parent
MAX_BYTES = 32 * 2**20
PLACE = json.loads((HERE / "service.json").read_text(encoding="utf-8"))


def load_script():
    """Import the entry script from its folder, and call its init()."""
    os.environ.setdefault("AZUREML_MODEL_DIR", str(HERE / PLACE["model_dir"]))
    script = HERE / PLACE["script"]
    sys.path[:0] = [str(script.parent)]
    os.chdir(script.parent)
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    spec.loader.exec_module(module)
    module.init()
    return module


@asynccontextmanager
async def lifespan(app):
    """Load the model before the first request."""
    app.state.key = os.environ.get("SCORING_KEY", "")
    if not app.state.key:
        raise RuntimeError("Set SCORING_KEY to the key that callers have to send.")
    app.state.script = load_script()
    yield


async def healthz(_request):
    """Say that the service lives."""
    return Response("Healthy", media_type="text/plain")


async def score(request):
    """Answer a request with the entry script."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not hmac.compare_digest(given.encode(), request.app.state.key.encode()):
        return refuse(401, "Send the header 'Authorization: Bearer KEY'.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            return refuse(413, f"The body may have {MAX_BYTES} bytes.")
    try:
        text = body.decode("utf-8")
        is_nested = isinstance(wanted := json.loads(text), dict) and "Inputs" in wanted
    except (ValueError, RecursionError) as error:
        return refuse(400, f"The body is not JSON: {error}")
    found = await run_in_threadpool(request.app.state.script.run, text)
    if isinstance(found, str) and found.startswith('{"error"'):
        return Response(found, 400, media_type="application/json")
    # The SDK's servers sent the text of the first form inside JSON, the second one as it is.
    content = found if isinstance(found, str) and is_nested else json.dumps(found)
    return Response(content, media_type="application/json")


def refuse(status, detail):
    """Return a refusal."""
    body = json.dumps({"status": status, "title": "Refused", "detail": detail})
    return Response(body, status, media_type="application/problem+json")


app = Starlette(
    routes=[Route("/healthz", healthz), Route("/score", score, methods=["POST"])],
    lifespan=lifespan,
)
