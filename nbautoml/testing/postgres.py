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


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server with an empty database on a free loopback port; yield its URL.

    Root may not run a server: then it runs as the user ``postgres``, whom the packages of the
    distributions make. Nothing is flushed to the disk, so that tests are quick.

    Raises
    ------
    NotFoundError
        When PostgreSQL's server is not installed.
    """
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="nbautoml-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None
    data = folder / "data"
    try:
        if user is not None:
            shutil.chown(folder, user)
        _run([str(programs / "initdb"), "-D", str(data), *_INITDB], user)
        port = _start(programs / "pg_ctl", data, user)
        try:
            yield f"postgresql+psycopg://nbautoml@127.0.0.1:{port}/postgres"
        finally:
            _run([str(programs / "pg_ctl"), "-D", str(data), *_STOP], user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(program: Path, data: Path, user: str | None) -> int:
    """Start the server on a free port; another process may take the port, so try again."""
    for attempt in range(_ATTEMPTS):
        port = _free_port()
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' "
            "-c fsync=off -c full_page_writes=off"
        )
        log = str(data / "log")
        command = [str(program), "-D", str(data), "-l", log, "-o", options, "-w", "start"]
        try:
            _run(command, user)
        except subprocess.CalledProcessError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return port
    raise AssertionError("the loop returns or raises")


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
