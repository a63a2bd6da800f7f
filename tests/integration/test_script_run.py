"""Scripts in processes of their own: what they log and leave, and every way in which they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from nbautoml.domain.events import LogWritten
from nbautoml.errors import TrainingError
from nbautoml.runs.environment import Environment
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.process_group import ProcessGroup, end_noted
from nbautoml.runs.recovery import recover_runs
from nbautoml.runs.run import Run
from nbautoml.runs.script import ScriptRunConfig
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.logs import run_log
from nbautoml.store.session import Session, create_session
from nbautoml.workspace.config_file import address_for

pytestmark = pytest.mark.integration

Submit = Callable[..., Run]

LOGGING = """
import argparse, os
from pathlib import Path
from nbautoml import Run
from part import name

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
rate = parser.parse_args().rate
run = Run.get_context()
for step in range(3):
    run.log("loss", rate / (step + 1))
run.log_row("folds", fold=1, score=0.8)
run.tag("from", "script")
Path("outputs/deep").mkdir()
Path("outputs/deep/model.txt").write_text("a model")
Path("logs/own.log").write_text("a log")
Path("elsewhere.txt").write_text("not kept")
print("hello from", name, run.id == os.environ["AZUREML_RUN_ID"], os.environ["EPOCHS"])
run.complete()
"""
LONG = """
import subprocess, sys, time
from pathlib import Path
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code])
Path("outputs/child.txt").write_text(str(child.pid))
print("started", child.pid)
time.sleep(600)
"""
FAILING = """
from nbautoml import Run
Run.get_context().log("loss", 0.5)
print("epoch 1")
def main():
    raise ValueError("no rows in data.csv")
main()
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = create_session(address_for("w", tmp_path / "w"))
    yield session
    with session.read() as tx:
        owners = [r.owner for r in tx.runs.list() if r.owner and not r.status.is_terminal]
    for owner in owners:
        if psutil.pid_exists(owner.pid):
            os.kill(owner.pid, signal.SIGKILL)
    session.close()


@pytest.fixture
def submit(session: Session, tmp_path: Path) -> Submit:
    def submit(script: str, arguments: tuple[object, ...] = (), **settings: object) -> Run:
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        (source / "train.py").write_text(script)
        (source / "part.py").write_text("name = 'part'")
        if "command" not in settings:
            settings["script"] = "train.py"
        config = ScriptRunConfig(source, arguments=arguments, **settings)  # type: ignore[arg-type]
        return Experiment(WorkspaceHandle(session), "scripts").submit(config)

    return submit


def wait_for(check: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.05)


def output(run: Run) -> str:
    return "\n".join(line["text"] for line in run_log(run.session, run.id)["lines"])


def child_of(run: Run) -> int:
    """Wait until the long script has started its child; return the child's process id."""
    wait_for(lambda: "started " in output(run), "the script's first line")
    return int(output(run).partition("started ")[2].split()[0])


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_script_logs_to_its_run_and_leaves_its_files(submit: Submit, tmp_path: Path) -> None:
    environment = Environment("e")
    environment.environment_variables = {"EPOCHS": "7"}
    environment.python.conda_dependencies.add_pip_package("numpy==0.1")
    run = submit(LOGGING, ("--rate", 0.6), environment=environment)
    details = run.wait_for_completion()
    assert details["status"] == "Completed"
    assert run.get_metrics() == {
        "loss": pytest.approx([0.6, 0.3, 0.2]),
        "folds": {"fold": 1.0, "score": 0.8},
    }
    assert run.tags == {"from": "script"}
    assert run.get_file_names() == [
        "logs/nbautoml/controller.log",
        "logs/own.log",
        "outputs/deep/model.txt",
        "user_logs/std_log.txt",
    ] or run.get_file_names() == [
        "logs/own.log",
        "outputs/deep/model.txt",
        "user_logs/std_log.txt",
    ]
    run.download_file("user_logs/std_log.txt", tmp_path / "log.txt")
    assert (tmp_path / "log.txt").read_text() == "hello from part True 7\n"
    assert "hello from part True 7" in output(run)
    assert "Stated was numpy==0.1" in output(run)


def test_a_model_of_a_script_is_registered(submit: Submit) -> None:
    run = submit(LOGGING, ("--rate", 1), environment=variables())
    run.wait_for_completion()
    model = run.register_model("by-script", model_path="outputs/deep")
    assert (model.name, model.version) == ("by-script", 1)


def variables() -> Environment:
    environment = Environment("e")
    environment.environment_variables = {"EPOCHS": "1"}
    return environment


def test_a_failing_script_says_why(submit: Submit) -> None:
    run = submit(FAILING)
    with pytest.raises(TrainingError, match="exit code 1: ValueError: no rows in data.csv"):
        run.wait_for_completion()
    reason = run.get_details()["error"]
    assert "raise ValueError" in reason
    assert run.get_metrics() == {"loss": 0.5}
    assert "user_logs/std_log.txt" in run.get_file_names()


