"""Errors as a front shows them: a code, a sentence, and the HTTP status, from one table."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from nbautoml.errors import (
    ComputeError,
    ConfigError,
    ConflictError,
    MissingExtraError,
    NbAutoMLError,
    NotAllowedError,
    NotAvailableError,
    NotFoundError,
    StoreError,
    WebserviceException,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, for people (`message`, `hint`) and for programs (`code`, `status`)."""

    code: str
    status: HTTPStatus
    message: str
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the body's ``error`` value."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


# The first class that fits decides.
_TABLE: tuple[tuple[type[NbAutoMLError], str, HTTPStatus], ...] = (
    (ConfigError, "bad_request", HTTPStatus.BAD_REQUEST),
    (NotAllowedError, "not_allowed", HTTPStatus.FORBIDDEN),
    (NotFoundError, "not_found", HTTPStatus.NOT_FOUND),
    (ConflictError, "conflict", HTTPStatus.CONFLICT),
    (NotAvailableError, "not_available", HTTPStatus.NOT_IMPLEMENTED),
    (MissingExtraError, "missing_extra", HTTPStatus.NOT_IMPLEMENTED),
    (StoreError, "store", HTTPStatus.SERVICE_UNAVAILABLE),
    (WebserviceException, "deployment", HTTPStatus.SERVICE_UNAVAILABLE),
    (ComputeError, "compute", HTTPStatus.SERVICE_UNAVAILABLE),
    (NbAutoMLError, "failed", HTTPStatus.INTERNAL_SERVER_ERROR),
)


def problem_of(error: Exception) -> Problem:
    """Return what to tell of an error; of one not raised on purpose, only that there was one.

    Examples
    --------
    >>> problem_of(NotFoundError("No run has the id 'x'.")).status.value
    404
    >>> problem_of(KeyError("secret")).message
    'Something went wrong in the server.'
    """
    for kind, code, status in _TABLE:
        if isinstance(error, kind):
            return Problem(code=code, status=status, message=str(error))
    return Problem(
        code="internal",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        message="Something went wrong in the server.",
        hint="The server's log has the details.",
    )
