"""``%automl`` lines about runs that are no AutoML runs."""

from __future__ import annotations

import pytest

from tests.unit.magics.conftest import Shell

START = """
import nbautoml
ws = nbautoml.Workspace.create("w", exist_ok=True)
run = nbautoml.Experiment(ws, "by-hand").start_logging(display_name="first try")
run.log("loss", 0.5)
run.log("loss", 0.25)
"""


@pytest.fixture
def started(shell: Shell) -> Shell:
    shell.run(START)
    return shell


def test_status_tells_what_was_logged(started: Shell) -> None:
    text = started.text("%automl status")
    assert "first try" in text
    assert "loss  0.2500" in text


def test_runs_lists_it_with_its_first_value(started: Shell) -> None:
    text = started.text("%automl runs")
    assert started.ip.user_ns["run"].id in text
    assert "loss 0.2500" in text


def test_show_shows_it(started: Shell) -> None:
    text = started.text("%automl show")
    assert "first try" in text
    assert "loss  0.2500" in text


def test_best_says_plainly_that_it_has_none(started: Shell) -> None:
    assert "is no AutoML run, so it has no best model" in started.text("%automl best")


def test_stop_ends_it_at_once(started: Shell) -> None:
    assert "What it stored is kept." in started.text("%automl stop")
    assert started.ip.user_ns["run"].get_status() == "Canceled"


@pytest.mark.parametrize("word", ["pause", "finish"])
def test_what_only_a_search_can_do_is_refused(started: Shell, word: str) -> None:
    assert "logged by a notebook or a program" in started.text(f"%automl {word}")
