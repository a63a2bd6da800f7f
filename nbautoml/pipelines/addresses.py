"""Where callers from outside find what is published: paths of the REST service, and its address."""

from __future__ import annotations

from urllib.parse import quote

from nbautoml.store.session import Session

API = "api"
"""Name of the service among the processes of a workspace."""
PREFIX = "/pipelines/v1.0"
PIPELINE_PATH = f"{PREFIX}/PipelineRuns/PipelineSubmit"
ENDPOINT_PATH = f"{PREFIX}/PipelineRuns/PipelineEndpointSubmit"
RUN_PATH = f"{PREFIX}/PipelineRuns"
OPENAPI_PATH = "/openapi.json"
API_PORT = 8127
"""Port that the service asks for first."""
DEFAULT_ADDRESS = f"http://127.0.0.1:{API_PORT}"


def api_address(session: Session) -> str:
    """Return where the service is or was last; where it will be when it has never been started."""
    with session.read() as tx:
        record = tx.service_processes.find(API)
    return str(record.facts.get("address") or DEFAULT_ADDRESS) if record else DEFAULT_ADDRESS


def pipeline_address(session: Session, pipeline_id: str) -> str:
    """Return the address to which a request for a published pipeline goes."""
    return f"{api_address(session)}{PIPELINE_PATH}/{quote(pipeline_id, safe='')}"


def endpoint_address(session: Session, endpoint_id: str) -> str:
    """Return the address to which a request for the default of an endpoint goes."""
    return f"{api_address(session)}{ENDPOINT_PATH}/Id/{quote(endpoint_id, safe='')}"
