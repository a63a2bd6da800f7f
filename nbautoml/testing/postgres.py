"""A PostgreSQL server for the length of a test run, from the programs of the distribution."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from nbautoml.errors import NotFoundError

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_INITDB = ("-U", "nbautoml", "-E", "UTF8", "--auth=trust", "--locale=C", "--no-sync")
_STOP = ("-m", "immediate", "-w", "stop")
_ATTEMPTS = 5
_START_SECONDS = 120.0


def find_programs() -> Path:
    """Return the folder of the newest ``initdb`` and ``pg_ctl``.

    Raises
    ------
    NotFoundError
        When PostgreSQL's server is not installed.
    """
    found = [path for pattern in _FOLDERS for path in Path("/").glob(pattern.lstrip("/"))]
    if (on_path := shutil.which("initdb")) is not None:
        found.append(Path(on_path).parent)
    usable = [path for path in found if (path / "initdb").exists() and (path / "pg_ctl").exists()]
    if not usable:
        raise NotFoundError(
            "PostgreSQL's server programs (initdb, pg_ctl) are not installed; looked in "
            f"{', '.join(_FOLDERS)} and on the PATH. On Debian: apt-get install postgresql."
        )
    return max(usable, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))])


class PostgresServer:
    """A server with an empty database on a free loopback port, for the length of a block.

    Root may not run a server: then it runs as the user ``postgres``, whom the packages of the
    distributions make. Nothing is flushed to the disk, so that tests are quick.

    Raises
    ------
    NotFoundError
        When PostgreSQL's server is not installed.
    """

    def __init__(self) -> None:
        self._program = find_programs() / "pg_ctl"
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="nbautoml-postgres-"))
        self._data = self._folder / "data"
        self._port = 0

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        initdb = self._program.with_name("initdb")
        _run([str(initdb), "-D", str(self._data), *_INITDB], self._user)
        self._port = _start(self._program, self._data, self._user)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Address of the database."""
        return f"postgresql+psycopg://nbautoml@127.0.0.1:{self._port}/postgres"

    def stop(self) -> None:
        """End the server at once, as a crash would; what was committed is kept."""
        _run([str(self._program), "-D", str(self._data), *_STOP], self._user)

    def start(self) -> None:
        """Start the server again on its port."""
        _start_on(self._port, self._program, self._data, self._user)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server with an empty database; yield its URL.

    Raises
    ------
    NotFoundError
        When PostgreSQL's server is not installed.
    """
    with PostgresServer() as server:
        yield server.url


def _start(program: Path, data: Path, user: str | None) -> int:
    """Start the server on a free port; another process may take the port, so try again."""
    for attempt in range(_ATTEMPTS):
        port = _free_port()
        try:
            _start_on(port, program, data, user)
        except subprocess.CalledProcessError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return port
    raise AssertionError("the loop returns or raises")


def _start_on(port: int, program: Path, data: Path, user: str | None) -> None:
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' "
        "-c fsync=off -c full_page_writes=off"
    )
    log = str(data / "log")
    _run([str(program), "-D", str(data), "-l", log, "-o", options, "-w", "start"], user)


def _run(command: Sequence[str], user: str | None) -> None:
    group = pwd.getpwnam(user).pw_gid if user is not None else None
    subprocess.run(
        command,
        check=True,
        user=user,
        group=group,
        extra_groups=[] if user is not None else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        # the server inherits these: a pipe would never end
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_START_SECONDS,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
