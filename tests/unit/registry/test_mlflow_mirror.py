"""The mirror of runs: what it sends, how it goes on, and what a bad server cannot do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.records import MetricPoint, RunRecord
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.errors import ConfigError
from nbautoml.registry.mlflow import process
from nbautoml.registry.mlflow.ledger import Ledger
from nbautoml.registry.mlflow.mirror import Mirror
from nbautoml.registry.mlflow.settings import (
    clear_mirror,
    local_uri,
    mirror_folder,
    mirror_uri,
    set_mirror,
    tracking_uri,
)
from nbautoml.registry.mlflow.tracker import PARENT_TAG, RUN_TAG, Point
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for

RUN = "AutoML_1"
URI = "http://localhost:5000"


class RefusalError(Exception):
    """What the server of these tests answers when it does not want to."""


class FakeServer:
    """A tracking server in memory; it refuses when `answers_left` is used up."""

    def __init__(self, answers_left: float = float("inf")) -> None:
        self.answers_left = answers_left
        self.runs: dict[str, dict[str, Any]] = {}

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (RefusalError,)

    def experiment(self, name: str) -> str:
        self._answer()
        return f"id of {name}"

    def find(self, experiment: str, run_id: str) -> str | None:
        self._answer()
        found = [i for i, run in self.runs.items() if run["tags"][RUN_TAG] == run_id]
        return found[0] if found else None

    def create(self, experiment: str, tags: Mapping[str, str], time: float) -> str:
        self._answer()
        mlflow_id = f"m{len(self.runs)}"
        self.runs[mlflow_id] = {
            "experiment": experiment,
            "tags": dict(tags),
            "status": "RUNNING",
            "params": {},
            "points": [],
            "ended": None,
        }
        return mlflow_id

    def log(
        self,
        mlflow_id: str,
        *,
        points: Sequence[Point] = (),
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self._answer()
        run = self.runs[mlflow_id]
        for name, value in (params or {}).items():
            assert run["params"].get(name, str(value)) == str(value), "params cannot be changed"
            run["params"][name] = str(value)
        run["points"] += points
        run["tags"] |= tags or {}

    def set_status(self, mlflow_id: str, status: str, time: float | None) -> None:
        self._answer()
        self.runs[mlflow_id] |= {"status": status, "ended": time}

    def of(self, run_id: str) -> dict[str, Any]:
        """Return the only run here that carries an id of ours."""
        (found,) = (run for run in self.runs.values() if run["tags"][RUN_TAG] == run_id)
        return found

    def _answer(self) -> None:
        self.answers_left -= 1
        if self.answers_left < 0:
            raise RefusalError("come back later\nwith more")


def started(number: int) -> ev.TrialStarted:
    return ev.TrialStarted(
        number=number, pipeline="LightGBM", family="LightGBM", params={"a": 1}, n_folds=2
    )


def finished(number: int, score: float | None, **changes: Any) -> ev.TrialFinished:
    values: dict[str, Any] = {
        "number": number,
        "key": f"k{number}",
        "outcome": TrialOutcome.COMPLETED if score is not None else TrialOutcome.FAILED,
        "pipeline": "LightGBM",
        "family": "LightGBM",
        "params": {"a": 1},
        "n_folds": 2,
        "folds_done": 2,
        "seconds": 1.5,
        "score": score,
        "metrics": {"accuracy": score, "log_loss": None},
        "error": "" if score is not None else "ValueError: no",
    }
    return ev.TrialFinished(**(values | changes))


CONFIGURED = ev.RunConfigured(
    task="classification",
    primary_metric="accuracy",
    label="y",
    dataset="d:1",
    experiment="exp",
    compute="local",
    n_workers=1,
)
EVENTS: tuple[ev.Event, ...] = (
    ev.StatusChanged(status=RunStatus.RUNNING),
    CONFIGURED,
    started(0),
    finished(0, 0.5),
    started(1),
    finished(1, 0.8),
    started(2),
    finished(2, None),
    started(3),
)
END = ev.StatusChanged(status=RunStatus.COMPLETED, reason="All trials are done.")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with create_session(address_for("ws", tmp_path)) as session:
        with session.write() as tx:
            tx.experiments.get_or_create("exp")
            tx.runs.create(
                RunRecord(
                    id=RUN,
                    experiment="exp",
                    type="automl",
                    status=RunStatus.RUNNING,
                    created_at=900.0,
                    tags={"stage": "trial"},
                )
            )
        yield session


def append(session: Session, *new: ev.Event) -> None:
    with session.write() as tx:
        tx.events.append(RUN, list(new), 1000.0)
        for event in new:
            if isinstance(event, ev.StatusChanged):
                tx.runs.set_status(RUN, event.status, reason=event.reason, time=1000.0)


def mirror_of(session: Session, server: FakeServer) -> Mirror:
    """Return a mirror as a process that was started anew has it."""
    return Mirror(session, server, Ledger.of(mirror_folder(session), URI))


def values(run: Mapping[str, Any], name: str) -> list[tuple[int, float]]:
    return [(p.step, p.value) for p in run["points"] if p.name == name]


def test_a_run_and_its_trials_are_there_with_parameters_and_metrics(session: Session) -> None:
    server = FakeServer()
    append(session, *EVENTS)

    assert mirror_of(session, server).sync()

    run = server.of(RUN)
    assert (run["experiment"], run["status"]) == ("id of exp", "RUNNING")
    assert run["params"]["primary_metric"] == "accuracy"
    assert run["tags"]["stage"] == "trial"
    assert values(run, "accuracy") == [(1, 0.5), (2, 0.8), (3, 0.8)]
    child = server.of(f"{RUN}_1")
    assert child["tags"][PARENT_TAG] == next(i for i, r in server.runs.items() if r is run)
    assert child["params"] == {"family": "LightGBM", "pipeline": "LightGBM", "a": "1"}
    assert values(child, "accuracy") == [(0, 0.8)]
    assert (child["status"], child["ended"]) == ("FINISHED", 1000.0)
    failed = server.of(f"{RUN}_2")
    assert (failed["status"], failed["tags"]["nbautoml.error"]) == ("FAILED", "ValueError: no")
    assert server.of(f"{RUN}_3")["status"] == "RUNNING"


def test_an_ended_run_ends_with_all_that_was_open(session: Session) -> None:
    server = FakeServer()
    append(session, *EVENTS, END)

    assert not mirror_of(session, server).sync()

    assert server.of(RUN)["status"] == "FINISHED"
    assert server.of(RUN)["tags"]["nbautoml.reason"] == "All trials are done."
    assert server.of(f"{RUN}_3")["status"] == "KILLED"


def test_a_continued_run_goes_on(session: Session) -> None:
    server = FakeServer()
    append(session, *EVENTS, END)
    mirror_of(session, server).sync()
    again = ev.StatusChanged(status=RunStatus.NOT_STARTED)
    append(session, again, CONFIGURED, started(4), finished(4, 0.9))

    mirror_of(session, server).sync()

    run = server.of(RUN)
    assert (run["status"], values(run, "accuracy")[-1]) == ("RUNNING", (5, 0.9))


def test_numbers_that_were_logged_by_hand_are_sent_once(session: Session) -> None:
    server = FakeServer()
    mirror = mirror_of(session, server)
    for step, value in enumerate((1.0, 2.0)):
        with session.write() as tx:
            tx.metrics.log(RUN, [MetricPoint(name="rows", value=value, step=step, time=1.0)])
        mirror.sync()
        mirror.sync()

    assert values(server.of(RUN), "rows") == [(0, 1.0), (1, 2.0)]


@pytest.mark.parametrize("n_answers", range(0, 40, 3))
def test_a_server_that_dies_midway_gets_the_rest_later(session: Session, n_answers: int) -> None:
    server = FakeServer(n_answers)
    append(session, *EVENTS, END)
    try:
        mirror_of(session, server).sync()
    except RefusalError:
        server.answers_left = float("inf")
        mirror_of(session, server).sync()

    assert len(server.runs) == 5
    assert server.of(RUN)["status"] == "FINISHED"
    assert dict(values(server.of(RUN), "accuracy"))[2] == 0.8
    for number in range(4):
        assert server.of(f"{RUN}_{number}")["params"]["family"] == "LightGBM"
    assert values(server.of(f"{RUN}_0"), "accuracy")[-1] == (0, 0.5)


def test_what_is_there_is_not_sent_again(session: Session) -> None:
    server = FakeServer()
    append(session, *EVENTS, END)
    mirror_of(session, server).sync()
    server.answers_left = 0

    assert not mirror_of(session, server).sync()


def test_a_lost_ledger_makes_no_second_run(session: Session) -> None:
    server = FakeServer()
    append(session, *EVENTS, END)
    mirror_of(session, server).sync()
    for file in mirror_folder(session).glob("mirrored-*.json"):
        file.unlink()

    mirror_of(session, server).sync()

    assert len(server.runs) == 5


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_server_that_refuses_is_asked_less_and_less_often(session: Session) -> None:
    set_mirror(session, URI)
    append(session, *EVENTS, END)
    clock = Clock()

    process.follow(session, FakeServer(0), sleep=clock.sleep, clock=clock)

    assert clock.slept[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]
    assert process.PATIENCE_SECONDS < clock.now < process.PATIENCE_SECONDS + 130.0


def test_a_server_that_comes_back_gets_all(session: Session) -> None:
    set_mirror(session, URI)
    append(session, *EVENTS, END)
    clock, server = Clock(), FakeServer(7)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        server.answers_left = float("inf")

    process.follow(session, server, sleep=sleep, clock=clock)

    assert server.of(RUN)["status"] == "FINISHED"
    assert clock.slept == [1.0]


def test_a_mirror_ends_when_it_is_switched_off(session: Session) -> None:
    set_mirror(session, URI)
    append(session, *EVENTS)  # the run goes on
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        clear_mirror(session)

    process.follow(session, FakeServer(), sleep=sleep, clock=clock)

    assert clock.slept == [process.LOOK_SECONDS]


def test_the_address_is_kept_in_the_workspace(session: Session) -> None:
    assert mirror_uri(session) is None
    assert tracking_uri(session) == local_uri(session)
    set_mirror(session, URI)
    assert (mirror_uri(session), tracking_uri(session)) == (URI, URI)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("localhost:5000", "must be the address of an MLflow server"),
        ("", "must be the address"),
        ("https://me:secret@host", "holds a password"),
    ],
)
def test_an_address_that_is_none_is_refused(session: Session, address: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        set_mirror(session, address)


def test_without_a_mirror_nothing_is_started(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "start_detached", lambda *a, **k: pytest.fail("started"))

    process.start_mirror(session)


def test_a_settings_file_that_cannot_be_read_harms_nobody(session: Session) -> None:
    set_mirror(session, URI)
    (mirror_folder(session) / "mirror.json").write_text("{")

    process.start_mirror(session)


def test_one_mirror_is_at_work_at_a_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    set_mirror(session, URI)
    calls: list[str] = []
    monkeypatch.setattr(process, "start_detached", lambda module, **k: calls.append(module))
    with process._lock(mirror_folder(session)) as is_ours:
        assert is_ours
        process.start_mirror(session)
    assert calls == []

    process.start_mirror(session)
    assert calls == ["nbautoml.registry.mlflow.process"]


def test_the_mirror_loads_no_mlflow_until_it_is_at_work() -> None:
    code = "import sys, nbautoml.registry.mlflow.process; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
