"""What went wrong, as callers are told: JSON in the form of RFC 9457, never a traceback."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from nbautoml.errors import NbAutoMLError
from nbautoml.services.problems import problem_of

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"


class Refused(Exception):  # noqa: N818 - it is an answer
    """A request that is not done, and why.

    Parameters
    ----------
    status : HTTPStatus
        The status of the answer.
    detail : str
        What was asked, what was found, what to do.
    errors : sequence of (str, str)
        Fields of the body, each with a sentence.
    headers : mapping of str to str
        More headers of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def told(refused: Refused) -> Response:
    """Return the answer to a request that is not done."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": refused.status.phrase,
        "status": refused.status.value,
        "detail": refused.detail,
    }
    if refused.errors:
        body["errors"] = [{"field": field, "message": said} for field, said in refused.errors]
    return JSONResponse(
        body, refused.status.value, headers=refused.headers, media_type=PROBLEM_JSON
    )


def unprocessable(*errors: tuple[str, str]) -> Refused:
    """Return the refusal of a body that was read and does not fit, field by field."""
    detail = " ".join(said for _, said in errors)
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


async def on_refused(_request: Request, error: Exception) -> Response:
    """Answer a request that is not done."""
    assert isinstance(error, Refused)
    return told(error)


async def on_domain_error(_request: Request, error: Exception) -> Response:
    """Answer where something was raised on purpose; the statuses are those of all fronts."""
    assert isinstance(error, NbAutoMLError)
    status = problem_of(error).status
    if status is HTTPStatus.BAD_REQUEST:  # the request could be read; what it asks for cannot be
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return await on_bug(_request, error)
    headers = {"Retry-After": "5"} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return told(Refused(status, str(error), headers=headers))


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Answer for a path or a method that there is none of."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return told(Refused(status, str(error.detail), headers=error.headers))


async def on_bug(_request: Request, error: Exception) -> Response:
    """Answer where something broke; the log has the traceback under the id that is told."""
    log_id = uuid.uuid4().hex[:12]
    logger.error("request %s broke", log_id, exc_info=error)
    detail = f"Something went wrong in the service; its log has the details under {log_id}."
    return told(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, detail))
