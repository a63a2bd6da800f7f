"""Requests while workers are killed and a version is swapped: what callers get.

    python -m benchmarks.serving storm --requests 10000

Two models that always say the same, ``old`` and ``new``, take turns behind one address. Callers ask
without a pause; a worker is killed at random moments (not more often than a deployment bears), and
in the middle the other version takes over. Counted are right answers (of a version that may
serve at that moment), wrong ones, refusals with ``Retry-After``, and everything else.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import psutil

from nbautoml.registry.model import Model
from nbautoml.serving.webservice import Webservice

CALLERS = 4
KILL_SECONDS = 16.0
"""A deployment whose worker crashes five times within a minute is given up."""
RIGHT, REFUSED, WRONG = "right", "refused", "wrong"


@dataclass(slots=True, kw_only=True)
class Storm:
    """What happened."""

    outcomes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    n_kills: int = 0
    seconds: float = 0.0
    slowest: float = 0.0

    @property
    def n_requests(self) -> int:
        """How many requests were sent."""
        return self.outcomes.total()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """How far things are, for the callers."""

    left: threading.Semaphore
    changing: threading.Event = field(default_factory=threading.Event)
    swapped: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


def blow(
    service: Webservice,
    row: object,
    other: Model,
    *,
    n_requests: int,
    answers: tuple[str, str],
    kill_seconds: float = KILL_SECONDS,
    most_kills: int | None = None,
    seed: int = 0,
) -> Storm:
    """Ask a deployment again and again while its workers are killed and its version changes.

    Parameters
    ----------
    service : Webservice
        Serves a model that always answers ``answers[0]``.
    row : JSON value
        A row.
    other : Model
        Always answers ``answers[1]``; takes over after half of the requests.
    n_requests : int
        How many requests all callers send together, beside those that they send while the version
        changes.
    answers : tuple of str
        What the two versions say.
    kill_seconds : float
        Mean time between two kills.
    most_kills : int, optional
        No more kills than this.
    seed : int
        Seed of the moments.
    """
    storm = Storm()
    course = _Course(left=threading.Semaphore(n_requests))
    began = time.monotonic()
    callers = [
        threading.Thread(target=_call, args=(service, row, answers, storm, course))
        for _ in range(CALLERS)
    ]
    killer = threading.Thread(
        target=_kill,
        args=(service, storm, course.over, random.Random(seed), kill_seconds, most_kills),
    )
    for thread in (*callers, killer):
        thread.start()
    _wait(lambda: storm.n_requests >= n_requests // 2, callers)
    course.changing.set()
    service.update(models=[other], trust=True)
    service.wait_for_deployment()
    course.swapped.set()
    course.changing.clear()
    for thread in callers:
        thread.join()
    course.over.set()
    killer.join()
    storm.seconds = time.monotonic() - began
    return storm


def _call(
    service: Webservice,
    row: object,
    answers: tuple[str, str],
    storm: Storm,
    course: _Course,
) -> None:
    headers = {"Authorization": f"Bearer {service.get_keys()[0]}"}
    with httpx.Client(headers=headers, trust_env=False, timeout=120) as client:
        while course.changing.is_set() or course.left.acquire(blocking=False):
            may_be = answers[1:] if course.swapped.is_set() else answers
            began = time.monotonic()
            try:
                outcome = _judge(client.post(service.scoring_uri, json=[row]), may_be, storm)
            except httpx.HTTPError as error:
                outcome = type(error).__name__
            storm.slowest = max(storm.slowest, time.monotonic() - began)
            storm.outcomes[outcome] += 1


def _judge(reply: httpx.Response, may_be: tuple[str, ...], storm: Storm) -> str:
    if reply.status_code == 503 and "retry-after" in reply.headers:
        return REFUSED
    if reply.status_code != 200:
        return f"status {reply.status_code}"
    said = str(reply.json()["predictions"][0])
    storm.answers[said] += 1
    return RIGHT if said in may_be else WRONG


def _kill(
    service: Webservice,
    storm: Storm,
    over: threading.Event,
    draw: random.Random,
    kill_seconds: float,
    most_kills: int | None,
) -> None:
    while not over.wait(draw.uniform(0.5, 1.5) * kill_seconds):
        workers = _workers(service)
        if workers and (most_kills is None or storm.n_kills < most_kills):
            draw.choice(workers).kill()
            storm.n_kills += 1


def _workers(service: Webservice) -> list[psutil.Process]:
    with service.session.read() as tx:
        owner = tx.deployments.get(service.name).owner
    try:
        return [] if owner is None else psutil.Process(owner.pid).children()
    except psutil.NoSuchProcess:
        return []


def _wait(is_true: Callable[[], bool], callers: list[threading.Thread]) -> None:
    while not is_true() and any(thread.is_alive() for thread in callers):
        time.sleep(0.01)
