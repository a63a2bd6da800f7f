from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.automl import runner
from benchmarks.automl.data import UnknownSetError, built_in
from benchmarks.automl.runner import (
    Planned,
    Settings,
    Task,
    UnknownMetricError,
    plan,
    run_all,
    run_one,
)
from benchmarks.automl.systems import ENVIRONMENTS, HERE, SYSTEMS, NotSetUpError, System, python_of

THREE = [SYSTEMS[name] for name in ("nbautoml", "lightgbm", "lightgbm_stopped")]


def test_another_system_is_first_on_each_task() -> None:
    runs = list(plan(["a", "b", "a:accuracy"], THREE, seconds=60, seeds=[0]))

    firsts = [run.system.name for run in runs if run.position == 0]
    assert firsts == ["nbautoml", "lightgbm", "lightgbm_stopped"]
    assert len({run.file_name for run in runs}) == len(runs) == 9


def test_each_run_has_its_file() -> None:
    run = next(plan(["a:accuracy"], THREE, seconds=60, seeds=[3]))

    assert run.file_name == "a-accuracy-seed3-60s-nbautoml.json"


def test_every_system_has_its_adapter_and_every_environment_its_pins() -> None:
    for system in SYSTEMS.values():
        assert (HERE / "adapters" / f"{system.name}.py").is_file()
    for name in ENVIRONMENTS:
        lines = (HERE / "requirements" / f"{name}.txt").read_text().splitlines()
        assert all(line.startswith("#") or "==" in line for line in lines)


def test_a_missing_environment_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(NotSetUpError, match="setup lightgbm --envs"):
        python_of(SYSTEMS["lightgbm"], tmp_path)


def test_an_unknown_table_is_refused_before_anything_runs(tmp_path: Path) -> None:
    runs = list(plan(["nonesuch"], [SYSTEMS["nbautoml"]], seconds=1, seeds=[0]))

    with pytest.raises(UnknownSetError, match="nonesuch"):
        run_all(runs, {}, Settings(out=tmp_path, envs=tmp_path, cpus=(0,)), print)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(out=tmp_path / "out", envs=tmp_path, cpus=(0,), is_busy_allowed=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the machine in no time, and end what hangs early."""
    monkeypatch.setattr(runner.machine, "BUSY_SAMPLE_SECONDS", 0.05)
    monkeypatch.setattr(runner, "LIMIT_EXTRA_SECONDS", 60.0)


def planned(system: System, table: str = "wine", metric: str = "") -> Planned:
    task = Task(table=table, metric=metric, seed=0)
    return Planned(task=task, system=system, seconds=1.0, position=0)


OWN_LIGHTGBM = System(name="lightgbm", environment="")
"""The adapter of default LightGBM, run by the tests' own interpreter."""


@pytest.mark.usefixtures("quick")
def test_a_run_is_made_measured_and_never_made_again(settings: Settings) -> None:
    said: list[str] = []
    for _ in range(2):
        run_all([planned(OWN_LIGHTGBM)], built_in(Path()), settings, said.append)

    found = json.loads((settings.out / "runs" / "wine-seed0-1s-lightgbm.json").read_text())
    assert found["status"] == "ok", found.get("log")
    assert found["score"] < found["constant"]["log_loss"]
    assert set(found["scores"]) == {"log_loss", "accuracy"}
    assert found["cpu_seconds"] > 0.1
    assert found["peak_rss_bytes"] > 10 * 2**20
    assert 0 < found["peak_pss_bytes"] <= found["peak_rss_bytes"]
    assert found["versions"]["python"] == sys.version.split()[0]
    assert said[1].endswith("result is there")


@pytest.mark.usefixtures("quick")
def test_a_system_that_breaks_has_failed_with_its_last_words(settings: Settings) -> None:
    broken = System(name="nonesuch", environment="")
    run_all([planned(broken)], built_in(Path()), settings, lambda line: None)

    found = json.loads((settings.out / "runs" / "wine-seed0-1s-nonesuch.json").read_text())
    assert found["status"] == "failed"
    assert found["reason"] == "ended with exit code 1"
    assert "No module named" in found["log"]


def test_a_metric_must_fit_the_table(settings: Settings) -> None:
    run = planned(OWN_LIGHTGBM, metric="rmse")
    split = runner._split_of(run.task, built_in(Path()), settings.out)

    with pytest.raises(UnknownMetricError, match="wine:rmse"):
        run_one(run, split, Path(sys.executable), settings)
