"""A step's script finds its data, and what it leaves is kept when it has ended well."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nbautoml.data.datastore import Datastore
from nbautoml.data.tabular import from_frame
from nbautoml.domain.events import LogWritten
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import NotFoundError
from nbautoml.pipelines.frozen import FrozenOutput
from nbautoml.pipelines.output_dataset import delimited
from nbautoml.pipelines.outputs import keep_output, load_outputs, save_outputs
from nbautoml.pipelines.step_work import StepWork
from nbautoml.runs.continuation import open_requests
from nbautoml.runs.inputs import INPUT_DATASETS
from nbautoml.runs.snapshot import take_snapshot
from nbautoml.runs.work import Ending, StoredArtifacts, WorkContext
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.events import EventWriter
from nbautoml.store.session import Session

Work = Callable[..., Ending]
STORE = "workspaceblobstore"


@pytest.fixture
def work(session: Session, tmp_path: Path) -> Work:
    """Return what runs a step: the text of its script, and what its data are."""
    Datastore.get_default(WorkspaceHandle(session))

    def run(
        code: str, *, is_resumed: bool = False, is_canceled: bool = False, **step: Any
    ) -> Ending:
        source = tmp_path / "code"
        source.mkdir(exist_ok=True)
        (source / "s.py").write_text(code)
        given = {"inputs": [], "outputs": [], "arguments": [], "params": {}, **step}
        given["outputs"] = [asdict(output) for output in given["outputs"]]
        record = RunRecord(
            id="s",
            experiment="e",
            type="azureml.StepRun",
            status=RunStatus.STARTING,
            created_at=1.0,
            settings={
                "command": [],
                "script": "s.py",
                "python": sys.executable,
                "snapshot": take_snapshot(session, source),
                "max_run_duration_seconds": None,
                "environment": None,
                "notes": [],
                "compute_target": "local",
                "step": given,
            },
        )
        with session.write() as tx:
            tx.experiments.get_or_create("e")
            tx.runs.create(record)
            if is_canceled:
                tx.requests.append("s", RequestKind.CANCEL, {}, 1.0)
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        with EventWriter(session, "s") as events:
            context = WorkContext(
                session=session,
                run=record,
                events=events,
                control=open_requests(session, record),
                artifacts=StoredArtifacts(session, "s"),
                scratch=scratch,
                is_resumed=is_resumed,
            )
            return StepWork(context).run()

    return run


def log_of(session: Session) -> str:
    with session.read() as tx:
        events = [record.event for record in tx.events.read("s")]
    return "\n".join(e.message for e in events if isinstance(e, LogWritten))


def text(kept: Any, session: Session) -> str:
    store = Datastore(WorkspaceHandle(session), kept.datastore)
    return Path(store.resolve(kept.path)).read_text()


OUT = FrozenOutput(name="out", datastore=STORE)


def test_an_output_is_kept_when_the_script_has_ended_well(session: Session, work: Work) -> None:
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"

    ending = work(code, outputs=[OUT], arguments=[{"output": "out"}, {"text": "hello"}])

    assert ending.status is RunStatus.COMPLETED
    kept = load_outputs(session, "s")["out"]
    assert (kept.path, kept.is_directory) == ("azureml/s/out", False)
    assert text(kept, session) == "hello"


def test_a_script_that_fails_leaves_nothing(session: Session, work: Work) -> None:
    code = "import sys; open(sys.argv[1], 'w').write('half'); raise SystemExit(2)"

    ending = work(code, outputs=[OUT], arguments=[{"output": "out"}])

    assert (ending.status, ending.reason) == (
        RunStatus.FAILED,
        "The script ended with exit code 2.",
    )
    assert load_outputs(session, "s") == {}
    assert not (session.state_dir / "datastore" / "azureml").exists()


def test_a_script_that_is_canceled_leaves_nothing(session: Session, work: Work) -> None:
    code = "import sys, time; open(sys.argv[1], 'w').write('half'); time.sleep(60)"

    ending = work(code, outputs=[OUT], arguments=[{"output": "out"}], is_canceled=True)

    assert ending.status is RunStatus.CANCELED
    assert load_outputs(session, "s") == {}


def test_an_output_that_was_not_written_is_empty_and_told(session: Session, work: Work) -> None:
    work("", outputs=[OUT])

    assert load_outputs(session, "s")["out"].files == ()
    assert log_of(session) == "The script wrote nothing to its output 'out': it is empty."


def test_a_folder_is_there_before_the_script(session: Session, work: Work) -> None:
    folder = FrozenOutput(name="out", datastore=STORE, is_directory=True)
    code = "import os; open(os.environ['AZUREML_DATAREFERENCE_out'] + '/a.txt', 'w').write('a')"

    work(code, outputs=[folder])

    assert [file.path for file in load_outputs(session, "s")["out"].files] == ["a.txt"]


def test_inputs_arrive_as_paths_and_as_ids(
    session: Session, work: Work, tmp_path: Path, workspace: WorkspaceHandle
) -> None:
    made = tmp_path / "rows.csv"
    made.write_text("a\n1\n2\n")
    rows = keep_output(session, "before", FrozenOutput(name="rows", datastore=STORE), made)
    save_outputs(session, "before", [rows])
    Datastore.get_default(workspace).write_bytes("raw/x.txt", b"raw")
    dataset = from_frame(pd.DataFrame({"b": [1]})).register(workspace, "named")
    upstream = {"kind": "output", "run": "before", "output": "rows"}
    raw = {"kind": "path", "datastore": STORE, "path": "raw"}
    named = {"kind": "dataset", "dataset": dataset.id}
    inputs = [
        {"name": "file", "source": upstream, "table": None, "is_copy": False},
        {
            "name": "table",
            "source": upstream,
            "table": delimited().definition.to_dict(),
            "is_copy": False,
        },
        {"name": "raw", "source": raw, "table": None, "is_copy": True},
        {"name": "named", "source": named, "table": None, "is_copy": False},
    ]
    code = "\n".join(
        (
            "import os, sys, json",
            "file, table, raw, named, out = sys.argv[1:]",
            "found = [open(file).read(), table, open(raw + '/x.txt').read(), named]",
            "found.append(os.environ['AML_PARAMETER_rate'])",
            "json.dump(found, open(out, 'w'))",
        )
    )

    ending = work(
        code,
        inputs=inputs,
        outputs=[OUT],
        arguments=[*({"input": str(given["name"])} for given in inputs), {"output": "out"}],
        params={"rate": "0.5"},
    )

    assert ending.status is RunStatus.COMPLETED, ending.reason
    found = json.loads(text(load_outputs(session, "s")["out"], session))
    assert [found[0], *found[2:]] == ["a\n1\n2\n", "raw", dataset.id, "0.5"]
    with session.read() as tx:
        told = json.loads(tx.runs.get("s").properties[INPUT_DATASETS])
        assert tx.datasets.get_by_id(found[1]).n_rows == 2
    assert told["table"] == {"dataset": found[1]}
    assert told["named"] == {"dataset": dataset.id}
    assert Path(told["file"]["path"]).read_text() == "a\n1\n2\n"


def test_an_input_that_is_gone_ends_the_step(session: Session, work: Work) -> None:
    gone = {"kind": "path", "datastore": STORE, "path": "gone.csv"}
    inputs = [{"name": "raw", "source": gone, "table": None, "is_copy": False}]

    with pytest.raises(NotFoundError, match=r"nothing at 'gone.csv'"):  # its controller's border
        work("", inputs=inputs)


def test_outputs_that_cannot_be_kept_fail_the_step(session: Session, work: Work) -> None:
    elsewhere = FrozenOutput(name="out", datastore="gone")

    code = "import sys; open(sys.argv[1], 'w')"

    ending = work(code, outputs=[elsewhere], arguments=[{"output": "out"}])

    assert ending.status is RunStatus.FAILED
    assert ending.reason.startswith("The script ended well, but its outputs could not be kept: ")


def test_a_lost_process_is_not_replaced(session: Session, work: Work, tmp_path: Path) -> None:
    left = tmp_path / "left.txt"
    left.write_text("from the first process")
    keep_output(session, "s", OUT, left)

    ending = work("raise SystemExit(3)", outputs=[OUT], is_resumed=True)

    assert ending.status is RunStatus.FAILED
    assert "not started a second time by itself" in ending.reason
    assert not (session.state_dir / "datastore" / "azureml" / "s").exists()
