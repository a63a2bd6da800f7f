"""Which file systems are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbautoml.errors import StoreError
from nbautoml.store.file_systems import file_system_type, refuse_network_file_system

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/me/local\\040disk xfs rw 0 0
//share/x /mnt/share cifs rw 0 0
me@host: /mnt/ssh fuse.sshfs rw 0 0
overlay /mnt/layers fuse.fuse-overlayfs rw 0 0
/dev/sdc1 /mnt/usb fuseblk rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/tmp/x.db", "ext4"),
        ("/home/me/x.db", "nfs4"),
        ("/home/me/local disk/x.db", "xfs"),
        ("/homestead/x.db", "ext4"),
    ],
)
def test_the_closest_mount_counts(tmp_path: Path, path: str, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)

    assert file_system_type(Path(path), mounts=mounts) == kind


@pytest.mark.parametrize("folder", ["/home/me", "/mnt/share", "/mnt/ssh/deep"])
def test_a_network_file_system_is_refused(tmp_path: Path, folder: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)

    with pytest.raises(StoreError, match="PostgreSQL"):
        refuse_network_file_system(Path(folder) / "x.db", mounts=mounts)


@pytest.mark.parametrize("folder", ["/", "/mnt/layers", "/mnt/usb", "/home/me/local disk"])
def test_a_local_file_system_is_taken(tmp_path: Path, folder: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)

    refuse_network_file_system(Path(folder) / "x.db", mounts=mounts)


def test_where_mounts_are_not_known_nothing_is_refused(tmp_path: Path) -> None:
    refuse_network_file_system(Path("/home/me/x.db"), mounts=tmp_path / "missing")
