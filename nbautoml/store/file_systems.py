"""Which file systems SQLite can be trusted on, and when one is full."""

from __future__ import annotations

import errno
import re
import shutil
from pathlib import Path

from nbautoml.errors import StoreError

LEAST_FREE_BYTES = 1 << 20
"""With less free space than this nothing can be written to a workspace."""

# File systems on which several hosts may see one file. WAL needs shared memory between all
# users of the file, which these do not give (https://www.sqlite.org/wal.html).
_NETWORK_TYPES = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "davfs"),
        *("ceph", "glusterfs", "lustre", "gpfs", "beegfs", "orangefs", "pvfs2", "ocfs2", "gfs2"),
    }
)
_LOCAL_FUSE_TYPES = frozenset(
    {"fuse.fuse-overlayfs", "fuse.mergerfs", "fuse.gocryptfs", "fuse.encfs", "fuse.bindfs"}
)


def refuse_network_file_system(path: Path, *, mounts: Path = Path("/proc/mounts")) -> None:
    """Raise `StoreError` when `path` would lie on a network file system.

    Parameters
    ----------
    path : Path
        The SQLite file, which need not exist.
    mounts : Path
        Table of mounts in the form of ``/proc/mounts``; where there is none (not Linux)
        nothing is refused.
    """
    kind = file_system_type(path, mounts=mounts)
    if kind in _NETWORK_TYPES or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE_TYPES):
        raise StoreError(
            f"{path} lies on a network file system ({kind}), where SQLite cannot keep several "
            "processes apart. Give the workspace a PostgreSQL store "
            "(store_url='postgresql+psycopg://user@host/database'), or a folder on a local disk."
        )


def file_system_type(path: Path, *, mounts: Path = Path("/proc/mounts")) -> str:
    """Return the type of the file system that holds `path`, or ``""`` when it is not known."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    target = path.resolve()
    best, found = -1, ""
    for line in lines:
        _device, folder, kind, *_rest = line.split(" ")
        folder = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), folder)
        depth = len(Path(folder).parts)
        if depth >= best and target.is_relative_to(folder):  # later mounts cover earlier ones
            best, found = depth, kind
    return found


def has_no_space(folder: Path) -> bool:
    """Whether a folder's disk has less than 1 MiB left: nothing can be written to a workspace."""
    try:
        return shutil.disk_usage(folder).free < LEAST_FREE_BYTES
    except OSError:
        return False  # there is no such folder: something else is wrong


def is_disk_full(error: OSError) -> bool:
    """Whether an error says that there is no space left, or that a quota is used up.

    Examples
    --------
    >>> is_disk_full(OSError(errno.ENOSPC, "No space left on device"))
    True
    """
    return error.errno in {errno.ENOSPC, errno.EDQUOT}
