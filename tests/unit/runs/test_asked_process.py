"""A process that answers: questions and answers, errors in their classes, and its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from nbautoml.errors import DatasetError, NbAutoMLError
from nbautoml.runs.asked_process import AskedProcess

MODULE = """
import os, sys, time
from nbautoml.errors import DatasetError
from nbautoml.runs.asked_process import answer_questions

def answer(question):
    what = question["ask"]
    print("spoils nothing")
    if what == "pid":
        return os.getpid()
    if what == "echo":
        return question["text"]
    if what == "nan":
        return {"x": float("nan")}
    if what == "wrong":
        raise DatasetError("line 3 is no row.")
    if what == "bug":
        raise KeyError("secret")
    if what == "die":
        os._exit(7)
    time.sleep(60)

answer_questions(answer, idle_seconds=float(os.environ.get("IDLE", "60")))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "answering_for_test.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return "answering_for_test"


@pytest.fixture
def process(module: str) -> Iterator[AskedProcess]:
    with AskedProcess(module) as process:
        yield process


def test_one_process_answers_one_question_after_another(process: AskedProcess) -> None:
    text = "line\nbreak \u2028 ü 😀"
    assert process.ask({"ask": "echo", "text": text}) == text
    assert process.ask({"ask": "nan"}) == {"x": None}
    pids = {process.ask({"ask": "pid"}) for _ in range(3)}
    assert len(pids) == 1
    assert pids != {os.getpid()}


def test_threads_get_their_own_answers(process: AskedProcess) -> None:
    with ThreadPoolExecutor(4) as pool:
        questions = [{"ask": "echo", "text": str(i)} for i in range(40)]
        assert list(pool.map(process.ask, questions)) == [str(i) for i in range(40)]


def test_errors_come_back_in_their_class_and_the_process_goes_on(process: AskedProcess) -> None:
    pid = process.ask({"ask": "pid"})
    with pytest.raises(DatasetError, match=r"^line 3 is no row\.$"):
        process.ask({"ask": "wrong"})
    with pytest.raises(RuntimeError) as caught:
        process.ask({"ask": "bug"})
    assert "secret" not in str(caught.value)
    assert process.ask({"ask": "pid"}) == pid


def test_a_process_that_dies_is_told_and_replaced(process: AskedProcess) -> None:
    with pytest.raises(NbAutoMLError, match="ended before it answered"):
        process.ask({"ask": "die"})
    assert process.ask({"ask": "pid"}) > 0


def test_an_idle_process_ends_and_the_next_question_starts_another(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDLE", "0.2")
    with AskedProcess(module) as process:
        pid = process.ask({"ask": "pid"})
        psutil.Process(pid).wait(10)
        assert process.ask({"ask": "pid"}) != pid


def test_what_takes_too_long_is_stopped(module: str) -> None:
    with (
        AskedProcess(module, timeout_seconds=2.0) as process,
        pytest.raises(NbAutoMLError, match="longer than 2 s"),
    ):
        process.ask({"ask": "sleep"})


def test_a_closed_one_leaves_no_process_and_takes_no_question(module: str) -> None:
    process = AskedProcess(module)
    pid = process.ask({"ask": "pid"})
    process.close()
    process.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(NbAutoMLError, match="stopped"):
        process.ask({"ask": "pid"})
