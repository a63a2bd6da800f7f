"""What may be asked of a run, by its type."""

from __future__ import annotations

from collections.abc import Mapping

from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind
from nbautoml.errors import ConflictError
from nbautoml.runs.types import INTERACTIVE, PIPELINE_RUN, SCRIPT_RUN, STEP_RUN

_ALLOWED: Mapping[str, frozenset[RequestKind]] = {
    SCRIPT_RUN: frozenset({RequestKind.CANCEL, RequestKind.ADD_MINUTES}),
    STEP_RUN: frozenset({RequestKind.CANCEL, RequestKind.ADD_MINUTES}),
    PIPELINE_RUN: frozenset({RequestKind.CANCEL}),
    INTERACTIVE: frozenset({RequestKind.CANCEL}),
}
_WORDS = {
    SCRIPT_RUN: "runs a script: it can be canceled, and given more time where it has a limit",
    STEP_RUN: "runs a script: it can be canceled, and given more time where it has a limit",
    PIPELINE_RUN: "runs a pipeline: it can be canceled",
    INTERACTIVE: "is logged by a notebook or a program: it can be canceled",
}


def check_request(run: RunRecord, kind: RequestKind) -> None:
    """Look whether a run can do what is asked of it.

    Raises
    ------
    ConflictError
        When runs of its type cannot.
    """
    if kind not in _ALLOWED.get(run.type, frozenset(RequestKind)):
        words = kind.value.replace("_", " ")
        raise ConflictError(f"Run {run.id} {_WORDS[run.type]}. It does not know {words!r}.")
