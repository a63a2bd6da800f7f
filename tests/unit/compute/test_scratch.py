from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from nbautoml.compute.scratch import PREFIX, ScratchFolder, remove_stale

OWNER = """
import sys
from pathlib import Path
from nbautoml.compute.scratch import ScratchFolder
folder = ScratchFolder(Path(sys.argv[1]))
print(folder.path, flush=True)
sys.stdin.read()
"""
LATER = time.time() + 3600


def test_folder_is_removed_with_all_in_it(tmp_path: Path) -> None:
    with ScratchFolder(tmp_path) as folder:
        (folder.path / "left").mkdir()
        (folder.path / "left" / "file").touch()

    assert list(tmp_path.iterdir()) == []


def test_folder_of_a_dead_owner_is_removed_and_of_a_living_one_kept(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        remove_stale(tmp_path, now=LATER)
        was_kept = folder.is_dir()
        owner.kill()

    remove_stale(tmp_path)
    was_kept_while_young = folder.is_dir()
    remove_stale(tmp_path, now=LATER)

    assert (was_kept, was_kept_while_young, folder.exists()) == (True, True, False)


def test_folder_without_a_lock_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / (PREFIX + "other")
    foreign.mkdir()

    remove_stale(tmp_path, now=LATER)

    assert foreign.is_dir()
