"""What ``show_output=True`` prints."""

from __future__ import annotations

import io

from nbautoml.automl.console import ConsoleView
from nbautoml.domain import events as ev
from nbautoml.domain.status import RunStatus, TrialOutcome


def printed(*events: ev.Event) -> str:
    stream = io.StringIO()
    show = ConsoleView("AutoML_x", stream)
    for seq, event in enumerate(events, 1):
        show(ev.EventRecord(run_id="AutoML_x", seq=seq, time=float(seq), event=event))
    return stream.getvalue()


CONFIGURED = ev.RunConfigured(
    task="classification",
    primary_metric="accuracy",
    label="y",
    dataset="d",
    experiment="e",
    compute="local",
    n_workers=2,
)


def finished(number: int, score: float | None, **changes: object) -> ev.TrialFinished:
    values: dict[str, object] = {
        "number": number,
        "key": "k",
        "outcome": TrialOutcome.COMPLETED,
        "pipeline": "StandardScalerWrapper, LightGBM",
        "family": "LightGBM",
        "params": {},
        "n_folds": 2,
        "folds_done": 2,
        "seconds": 65.0,
        "score": score,
    }
    return ev.TrialFinished(**{**values, **changes})  # type: ignore[arg-type]


def test_phases_read_as_in_the_sdk() -> None:
    event = ev.PhaseChanged(phase=ev.Phase.MODEL_SELECTION, text="Beginning model selection.")
    assert printed(event) == "Current status: ModelSelection. Beginning model selection.\n"


def test_the_table_has_its_head_once_and_the_best_so_far() -> None:
    text = printed(CONFIGURED, finished(0, 0.8), finished(1, 0.7))
    lines = text.splitlines()
    head = [line.split() for line in lines if line.strip().startswith("ITERATION ")]
    rows = [line.split() for line in lines if line.strip()[:2] in {"0 ", "1 "}]
    assert head == [["ITERATION", "PIPELINE", "DURATION", "METRIC", "BEST"]]
    assert rows == [
        ["0", "StandardScalerWrapper", "LightGBM", "0:01:05", "0.8000", "0.8000"],
        ["1", "StandardScalerWrapper", "LightGBM", "0:01:05", "0.7000", "0.8000"],
    ]


def test_a_failed_iteration_says_why() -> None:
    event = finished(0, None, outcome=TrialOutcome.TIME_LIMIT, error="stopped after 5 s\nmore")
    assert "TimeLimit: stopped after 5 s\n" in printed(CONFIGURED, event)


def test_guardrails_come_with_their_table() -> None:
    event = ev.GuardrailReported(
        name="Missing feature values imputation",
        state=ev.GuardrailState.DONE,
        description="Missing values were filled in.",
        details=({"Column name": "age", "Missing value count": 12},),
    )
    text = printed(event)
    assert "DATA GUARDRAILS:" in text
    assert "STATUS:       DONE" in text
    assert "|age                    |12                     |" in text


def test_the_end_says_how_it_ended() -> None:
    event = ev.StatusChanged(status=RunStatus.FAILED, reason="The data is empty.")
    assert printed(event) == "\nRun Failed. The data is empty.\n"


def test_events_from_before_are_known_but_not_printed() -> None:
    stream = io.StringIO()
    show = ConsoleView("AutoML_x", stream, after=2)
    events = (CONFIGURED, finished(0, 0.9), finished(1, 0.5))
    for seq, event in enumerate(events, 1):
        show(ev.EventRecord(run_id="AutoML_x", seq=seq, time=float(seq), event=event))
    rows = [line.split() for line in stream.getvalue().splitlines() if "LightGBM" in line]
    assert [(row[0], row[-2:]) for row in rows] == [("1", ["0.5000", "0.9000"])]
