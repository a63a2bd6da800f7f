"""Beginning and ending a run by hand, in the SDK's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self  # Any: arguments of the SDK that do nothing here

from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, ConflictError
from nbautoml.runs.child_process import current_run
from nbautoml.runs.ending import end_without_owner
from nbautoml.runs.files import upload_folder
from nbautoml.runs.interactive import NewChild, add_child, add_children, start_run
from nbautoml.runs.types import INTERACTIVE, SCRIPTS
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.runs.experiment import Experiment
    from nbautoml.runs.run import Run

TOLD_FAILURE = "told_failure"
"""Property of a script run: what its script said to `Run.fail`."""


class EndsByHand:
    """The part of a run that a notebook, a program or a script controls."""

    session: Session
    id: str
    experiment: Experiment
    _outputs: tuple[Path, ...] = ()

    def start(self) -> None:
        """Let a run of `create_children` be running; one that is running stays so."""
        start_run(self.session, self.id)

    def complete(self) -> None:
        """End the run well.

        Inside of the script of a run it does nothing: the run ends with its script. A run that
        has ended stays as it is.

        Raises
        ------
        ConflictError
            When the run has a process of its own, which ends it.
        """
        self._end(RunStatus.COMPLETED, "")

    def fail(self, error_details: object = None, error_code: object = None) -> None:
        """End the run as failed.

        Inside of the script of a run the run fails when its script ends. A run that has ended
        stays as it is.

        Parameters
        ----------
        error_details : str or Exception, optional
            What happened; the run's reason.
        error_code : str, optional
            Put before it.

        Raises
        ------
        ConflictError
            When the run has a process of its own, which ends it.
        """
        words = (str(part) for part in (error_code, error_details) if part not in (None, ""))
        self._end(RunStatus.FAILED, ": ".join(words) or "run.fail() was called.")

    def child_run(
        self, name: str | None = None, run_id: str | None = None, outputs: object = None
    ) -> Run:
        """Return a new child that is running; end it, or use it in a ``with`` block.

        Parameters
        ----------
        name : str, optional
            A name for people.
        run_id : str, optional
            Its id; a new one by default.
        outputs : str or Path, optional
            Folder whose files are stored when it ends.
        """
        child_id = add_child(self.session, self.id, name=name or "", run_id=run_id)
        child = self._handle(child_id)
        child._outputs = folders_of(outputs)
        return child

    def create_children(
        self,
        count: int | None = None,
        tag_key: str | None = None,
        tag_values: Sequence[Any] | None = None,
    ) -> list[Run]:
        """Return new children that wait for `start`; a ``with`` block starts and ends one.

        Parameters
        ----------
        count : int, optional
            How many.
        tag_key, tag_values : str and sequence, optional
            In place of `count`: one child a value, which is its tag.

        Raises
        ------
        ConfigError
            When it is not said how many, or twice.
        """
        has_tags = tag_key is not None and tag_values is not None
        if has_tags == (count is not None):
            raise ConfigError(
                "create_children takes count, or tag_key and tag_values; "
                f"got count={count!r}, tag_key={tag_key!r}, tag_values={tag_values!r}."
            )
        children = [NewChild() for _ in range(count or 0)]
        if has_tags:
            children = [NewChild(tags={str(tag_key): str(value)}) for value in tag_values or ()]
        ids = add_children(self.session, self.id, children, is_started=False)
        return [self._handle(child_id) for child_id in ids]

    def submit_child(
        self, config: Any, tags: Mapping[str, str] | None = None, **_azure: Any
    ) -> Run:
        """Submit a configuration into the run's experiment; the new run's tag names this one."""
        run: Run = self.experiment.submit(config, tags={"parent_run_id": self.id, **(tags or {})})
        return run

    def __enter__(self) -> Self:
        with self.session.read() as tx:
            status = tx.runs.get(self.id).status
        if status is RunStatus.NOT_STARTED:
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.complete()
        else:
            self.fail(f"{type(error).__name__}: {error}")

    def _handle(self, child_id: str) -> Run:
        from nbautoml.runs.run import Run  # a run is made of this part

        return Run(self.experiment, child_id)

    def _end(self, status: RunStatus, reason: str) -> None:
        with self.session.read() as tx:
            record = tx.runs.get(self.id)
        if record.status.is_terminal:
            return
        if record.type == INTERACTIVE:
            for folder in self._outputs:
                upload_folder(self.session, self.id, folder.name, folder)
            end_without_owner(self.session, self.id, status, reason)
            return
        own = current_run()
        if record.type not in SCRIPTS or own is None or own[1] != self.id:
            raise ConflictError(
                f"Run {self.id} is ended by its own process, not by hand. To stop it: run.cancel()."
            )
        if status is RunStatus.FAILED:
            with self.session.write() as tx:
                tx.runs.set_properties(self.id, {TOLD_FAILURE: reason})


def folders_of(outputs: object) -> tuple[Path, ...]:
    """Return the folders that the argument ``outputs`` of the SDK names.

    Raises
    ------
    ConfigError
        When it is neither a folder nor a list of folders.
    """
    if outputs is None:
        return ()
    if isinstance(outputs, str | Path):
        return (Path(outputs),)
    if isinstance(outputs, list | tuple) and all(isinstance(o, str | Path) for o in outputs):
        return tuple(Path(o) for o in outputs)
    raise ConfigError(f"outputs must be a folder or a list of folders; got {outputs!r}.")
