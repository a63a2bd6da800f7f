from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.automl.report import (
    NoResultsError,
    load_results,
    losses_frame,
    markdown,
    rescale,
)


def result(system: str, score: float | None, table: str = "t", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "table": table,
        "seed": 0,
        "system": system,
        "seconds": 60.0,
        "metric": "auc",
        "n_train": 70,
        "n_test": 30,
        "n_columns": 3,
        "constant": {"auc": 0.5, "accuracy": 0.6},
        "is_disturbed": False,
        "commit": "abc",
        "machine": {"cpu": "C", "n_cpus": 4, "cpus_used": [0, 1], "memory_gb": 8.0},
    }
    if score is None:
        made |= {"status": "failed", "reason": "killed at the limit", "log": "one\nboom `x`\n"}
    else:
        made |= {"status": "ok", "score": score, "scores": {"auc": score, "accuracy": 0.7}}
        made |= {"fit_seconds": 50.0, "predict_seconds": 0.003, "n_models": 5, "cpu_seconds": 90.0}
        made |= {"model_bytes": 2**20, "peak_rss_bytes": 2**30, "peak_pss_bytes": 2**29}
        made |= {"versions": {system: "1.0", "python": "3.11"}}
    return made | more


def table_after(text: str, head: str) -> dict[str, list[str]]:
    """Return the rows of the table with a head that begins so, by their first cell."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(head))
    rows = {}
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[cells[0]] = cells[1:]
    return rows


def test_rescaled_loss_is_nought_for_the_best_and_one_for_default_lightgbm() -> None:
    losses = pd.DataFrame({"nbautoml": [0.1], "flaml": [0.15], "lightgbm": [0.2], "h2o": [0.9]})

    found = rescale(losses, pd.Series([0.5]))

    assert found.loc[0].tolist() == pytest.approx([0.0, 0.5, 1.0, 2.0])


def test_rescaled_loss_has_a_unit_where_default_lightgbm_is_best() -> None:
    losses = pd.DataFrame({"nbautoml": [0.104], "lightgbm": [0.1]})

    found = rescale(losses, pd.Series([0.5]))

    assert found.loc[0].tolist() == pytest.approx([1.0, 0.0])


def test_a_failed_run_counts_as_the_constant_predictor() -> None:
    losses = losses_frame([result("nbautoml", None), result("lightgbm", 0.9)])

    assert losses["nbautoml"].tolist() == pytest.approx([0.5])
    assert losses["lightgbm"].tolist() == pytest.approx([0.1])


def test_ranks_and_best_counts_are_over_rows_with_all_systems() -> None:
    results = [
        result("nbautoml", 0.95),
        result("flaml", 0.9),
        result("lightgbm", 0.9),
        result("nbautoml", 0.9, table="u"),
        result("flaml", 0.95, table="u"),
        result("lightgbm", 0.8, table="u"),
        result("flaml", 0.95, table="alone"),
    ]

    text = markdown(results)
    rows = table_after(text, "| system | mean rank")

    assert rows["nbautoml"] == ["1.50", "0.167", "1", "0"]
    assert rows["flaml"] == ["1.75", "0.500", "1", "0"]
    assert rows["lightgbm"] == ["2.75", "1.000", "0", "0"]
    assert "1 of 3 rows lack a system" in text


def test_our_losses_are_set_against_each_other_system() -> None:
    results = [result("nbautoml", 0.95), result("flaml", 0.9), result("lightgbm", 0.95)]

    rows = table_after(markdown(results), "| nbautoml against")

    assert rows["flaml"] == ["1", "0", "0", "+50.0%"]
    assert rows["lightgbm"] == ["0", "1", "0", "+0.0%"]


def test_late_disturbed_and_failed_runs_are_marked() -> None:
    results = [
        result("nbautoml", 0.9, fit_seconds=66.5),
        result("flaml", 0.8, is_disturbed=True),
        result("h2o", None),
    ]

    text = markdown(results)

    assert "| **0.9000**† | 0.8000~ | failed (0.5000) |" in text
    assert "h2o on t (auc), seed 0: killed at the limit: `boom 'x'`" in text
    assert table_after(text, "| system | fit s")["nbautoml"][1:3] == ["+6.5", "1"]


def test_other_scores_of_the_same_runs_are_shown() -> None:
    text = markdown([result("nbautoml", 0.9), result("lightgbm", 0.8)])

    assert "| t (auc) | 0 | accuracy | 0.7000 | 0.7000 |" in text


def test_budgets_are_told_apart() -> None:
    text = markdown([result("nbautoml", 0.9), result("nbautoml", 0.8, seconds=300.0)])

    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## 60 s", "## 300 s"]


def test_results_are_read_from_the_folder_of_runs(tmp_path: Path) -> None:
    with pytest.raises(NoResultsError):
        load_results(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.json").write_text(json.dumps(result("flaml", 0.9)))

    assert [r["system"] for r in load_results(tmp_path)] == ["flaml"]
