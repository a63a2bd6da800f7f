"""`PortDataReference`: an output that a step has written, to be copied out."""

from __future__ import annotations

from pathlib import Path

from fsspec.core import url_to_fs

from nbautoml.data.datastore import Datastore
from nbautoml.pipelines.outputs import KeptOutput, copy_out, datastore_of
from nbautoml.store.session import Session

__all__ = ["PortDataReference"]


class PortDataReference:
    """An output of a step's run.

    Parameters
    ----------
    session : Session
        The open store.
    output : KeptOutput
        What the step wrote.
    """

    def __init__(self, session: Session, output: KeptOutput) -> None:
        self._session = session
        self._output = output

    @property
    def name(self) -> str:
        """Name of the output."""
        return self._output.name

    data_reference_name = name

    @property
    def datastore(self) -> Datastore:
        """Where it is."""
        return datastore_of(self._session, self._output.datastore)

    @property
    def datastore_name(self) -> str:
        """Name of the datastore."""
        return self._output.datastore

    @property
    def path_on_datastore(self) -> str:
        """Its path there, such as ``azureml/<step run id>/<name>``."""
        return self._output.path

    @property
    def _path_on_datastore(self) -> str:
        """The same: old notebooks read it under this name."""
        return self._output.path

    def download(
        self,
        local_path: str | Path | None = None,
        overwrite: bool | None = None,
        show_progress: bool | None = None,
    ) -> int:
        """Copy its files to ``<local_path>/<path on datastore>``; return how many.

        Parameters
        ----------
        local_path : str or pathlib.Path, optional
            A folder; the working directory by default.
        overwrite : bool, optional
            Whether a copy that is there is replaced; without it the files are left alone.
        show_progress : bool, optional
            Taken for the SDK's sake; nothing is shown.
        """
        target = Path(local_path if local_path is not None else ".") / self._output.path
        if target.exists() and not overwrite:
            return 0
        fs, top = url_to_fs(self.datastore.resolve(self._output.path))
        return copy_out(fs, str(top), target)

    def __repr__(self) -> str:
        place = f"{self.datastore_name}/{self.path_on_datastore}"
        return f"PortDataReference(name={self.name!r}, {place!r})"
