"""What is asked of a process of its own: it starts published pipelines and changes schedules.

Run as a module (``python -m nbautoml.services.pipeline_process``) by `nbautoml.services.pipelines`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any  # Any: JSON values

from nbautoml.domain.records import SessionAddress
from nbautoml.domain.status import PublishedStatus
from nbautoml.pipelines.endpoint import start_endpoint
from nbautoml.pipelines.schedule import set_schedule_status
from nbautoml.pipelines.submission import Start, start_published
from nbautoml.runs.asked_process import answer_questions
from nbautoml.store.session import Session, open_session

Question = Mapping[str, Any]


def answer(question: Question) -> Any:
    """Return the answer to one question; ``ask`` says which one it is."""
    with open_session(SessionAddress(**question["address"])) as session:
        return _ANSWERS[question["ask"]](session, question)


def _run_pipeline(session: Session, question: Question) -> dict[str, str]:
    return {"run_id": str(start_published(session, question["pipeline_id"], _start(question)).id)}


def _run_endpoint(session: Session, question: Question) -> dict[str, str]:
    start, version = _start(question), question["version"]
    run = start_endpoint(session, question["endpoint_id"], start, version=version)
    return {"run_id": str(run.id)}


def _set_schedule(session: Session, question: Question) -> dict[str, str]:
    status = PublishedStatus(question["status"])
    return {"id": set_schedule_status(session, question["schedule_id"], status).id}


def _start(question: Question) -> Start:
    return Start(experiment=question["experiment"], parameters=question["parameters"])


_ANSWERS: Mapping[str, Callable[[Session, Question], Any]] = {
    "run_pipeline": _run_pipeline,
    "run_endpoint": _run_endpoint,
    "set_schedule": _set_schedule,
}


if __name__ == "__main__":
    answer_questions(answer)
