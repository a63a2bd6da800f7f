"""Datastores: named places for files, a folder of the workspace by default."""

from __future__ import annotations

import builtins
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn  # Any: fsspec file systems are not typed

from fsspec.core import url_to_fs

from nbautoml.data.locate import is_url
from nbautoml.domain.records import DatastoreRecord
from nbautoml.errors import (
    ConfigError,
    ConflictError,
    DatasetError,
    NotAvailableError,
)

if TYPE_CHECKING:
    from nbautoml.store.session import HasSession, Session

DEFAULT_NAME = "workspaceblobstore"
DEFAULT_FOLDER = "datastore"


@dataclass(frozen=True, slots=True)
class DataPath:
    """A path in a datastore; takes the place of a path in ``Dataset.Tabular.from_…``."""

    datastore: Datastore
    path_on_datastore: str = ""
    data_reference_name: str | None = None

    @property
    def uri(self) -> str:
        """Absolute path or URL of it."""
        return self.datastore.resolve(self.path_on_datastore)

    def path(self, path: str) -> DataPath:
        """Return a path below this one."""
        return DataPath(self.datastore, posixpath.join(self.path_on_datastore, path))

    def __str__(self) -> str:
        return f"{self.datastore.name}/{self.path_on_datastore}"


class Datastore:
    """A named place for files: a folder, or anything that fsspec can reach.

    Parameters
    ----------
    workspace : Workspace
        Where it is known.
    name : str, optional
        Its name; without one the workspace's default datastore.

    Raises
    ------
    NotFoundError
        When the workspace has no datastore of that name.
    """

    def __init__(self, workspace: HasSession, name: str | None = None) -> None:
        self._session = workspace.session
        self._record = (
            ensure_default_datastore(self._session)
            if name is None
            else _find_record(self._session, name)
        )

    @staticmethod
    def get(workspace: HasSession, datastore_name: str) -> Datastore:
        """Return a datastore by its name."""
        return Datastore(workspace, datastore_name)

    @staticmethod
    def get_default(workspace: HasSession) -> Datastore:
        """Return the workspace's default datastore."""
        return Datastore(workspace)

    @staticmethod
    def list(workspace: HasSession) -> builtins.list[Datastore]:
        """Return all datastores by name, the default one among them."""
        ensure_default_datastore(workspace.session)
        with workspace.session.read() as tx:
            names = [record.name for record in tx.datastores.list()]
        return [Datastore(workspace, name) for name in names]

    @staticmethod
    def register(
        workspace: HasSession, datastore_name: str, url: str, *, overwrite: bool = False
    ) -> Datastore:
        """Make a folder or an fsspec URL known as a datastore.

        Parameters
        ----------
        workspace : Workspace
            Where to make it known.
        datastore_name : str
            Its name there.
        url : str
            A folder, or a URL such as ``s3://bucket/folder``.
        overwrite : bool, default False
            Point a name that is taken to another place.

        Raises
        ------
        ConflictError
            When the name is taken and `overwrite` is False.
        """
        session = workspace.session
        ensure_default_datastore(session)
        place = url if is_url(url) else str(Path(url).expanduser().absolute())
        with session.read() as tx:
            known = {record.name: record for record in tx.datastores.list()}
        old = known.get(datastore_name)
        if old is not None and old.url != place and not overwrite:
            raise ConflictError(
                f"Datastore {datastore_name!r} is there already, at {old.url}. Take another "
                f"name, or pass overwrite=True."
            )
        kind = place.split("://")[0] if is_url(place) else "folder"
        record = DatastoreRecord(
            name=datastore_name, url=place, kind=kind, is_default=bool(old and old.is_default)
        )
        with session.write() as tx:
            tx.datastores.put(record)
        return Datastore(workspace, datastore_name)

    @staticmethod
    def register_azure_blob_container(
        workspace: HasSession, datastore_name: str, *_args: object, **_settings: object
    ) -> NoReturn:
        """Refuse: Azure's storage is not attached under its own call.

        Raises
        ------
        NotAvailableError
            Always; it says what does the work.
        """
        raise NotAvailableError(
            f"Datastore.register_azure_blob_container is not built. Use "
            f"Datastore.register(ws, {datastore_name!r}, url) with a local folder, or with "
            f"'abfs://container/folder' where the package adlfs is installed."
        )

    @property
    def name(self) -> str:
        """Its name in the workspace."""
        return self._record.name

    @property
    def datastore_type(self) -> str:
        """``"folder"``, or the protocol of its URL."""
        return self._record.kind

    @property
    def container_name(self) -> str:
        """Last part of its place, as Azure calls the container."""
        return PurePosixPath(self._record.url).name

    @property
    def account_name(self) -> str:
        """``"local"`` for a folder, else the host or bucket of its URL."""
        if not is_url(self._record.url):
            return "local"
        return self._record.url.split("://", 1)[1].split("/", 1)[0]

    @property
    def session(self) -> Session:
        """The session of its workspace."""
        return self._session

    def set_as_default(self) -> None:
        """Make it the datastore that ``workspace.get_default_datastore()`` gives."""
        self._record = replace(self._record, is_default=True)
        with self._session.write() as tx:
            tx.datastores.put(self._record)

    def path(self, path: str = "", data_reference_name: str | None = None) -> DataPath:
        """Return a path in the datastore; it need not exist yet."""
        self.resolve(path)
        return DataPath(self, path, data_reference_name)

    def resolve(self, path: str) -> str:
        """Return the absolute path or URL of a path in the datastore.

        Raises
        ------
        ConfigError
            When the path leads out of the datastore.
        """
        relative = PurePosixPath(str(path).replace("\\", "/").lstrip("/"))
        if ".." in relative.parts:
            raise ConfigError(f"{path!r} leads out of datastore {self.name!r}. Leave out '..'.")
        if is_url(self._record.url):
            return f"{self._record.url.rstrip('/')}/{relative}"
        return str(Path(self._record.url) / relative)

    def upload(
        self,
        src_dir: str,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataPath:
        """Copy all files of a folder, with their folders, into the datastore.

        Parameters
        ----------
        src_dir : str
            A folder on this machine.
        target_path : str, optional
            Folder in the datastore; its top by default.
        overwrite : bool, default False
            Replace files that are there; else they stay as they are.
        show_progress : bool
            Taken for the SDK's sake; nothing is shown.
        """
        folder = Path(src_dir).expanduser()
        if not folder.is_dir():
            raise DatasetError(f"upload: src_dir must be a folder; {folder} is none.")
        files = [str(p) for p in sorted(folder.rglob("*")) if p.is_file()]
        return self.upload_files(files, str(folder), target_path, overwrite, show_progress)

    def upload_files(
        self,
        files: Sequence[str],
        relative_root: str | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataPath:
        """Copy files into the datastore.

        Parameters
        ----------
        files : list of str
            Paths on this machine.
        relative_root : str, optional
            Keep the folders below this one; by default only the names are kept.
        target_path : str, optional
            Folder in the datastore; its top by default.
        overwrite : bool, default False
            Replace files that are there; else they stay as they are.
        show_progress : bool
            Taken for the SDK's sake; nothing is shown.
        """
        target = self.path(target_path or "")
        for name in files:
            source = Path(name).expanduser()
            if not source.is_file():
                raise DatasetError(f"upload_files: {source} does not exist or is no file.")
            relative = _relative(source, relative_root)
            self._put(source, target.path(relative).uri, overwrite)
        return target

    def download(
        self,
        target_path: str,
        prefix: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> int:
        """Copy files out of the datastore; return how many.

        Parameters
        ----------
        target_path : str
            A folder on this machine; made when it is not there.
        prefix : str, optional
            Only files whose path in the datastore begins with it.
        overwrite : bool, default False
            Replace files that are there; else they stay as they are.
        show_progress : bool
            Taken for the SDK's sake; nothing is shown.
        """
        fs, top = self._file_system("")
        target = Path(target_path).expanduser()
        wanted = (prefix or "").lstrip("/")
        n_copied = 0
        for found in sorted(fs.find(top)):
            relative = posixpath.relpath(found, top)
            copy = target / relative
            if not relative.startswith(wanted) or (copy.exists() and not overwrite):
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            fs.get_file(found, str(copy))
            n_copied += 1
        return n_copied

    def write_bytes(self, path: str, data: bytes) -> None:
        """Write one file, in place of what is there."""
        fs, place = self._file_system(path)
        fs.makedirs(posixpath.dirname(place), exist_ok=True)
        fs.pipe_file(place, data)

    def unregister(self) -> NoReturn:
        """Refuse: datastores stay known.

        Raises
        ------
        NotAvailableError
            Always; it says what does the work.
        """
        raise NotAvailableError(
            f"Datastore.unregister is not built. Point {self.name!r} elsewhere with "
            f"Datastore.register(ws, {self.name!r}, url, overwrite=True)."
        )

    def __repr__(self) -> str:
        return f"Datastore(name={self.name!r}, type={self.datastore_type!r})"

    def _put(self, source: Path, uri: str, overwrite: bool) -> None:
        fs, path = url_to_fs(uri)
        if fs.exists(path) and not overwrite:
            return
        fs.makedirs(posixpath.dirname(path), exist_ok=True)
        fs.put_file(str(source), path)

    def _file_system(self, path: str) -> tuple[Any, str]:
        fs, top = url_to_fs(self.resolve(path))
        return fs, str(top)


def ensure_default_datastore(session: Session) -> DatastoreRecord:
    """Return the default datastore's record; the first call makes it."""
    with session.read() as tx:
        records = tx.datastores.list()
    for record in records:
        if record.is_default:
            return record
    folder = session.state_dir / DEFAULT_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    made = DatastoreRecord(name=DEFAULT_NAME, url=str(folder), is_default=True)
    with session.write() as tx:
        tx.datastores.put(made)
    return made


def _find_record(session: Session, name: str) -> DatastoreRecord:
    ensure_default_datastore(session)
    with session.read() as tx:
        return tx.datastores.get(name)


def _relative(source: Path, relative_root: str | None) -> str:
    if relative_root is None:
        return source.name
    root = Path(relative_root).expanduser().absolute()
    try:
        return source.absolute().relative_to(root).as_posix()
    except ValueError:
        raise ConfigError(f"upload_files: {source} is not below relative_root {root}.") from None
