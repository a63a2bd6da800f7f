"""Graphics cards without any: nodes that say they have some, and a driver's program that lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_iris

from nbautoml import AmlCompute, AutoMLConfig, ComputeTarget, DaskCluster, Experiment, Workspace
from nbautoml.compute import executor_of
from nbautoml.compute.gpus import machine_gpus
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ComputeTargetException, ConfigError
from nbautoml.services.logs import run_log
from nbautoml.testing.card_family import CARD_FAMILY
from nbautoml.testing.compute_contract import wait_with_cards
from nbautoml.testing.executor_contract import Inbox, gate, task
from nbautoml.testing.fast_family import FAST_FAMILY
from tests.integration.compute.conftest import end, long_form, wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def two_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A driver's program that tells of two cards, for this process and those it starts."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho '0, 11441, Tesla K80'\necho '1, 11441, Tesla K80'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    machine_gpus.cache_clear()
    yield
    machine_gpus.cache_clear()


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[str]:
    """A scheduler with a worker that has a card and one that has none."""
    file = tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    dask = [sys.executable, "-m", "dask"]
    place = ["--scheduler-file", str(file), "--no-dashboard"]
    work = [*dask, "worker", "--nthreads", "2", "--no-nanny", *place]
    commands = [
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *place],
        [*work, "--name", "with-card", "--resources", "GPU=1"],
        [*work, "--name", "without"],
    ]
    processes = [subprocess.Popen(command, cwd=tmp_path, env=environment) for command in commands]
    wait_for(file.is_file, "the scheduler")
    yield str(json.loads(file.read_text())["address"])
    end(*reversed(processes))


def test_tasks_that_need_a_card_go_where_it_is_and_nowhere_else(
    workspace: Workspace, mixed: str
) -> None:
    target = ComputeTarget.attach(workspace, "team", DaskCluster.attach_configuration(mixed))
    wait_for(lambda: target.get_status().current_node_count == 2, "two workers")
    assert sorted(node["gpus"] for node in target.list_nodes()) == [0, 1]
    executor = executor_of(workspace.session, "team", None)
    inbox = Inbox(executor)
    try:
        with gate() as opened:
            # Two ask for the only card; four find a core each, three of them at once.
            with_card = [task(wait_with_cards, str(opened), n_gpus=1) for _ in range(2)]
            others = [task(wait_with_cards, str(opened)) for _ in range(3)]
            inbox.submit(*with_card, *others)
            for one in (with_card[0], *others):
                inbox.bodies(one, at_least=1)
            assert inbox.bodies(with_card[1]) == [], "two tasks share a card"
            opened.touch()
            reports = inbox.reports([*with_card, *others])
        assert {r.outcome for r in reports} == {TrialOutcome.COMPLETED}
        assert [r.worker for r in reports[:2]] == ["with-card"] * 2
        assert {inbox.bodies(one)[0][1] for one in with_card} == {"0"}
        assert {inbox.bodies(one)[0][1] for one in others} == {""}
        with pytest.raises(ConfigError, match="needs 2 of the workers' graphics cards"):
            executor.submit(task(wait_with_cards, "", n_gpus=2))
    finally:
        executor.close()


@long_form
def test_nodes_of_one_machine_share_its_cards_out(workspace: Workspace, two_cards: None) -> None:
    config = DaskCluster.provisioning_configuration(0, 2, cores=1, gpus=1, idle_seconds=60)
    target = ComputeTarget.create(workspace, "cards", config)
    executor = executor_of(workspace.session, "cards", None)
    inbox = Inbox(executor)
    try:
        with gate() as opened:
            both = [task(wait_with_cards, str(opened), n_gpus=1) for _ in range(2)]
            inbox.submit(*both)
            seen = [tuple(inbox.bodies(one, at_least=1)[0]) for one in both]
            assert [node["gpus"] for node in target.list_nodes()] == [1, 1]
            opened.touch()
            inbox.reports(both)
    finally:
        executor.close()
    # Each node sees one card, which is its first.
    assert sorted(seen) == [("0", "0"), ("1", "0")]


def config(**more: object) -> AutoMLConfig:
    frame: pd.DataFrame = load_iris(as_frame=True).frame
    return AutoMLConfig(
        "classification",
        training_data=frame,
        label_column_name="target",
        iterations=4,
        n_cross_validations=2,
        enable_voting_ensemble=False,
        enable_stack_ensemble=False,
        model_explainability=False,
        allowed_models=[CARD_FAMILY, FAST_FAMILY],
        enable_gpu=True,
        **more,
    )


def test_a_run_trains_on_cards_what_can_be_and_says_where(
    workspace: Workspace, two_cards: None
) -> None:
    asked = AmlCompute.provisioning_configuration(vm_size="Standard_NC6", max_nodes=1)
    target = ComputeTarget.create(workspace, "nc6", asked)
    status = target.get_status().serialize()
    assert (status["gpus"], status["gpusAsked"]) == (1, 1)
    run = Experiment(workspace, "cards").submit(config(compute_target=target))
    assert run.wait_for_completion()["status"] == "Completed", run.snapshot().reason
    trials = run.snapshot().trials
    assert {trial.family for trial in trials} == {"TestCard", "TestFast"}
    assert {trial.outcome for trial in trials} == {TrialOutcome.COMPLETED}
    first = next(trial for trial in trials if trial.family == "TestCard")
    lines = run_log(workspace.session, run.id, trial=first.number)["lines"]
    printed = "\n".join(line["text"] for line in lines)
    assert "card 0 as cuda:0" in printed
    workers = {line["worker"] for line in lines if "worker" in line}
    assert len(workers) == 1
    by_worker = run_log(workspace.session, run.id, worker=workers.pop())["lines"]
    assert {line["trial"] for line in by_worker} == {trial.number for trial in trials}


def test_a_run_that_needs_a_card_is_refused_where_there_is_none(workspace: Workspace) -> None:
    if machine_gpus():
        pytest.skip("this machine has a graphics card")
    experiment = Experiment(workspace, "none")
    with pytest.raises(ComputeTargetException, match="'local' has none"):
        experiment.submit(config())
    asked = AmlCompute.provisioning_configuration(vm_size="Standard_NC6", max_nodes=1)
    target = ComputeTarget.create(workspace, "nc6", asked)
    with pytest.raises(ComputeTargetException, match="this machine has none that nvidia-smi"):
        experiment.submit(config(compute_target=target))
    assert list(experiment.get_runs()) == []


def test_a_run_whose_models_use_no_card_is_refused(workspace: Workspace, two_cards: None) -> None:
    frame: pd.DataFrame = load_iris(as_frame=True).frame
    asked = AutoMLConfig(
        "classification",
        training_data=frame,
        label_column_name="target",
        iterations=1,
        allowed_models=["LogisticRegression"],
        enable_gpu=True,
    )
    with pytest.raises(ConfigError, match="none of the run's models can use a graphics card"):
        Experiment(workspace, "none").submit(asked)
