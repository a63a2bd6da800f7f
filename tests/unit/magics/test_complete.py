"""Completion in cells and lines."""

from __future__ import annotations

from tests.unit.magics.conftest import Shell


def test_keys_complete(shell: Shell) -> None:
    assert "iterations" in shell.complete("%%automl df\nitera")
    assert "import" not in shell.complete("%%automl df\ni")


def test_values_complete(shell: Shell) -> None:
    assert shell.complete("%%automl df\ntask: cl") == ["classification"]
    assert "AUC_weighted" in shell.complete("%%automl df\nmetric: AU")
    assert shell.complete("%%automl df\nfeaturization: o") == ["off"]


def test_columns_complete(shell: Shell) -> None:
    assert shell.complete("%%automl df\nlabel: di") == ["died"]
    assert shell.complete("%%automl\ndata: df\nlabel: a") == ["age"]
    assert shell.complete("%%automl df --target di") == ["died"]


def test_data_completes(shell: Shell) -> None:
    assert "df" in shell.complete("%%automl d")


def test_models_complete(shell: Shell) -> None:
    assert "LightGBM" in shell.complete("%%automl df\nblocked_models: [Li")


def test_flags_complete(shell: Shell) -> None:
    assert "--dry-run" in shell.complete("%%automl df --dr")


def test_lines_complete(shell: Shell) -> None:
    assert "status" in shell.complete("%automl sta")
    assert "iterations" in shell.complete("%automl help itera")


def test_other_cells_are_left_alone(shell: Shell) -> None:
    shell.ip.user_ns["itemlist"] = []
    assert "itemlist" in shell.complete("iteml")