def test_what_a_script_says_of_its_failure_counts(submit: Submit) -> None:
    run = submit("from nbautoml import Run\nRun.get_context().fail('too few rows')")
    assert run.wait_for_completion(raise_on_error=False)["error"] == "too few rows"


def test_cancel_ends_all_processes_of_a_script_and_keeps_its_files(submit: Submit) -> None:
    run = submit(LONG)
    child = child_of(run)
    run.cancel()
    details = run.wait_for_completion()
    assert (details["status"], details["message"]) == ("Canceled", "Canceled on request.")
    wait_for(lambda: not is_alive(child), "the end of the script's child")
    assert "outputs/child.txt" in run.get_file_names()


def test_a_time_limit_ends_a_script(submit: Submit) -> None:
    run = submit("import time\ntime.sleep(600)", max_run_duration_seconds=1)
    details = run.wait_for_completion()
    assert details["status"] == "Canceled"
    assert "time limit (max_run_duration_seconds=1)" in details["message"]


def test_more_time_moves_the_limit(submit: Submit) -> None:
    run = submit("import time\ntime.sleep(3)", max_run_duration_seconds=2)
    run.add_minutes(1)
    assert run.wait_for_completion()["status"] == "Completed"


def test_a_script_whose_controller_is_lost_has_failed_and_is_ended(
    submit: Submit, session: Session
) -> None:
    run = submit(LONG)
    child = child_of(run)
    with session.read() as tx:
        owner = tx.runs.get(run.id).owner
    assert owner is not None
    os.kill(owner.pid, signal.SIGKILL)
    wait_for(lambda: recover_runs(session), "the lost run")
    details = run.wait_for_completion(raise_on_error=False)
    assert details["status"] == "Failed"
    assert "not started a second time" in details["error"]
    wait_for(lambda: not is_alive(child), "the end of the script's child")
    assert {"outputs/child.txt", "user_logs/std_log.txt"} <= set(run.get_file_names())


SUBMITTER = """
import sys
from pathlib import Path
from nbautoml import Experiment, ScriptRunConfig, Workspace
ws = Workspace.create("w", path=sys.argv[1], exist_ok=True)
source = Path(sys.argv[1]) / "source"
source.mkdir()
(source / "a.py").write_text("import time; time.sleep(2); print('still here')")
print(Experiment(ws, "e").submit(ScriptRunConfig(source, "a.py")).id, flush=True)
by_hand = Experiment(ws, "e").start_logging()
by_hand.log("loss", 0.5)
print(by_hand.id, flush=True)
import time; time.sleep(600)
"""


def test_a_kernel_that_is_killed_loses_no_script_and_fails_what_it_logged(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    kernel = subprocess.Popen(
        [sys.executable, "-c", SUBMITTER, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert kernel.stdout is not None
    script_id, by_hand_id = (kernel.stdout.readline().strip() for _ in range(2))
    os.killpg(kernel.pid, signal.SIGKILL)
    kernel.wait()
    kernel.stdout.close()
    with create_session(address_for("w", folder)) as session:
        experiment = Experiment(WorkspaceHandle(session), "e")
        recover_runs(session)
        by_hand = Run(experiment, by_hand_id)
        assert (by_hand.get_status(), by_hand.get_metrics()) == ("Failed", {"loss": 0.5})
        script = Run(experiment, script_id)
        assert script.wait_for_completion()["status"] == "Completed"
        assert "still here" in output(script)


def test_a_command_runs_in_a_shell_with_the_runs_python(submit: Submit) -> None:
    run = submit("print('by command')", command="python train.py | tr a-z A-Z && ls")
    run.wait_for_completion()
    assert "BY COMMAND\nlogs\noutputs\npart.py\ntrain.py" in output(run)


def test_another_interpreter_has_packages_of_its_own(submit: Submit) -> None:
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    if not base.exists():
        pytest.skip("there is no other Python")
    run = submit("import sys; print('prefix', sys.prefix)", python_executable=base)
    run.wait_for_completion()
    assert f"prefix {sys.base_prefix}" in output(run)


def test_a_controller_writes_no_warning_of_its_own(submit: Submit) -> None:
    run = submit("print('fine')")
    run.wait_for_completion()
    with run.session.read() as tx:
        records = tx.events.read(run.id)
    assert [r.event for r in records if isinstance(r.event, LogWritten)] == []


def test_a_noted_group_is_ended_by_another_process(tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    end_noted(note)  # nothing to end
    with (tmp_path / "out").open("wb") as out:
        group = ProcessGroup(
            "sleep 600 & wait", env=dict(os.environ), folder=tmp_path, output=out, note=note
        )
    end_noted(note)
    assert group.wait(10) is not None
    end_noted(note)
    group.end()
