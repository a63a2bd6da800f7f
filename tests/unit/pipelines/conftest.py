"""A workspace in memory, and a pipeline of two scripts in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.domain.records import SessionAddress
from nbautoml.pipelines.data import PipelineData
from nbautoml.pipelines.steps.python_script import PythonScriptStep
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session, create_session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    address = SessionAddress(
        name="w", root=str(tmp_path), store_url="sqlite://", artifact_root=str(tmp_path / "files")
    )
    session = create_session(address)
    yield session
    session.close()


@pytest.fixture
def workspace(session: Session) -> WorkspaceHandle:
    return WorkspaceHandle(session)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a folder with two scripts."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("make.py", "use.py"):
        (folder / name).write_text(f"print({name!r})\n")
    return folder


@pytest.fixture
def steps(source: Path) -> tuple[PythonScriptStep, PythonScriptStep]:
    """Return a step that writes ``rows``, and one that reads it."""
    rows = PipelineData("rows", pipeline_output_name="all_rows")
    make = PythonScriptStep(
        "make.py", arguments=["--out", rows], outputs=[rows], source_directory=source
    )
    use = PythonScriptStep(
        "use.py", arguments=["--in", rows], inputs=[rows], source_directory=source
    )
    return make, use
