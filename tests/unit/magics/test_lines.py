"""``%automl``: lines that look after runs."""

from __future__ import annotations

import pytest

from nbautoml.automl.options import AUTOML_OPTIONS
from nbautoml.magics.body import known_keys
from nbautoml.magics.commands import COMMANDS, PLANNED
from tests.unit.magics.conftest import Shell

CELL = "%%automl df --no-widget\nlabel: died\ntask: classification"


def test_status_tells_how_the_run_stands(shell: Shell) -> None:
    shell.run(CELL)
    assert shell.ip.user_ns["run"].id in shell.text("%automl status")


def test_a_run_can_be_named_by_variable_and_by_id(shell: Shell) -> None:
    shell.run(CELL.replace("--no-widget", "--no-widget --name first"))
    first = shell.ip.user_ns["first"].id
    assert first in shell.text("%automl status first")
    assert first in shell.text(f"%automl status {first[:15]}")


def test_the_latest_run_is_meant_when_none_is_named(shell: Shell) -> None:
    shell.run(CELL)
    run_id = shell.ip.user_ns.pop("run").id
    assert run_id in shell.text("%automl status")


def test_runs_are_listed(shell: Shell) -> None:
    shell.run(CELL)
    run_id = shell.ip.user_ns["run"].id
    assert run_id in shell.text("%automl runs")
    assert run_id in shell.text("%automl runs df")
    assert "No experiment is called 'dff'. Did you mean 'df'?" in shell.text("%automl runs dff")


@pytest.mark.parametrize("word", ["cancel", "stop"])
def test_a_run_can_be_stopped(shell: Shell, word: str) -> None:
    shell.run(CELL)
    assert "is asked to stop" in shell.text(f"%automl {word}")
    assert shell.ip.user_ns["run"].get_status() == "Canceled"
    assert "has ended already: Canceled" in shell.text(f"%automl {word}")


def test_best_says_when_there_is_none(shell: Shell) -> None:
    shell.run(CELL)
    assert "no completed model yet" in shell.text("%automl best")


def test_without_a_workspace_nothing_breaks(shell: Shell) -> None:
    assert "no runs" in shell.text("%automl runs")
    assert "no workspace here yet" in shell.text("%automl status")


def test_an_unknown_word_gets_a_hint(shell: Shell) -> None:
    assert "no command 'statsu'. Did you mean 'status'?" in shell.text("%automl statsu")


@pytest.mark.parametrize("word", sorted(PLANNED))
def test_planned_words_say_so(shell: Shell, word: str) -> None:
    assert f"%automl {word} is not available yet." in shell.text(f"%automl {word} x")


def test_help_names_every_command_and_setting(shell: Shell) -> None:
    text = shell.text("%automl help")
    assert shell.text("%automl").strip() == text.strip()
    missing = [name for name in [*COMMANDS, *known_keys()] if name not in text]
    assert [n for n in missing if n in COMMANDS or n in AUTOML_OPTIONS] == []


@pytest.mark.parametrize("key", known_keys())
def test_help_on_a_setting_has_its_sentence(shell: Shell, key: str) -> None:
    text = shell.text(f"%automl help {key}")
    assert "No setting is called" not in text
    assert len(text.split()) > 5
