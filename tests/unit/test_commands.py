"""The command line over a workspace that is there: what it writes, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner, Result

from nbautoml import cli
from nbautoml.commands import NOUNS
from nbautoml.compute.cluster_state import LOG, NODE_LOGS, ClusterState, write_options, write_state
from nbautoml.compute.clusters import DaskCluster
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.domain import events as ev
from nbautoml.domain.records import ComputeRecord, SessionAddress
from nbautoml.domain.status import RunStatus
from nbautoml.services import api
from nbautoml.store.session import Session, open_session

RUN = "AutoML_x"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBAUTOML_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def address(tmp_path: Path, make_workspace: Callable[..., SessionAddress]) -> SessionAddress:
    root = tmp_path / "project"
    root.mkdir()
    return make_workspace(root)


@pytest.fixture
def call(address: SessionAddress) -> Callable[..., Result]:
    """Return what runs a command on the workspace."""

    def run(*arguments: str, expect: int = 0, **more: Any) -> Result:
        result = CliRunner().invoke(cli.app, [*arguments, "-w", address.root], **more)
        assert result.exit_code == expect, (result.output, result.exception)
        return result

    return run


@pytest.fixture
def cluster(address: SessionAddress) -> Path:
    """A cluster that this process pretends to be; returns its folder."""
    options = DaskCluster.provisioning_configuration(max_nodes=2, cores=1).options
    with open_session(address) as session:
        record = ComputeRecord(
            name="big",
            kind="AmlCompute",
            options=ClusterBackend.record_options(options),
            created_at=1.0,
        )
        with session.write() as tx:
            tx.computes.put(record)
        folder = session.state_dir / "clusters" / "big"
    write_options(folder, options)
    me = psutil.Process()
    node = {"id": "0", "state": "running", "cores": 1, "memory_bytes": 1 << 30, "gpus": 2}
    state = ClusterState(
        pid=me.pid,
        started_at=me.create_time(),
        written_at=1.0,
        address="tcp://127.0.0.1:1",
        dashboard="http://127.0.0.1:8787/status",
        n_wanted=1,
        n_clients=1,
        nodes=(node,),
    )
    write_state(folder, state)
    (folder / LOG).write_text("one\ntwo\n")
    (folder / NODE_LOGS).mkdir()
    (folder / NODE_LOGS / "alpha.log").write_text("node says hello\n")
    return folder


@pytest.mark.parametrize("noun", [name for name, _ in NOUNS])
def test_every_noun_has_help_that_names_its_commands(noun: str) -> None:
    result = CliRunner().invoke(cli.app, [noun, "--help"])
    assert result.exit_code == 0
    group = dict(NOUNS)[noun]
    names = [c.name or c.callback.__name__ for c in group.registered_commands if c.callback]
    assert names
    assert [name for name in names if name not in result.output] == []


@pytest.mark.parametrize("noun", [name for name, _ in NOUNS])
def test_list_is_a_table_or_json(noun: str, call: Callable[..., Result]) -> None:
    if noun == "workspace":
        call("runs", "list")  # which opens it
        result = CliRunner().invoke(cli.app, ["workspace", "list", "--json"])
        assert [row["name"] for row in json.loads(result.output)] == ["ws"]
        return
    words = [noun, "token", "list"] if noun == "api" else [noun, "list"]
    assert call(*words).output.strip()
    assert isinstance(json.loads(call(*words, "--json").output), list)


def test_runs_are_listed_with_state_and_score(call: Callable[..., Result]) -> None:
    head, line = call("runs", "list").output.splitlines()
    assert head.split() == ["RUN", "EXPERIMENT", "STATUS", "CREATED", "METRIC", "BEST"]
    assert line.split()[:3] == [RUN, "exp", "Running"]
    assert call("runs", "list", "-e", "other").output == "There are no runs.\n"


@pytest.mark.parametrize("run", [RUN, "latest"])
def test_a_run_is_shown_with_its_models(run: str, call: Callable[..., Result]) -> None:
    text = call("runs", "show", run).output
    assert "accuracy" in text
    assert "1 done, 0 stopped early, 0 failed, 0 running" in text
    assert text.splitlines()[-1].split() == ["0", "LightGBM", "Completed", "0.5", "1"]
    assert json.loads(call("runs", "show", run, "--json").output)["run_id"] == RUN


def test_the_best_model_of_a_run(call: Callable[..., Result]) -> None:
    assert "depth=3" in call("runs", "best", RUN).output
    assert json.loads(call("runs", "best", RUN, "--json").output)["metrics"] == {"accuracy": 0.5}


def test_a_run_is_asked_to_stop_or_to_finish(
    call: Callable[..., Result], address: SessionAddress
) -> None:
    assert call("runs", "stop", RUN).output == f"{RUN} is asked to stop.\n"
    assert json.loads(call("runs", "stop", RUN, "--finish", "--json").output)["seq"] == 2


def test_the_log_follows_a_run_to_its_end(
    call: Callable[..., Result],
    address: SessionAddress,
    append_events: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end(seconds: float) -> None:
        append_events(address, RUN, ev.LogWritten(level="INFO", message="the last line"))
        with open_session(address) as session, session.write() as tx:
            tx.runs.set_status(RUN, RunStatus.FAILED, reason="", time=5.0)

    monkeypatch.setattr("nbautoml.commands.runs.time.sleep", end)
    text = call("runs", "logs", RUN, "--follow", expect=3).output
    assert text.count("Iteration 0 (LightGBM) ended") == 1
    assert text.splitlines()[-1].endswith("the last line")


def test_a_log_by_trial_and_by_worker(
    call: Callable[..., Result], address: SessionAddress, append_events: Callable[..., None]
) -> None:
    append_events(
        address,
        RUN,
        ev.LogWritten(level="DEBUG", message="Trial 0\nprinted", number=0, worker="w-1"),
        ev.LogWritten(level="DEBUG", message="Trial 1", number=1, worker="w-2"),
    )
    of_trial = call("runs", "logs", RUN, "--trial", "0").output
    assert "    printed" in of_trial
    assert "Trial 1" not in of_trial
    lines = call("runs", "logs", RUN, "--worker", "w-2", "--json").output.splitlines()
    assert [json.loads(line)["trial"] for line in lines] == [1]


def test_a_cluster_is_shown_with_nodes_and_dashboard(
    call: Callable[..., Result], cluster: Path
) -> None:
    assert "big" in call("cluster", "list").output
    text = call("cluster", "show", "big").output
    assert "http://127.0.0.1:8787/status" in text
    assert "0 to 2 nodes" in text
    assert text.splitlines()[-1].split() == ["0", "running", "1", "1.0", "GiB", "2"]
    found = json.loads(call("cluster", "show", "big", "--json").output)
    assert found["status"]["currentNodeCount"] == 1


def test_logs_of_a_cluster_and_of_its_nodes(call: Callable[..., Result], cluster: Path) -> None:
    assert call("cluster", "logs", "big").output == "one\ntwo\n"
    assert call("cluster", "logs", "big", "--worker", "alpha").output == "node says hello\n"
    error = call("cluster", "logs", "big", "--worker", "alpa", expect=1).exception
    assert "Did you mean 'alpha'?" in str(error)


def test_a_cluster_log_goes_on_where_it_was(
    call: Callable[..., Result], cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = iter([None])

    def grow(seconds: float) -> None:
        try:
            next(rounds)
        except StopIteration:
            raise KeyboardInterrupt from None
        with (cluster / LOG).open("a") as log:
            log.write("three\n")

    monkeypatch.setattr("nbautoml.commands.clusters.time.sleep", grow)
    result = call("cluster", "logs", "big", "--follow", expect=130)
    assert result.output.startswith("one\ntwo\nthree\n")


def test_a_cluster_is_scaled(call: Callable[..., Result], cluster: Path) -> None:
    assert call("cluster", "scale", "big", "--max", "1").output == "'big' is changed.\n"
    assert json.loads((cluster / "options.json").read_text())["max_nodes"] == 1


@pytest.mark.parametrize("what", ["stop", "delete"])
def test_a_cluster_in_use_is_left_alone(
    what: str, call: Callable[..., Result], cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbautoml.compute.kinds.cluster.LEAVING_SECONDS", 0.0)
    more = ["--yes"] if what == "delete" else []
    result = call("cluster", what, "big", *more, expect=1)
    assert "1 running run uses it" in str(result.exception)


def test_nothing_is_deleted_without_a_yes(call: Callable[..., Result], cluster: Path) -> None:
    call("cluster", "delete", "big", input="n\n", expect=1)
    assert "big" in call("cluster", "list").output


def test_models_are_shown_and_fetched(
    call: Callable[..., Result], address: SessionAddress, tmp_path: Path
) -> None:
    with open_session(address) as session:
        with session.write() as tx:
            record = tx.models.register("m")
        session.save_artifact(record.owner_id, "model.pkl", b"12345")
    assert "m:1" in call("models", "show", "m").output
    call("models", "download", "m", str(tmp_path / "out"))
    assert (tmp_path / "out" / "model.pkl").read_bytes() == b"12345"
    assert "0 versions are left" in call("models", "delete", "m", "-v", "1", "--yes").output


def test_a_workspace_says_what_it_holds(call: Callable[..., Result]) -> None:
    found = json.loads(call("workspace", "show", "--json").output)
    assert (found["name"], found["runs"], found["compute targets"]) == ("ws", 1, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("runs", "show", "AutoML_y"), "AutoML_y"),
        (("cluster", "show", "lokal"), "Did you mean 'local'?"),
        (("cluster", "start", "local"), "no process of its own"),
        (("models", "show", "none"), "none"),
        (("datasets", "show", "none"), "no dataset called 'none'"),
        (("endpoints", "show", "none"), "none"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_one(
    arguments: tuple[str, ...],
    words: str,
    address: SessionAddress,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["nbautoml", *arguments, "-w", address.root])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr()
    assert stopped.value.code == 1
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1


def test_without_a_workspace_it_says_how_to_make_one(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = CliRunner().invoke(cli.app, ["runs", "list", "-w", str(empty)])
    assert result.exit_code == 1
    assert "Workspace.create" in str(result.exception)


def test_a_wrong_word_is_exit_code_two() -> None:
    assert CliRunner().invoke(cli.app, ["runs", "shew"]).exit_code == 2


def test_a_token_is_made_listed_and_revoked(call: Callable[..., Result]) -> None:
    made = json.loads(call("api", "token", "create", "cron", "--scope", "read", "--json").output)

    assert made["token"].startswith(f"nba_{made['id']}_")
    listed = call("api", "token", "list").output
    assert made["id"] in listed
    assert made["token"] not in listed
    assert "active" in listed
    call("api", "token", "revoke", made["id"], "--yes")
    [row] = json.loads(call("api", "token", "list", "--json").output)
    assert (row["state"], row["scopes"], row["name"]) == ("revoked", ["read"], "cron")
    again = json.loads(call("api", "token", "revoke", made["id"], "-y", "--json").output)
    assert again["state"] == "revoked"


def test_a_token_is_written_alone_so_that_a_shell_can_keep_it(
    call: Callable[..., Result],
) -> None:
    result = call("api", "token", "create", "cron", "--days", "0")

    assert result.stdout.strip().startswith("nba_")
    assert len(result.stdout.split()) == 1
    assert "shown this once" in result.stderr
    [row] = json.loads(call("api", "token", "list", "--json").output)
    assert (row["expires_at"], row["scopes"]) == (None, ["read", "runs:submit"])


def test_a_service_that_does_not_run_says_so(call: Callable[..., Result]) -> None:
    assert "stopped" in call("api", "status").output
    assert json.loads(call("api", "status", "--json").output)["is_running"] is False
    assert "does not run" in call("api", "stop").output
    assert json.loads(call("api", "stop", "--json").output) == {"was_running": False}


def test_a_service_for_other_machines_has_to_be_meant(call: Callable[..., Result]) -> None:
    result = call("api", "start", "--host", "0.0.0.0", expect=1)

    assert "allow-remote" in str(result.exception)


def test_starting_a_service_says_where_it_answers(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def start(_session: Session, **options: Any) -> dict[str, Any]:
        asked.append(options)
        return {"is_running": True, "address": "http://127.0.0.1:5"}

    monkeypatch.setattr(api, "start_service", start)
    said = call("api", "start", "--port", "5", "--allow-remote")

    assert "http://127.0.0.1:5" in said.stdout
    assert "TLS" in said.stderr
    assert json.loads(call("api", "start", "--json").output)["is_running"] is True
    options = {"host": "127.0.0.1", "port": 5, "allow_remote": True}
    assert asked == [options, {**options, "port": None, "allow_remote": False}]
