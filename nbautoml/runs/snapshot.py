"""The source of a run: a folder as it was at submit, kept once by its content."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.runs.ignore import ALWAYS, FILES, IgnoreRules, read_rules
from nbautoml.store.session import Session

SNAPSHOT = "ContentSnapshotId"
"""Property of a run: the id of its source, in the SDK's name."""
MOST_FILES = 2_000
MOST_BYTES = 300 * 2**20
"""Files and bytes of a source folder: the SDK's limits."""

_ARCHIVE = "source.zip"
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The time of all files in the archive, so that equal folders have equal archives."""
_SHOWN = 3


def take_snapshot(session: Session, folder: Path) -> str:
    """Keep the files of a folder; return the id of what was kept.

    What ``.amlignore`` (else ``.gitignore``) names is left out, as are `ignore.ALWAYS` names and
    links that lead out of the folder.

    Parameters
    ----------
    session : Session
        The open store.
    folder : pathlib.Path
        The folder, or one file that is kept alone.

    Raises
    ------
    NotFoundError
        When it is not there.
    ConfigError
        When it has more than `MOST_FILES` files or `MOST_BYTES` bytes; the message names where
        most of them are.
    """
    if not folder.exists():
        raise NotFoundError(f"There is no folder {folder} to keep with the run (in {Path.cwd()}).")
    root = folder if folder.is_dir() else folder.parent
    found = list(_checked(folder)) if folder.is_dir() else [folder]
    with tempfile.TemporaryDirectory(prefix="nbautoml-source-") as scratch:
        archive = Path(scratch) / _ARCHIVE
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for path in sorted(found):
                _pack(packed, path, path.relative_to(root).as_posix())
        with archive.open("rb") as reader:
            snapshot_id = hashlib.file_digest(reader, "sha256").hexdigest()
        session.save_artifact(_owner(snapshot_id), _ARCHIVE, archive)
    return snapshot_id


def restore_snapshot(session: Session, snapshot_id: str, folder: Path) -> None:
    """Unpack a source into a folder, which is made where it is missing.

    Raises
    ------
    NotFoundError
        When there is no such source.
    """
    archive = session.load_artifact(_owner(snapshot_id), _ARCHIVE)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
        for entry in packed.infolist():
            mode = entry.external_attr >> 16
            if mode & 0o100:  # what could be executed still can
                (folder / entry.filename).chmod(0o755)


def snapshot_hashes(session: Session, snapshot_id: str) -> dict[str, str]:
    """Return the path of each file of a source, and the SHA-256 of its bytes.

    Raises
    ------
    NotFoundError
        When there is no such source.
    """
    archive = session.load_artifact(_owner(snapshot_id), _ARCHIVE)
    found = {}
    with zipfile.ZipFile(archive) as packed:
        for name in sorted(packed.namelist()):
            with packed.open(name) as reader:
                digest = hashlib.sha256()
                while chunk := reader.read(1 << 20):
                    digest.update(chunk)
            found[name] = digest.hexdigest()
    return found


def _owner(snapshot_id: str) -> str:
    return f"snapshot:{snapshot_id}"


def _pack(packed: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
    with path.open("rb") as reader, packed.open(entry, "w") as writer:
        shutil.copyfileobj(reader, writer)


def _checked(folder: Path) -> Iterator[Path]:
    """Yield the files that are kept, unless they are too many."""
    files: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for path in _files(folder, folder.resolve(), read_rules(folder)):
        first = path.relative_to(folder).parts[0]
        files[first] += 1
        sizes[first] += path.stat().st_size
        if files.total() > MOST_FILES or sizes.total() > MOST_BYTES:
            raise _too_large(folder, files, sizes)
        yield path


def _files(folder: Path, root: Path, rules: IgnoreRules) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(folder).as_posix()
        yield from _below(path, name, root, rules)


def _below(path: Path, name: str, root: Path, rules: IgnoreRules) -> Iterator[Path]:
    is_folder = path.is_dir()
    if path.name in ALWAYS or rules.matches(name, is_folder=is_folder):
        return
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return
    if is_folder and not path.is_symlink():
        for inner in sorted(path.iterdir()):
            yield from _below(inner, f"{name}/{inner.name}", root, rules)
    elif path.is_file():
        yield path


def _too_large(folder: Path, files: Counter[str], sizes: Counter[str]) -> ConfigError:
    by_size = sizes.total() > MOST_BYTES
    counts = sizes if by_size else files
    words = [
        f"{name} ({size / 2**20:.0f} MB)" if by_size else f"{name} ({size:,} files)"
        for name, size in counts.most_common(_SHOWN)
    ]
    limit = f"{MOST_BYTES // 2**20} MB" if by_size else f"{MOST_FILES:,} files"
    return ConfigError(
        f"The source folder {folder} has more than {limit}, most of it in {', '.join(words)}. All "
        f"of it would be kept with the run: write what is not needed into a file {FILES[0]} there "
        "(one pattern a line, as in .gitignore), or put the script into a folder of its own."
    )
