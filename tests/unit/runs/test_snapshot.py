"""Which files of a source folder are kept, and how they come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.runs import snapshot
from nbautoml.runs.ignore import IgnoreRules
from nbautoml.runs.snapshot import restore_snapshot, take_snapshot
from nbautoml.store.session import Session


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def kept(session: Session, source: Path, target: Path) -> list[str]:
    restore_snapshot(session, take_snapshot(session, source), target)
    return sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def test_all_files_come_back(session: Session, source: Path, tmp_path: Path) -> None:
    write(source, "train.py", "lib/data.py", ".hidden", "ä b.txt")
    (source / "train.py").chmod(0o755)
    assert kept(session, source, tmp_path / "t") == [
        ".hidden",
        "lib/data.py",
        "train.py",
        "ä b.txt",
    ]
    assert (tmp_path / "t" / "train.py").stat().st_mode & 0o100
    assert not (tmp_path / "t" / "lib" / "data.py").stat().st_mode & 0o100


def test_equal_folders_are_kept_once(session: Session, source: Path, tmp_path: Path) -> None:
    write(source, "a.py")
    other = tmp_path / "other"
    write(other, "a.py")
    first = take_snapshot(session, source)
    assert take_snapshot(session, other) == first
    write(other, "b.py")
    assert take_snapshot(session, other) != first


def test_what_tools_keep_is_left_out(session: Session, source: Path, tmp_path: Path) -> None:
    write(source, "a.py", ".git/HEAD", ".nbautoml/store.db", "lib/__pycache__/a.pyc")
    assert kept(session, source, tmp_path / "t") == ["a.py"]


def test_only_amlignore_counts_where_both_are_there(
    session: Session, source: Path, tmp_path: Path
) -> None:
    write(source, "a.py", "data/big.csv", "notes.md")
    (source / ".gitignore").write_text("*.md\n")
    assert kept(session, source, tmp_path / "one") == [".gitignore", "a.py", "data/big.csv"]
    (source / ".amlignore").write_text("data/\n")
    found = kept(session, source, tmp_path / "two")
    assert found == [".amlignore", ".gitignore", "a.py", "notes.md"]


def test_links_out_of_the_folder_are_left_out(
    session: Session, source: Path, tmp_path: Path
) -> None:
    write(tmp_path, "secret.txt")
    write(source, "a.py")
    (source / "out.txt").symlink_to(tmp_path / "secret.txt")
    (source / "in.txt").symlink_to(source / "a.py")
    (source / "loop").symlink_to(source)
    assert kept(session, source, tmp_path / "t") == ["a.py", "in.txt"]


def test_too_many_files_are_refused_with_their_place(
    session: Session, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MOST_FILES", 3)
    write(source, "a.py", *(f"images/{i}.txt" for i in range(5)))
    with pytest.raises(ConfigError, match=r"more than 3 files, most of it in images .3 files") as e:
        take_snapshot(session, source)
    assert ".amlignore" in str(e.value)


def test_too_many_bytes_are_refused(
    session: Session, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MOST_BYTES", 2**20)
    (source / "big.bin").write_bytes(b"x" * 2**21)
    with pytest.raises(ConfigError, match=r"more than 1 MB, most of it in big.bin .2 MB"):
        take_snapshot(session, source)


def test_a_folder_that_is_not_there_is_refused(session: Session, source: Path) -> None:
    with pytest.raises(NotFoundError):
        take_snapshot(session, source / "none")
    with pytest.raises(NotFoundError):
        restore_snapshot(session, "unknown", source)


@pytest.mark.parametrize(
    ("patterns", "path", "is_folder", "expected"),
    [
        ("*.csv", "a/b.csv", False, True),
        ("*.csv", "a/b.csv.gz", False, False),
        ("/top.txt", "top.txt", False, True),
        ("/top.txt", "a/top.txt", False, False),
        ("a/b", "a/b", False, True),
        ("a/b", "x/a/b", False, False),
        ("build/", "x/build", True, True),
        ("build/", "x/build", False, False),
        ("**/logs", "a/b/logs", True, True),
        ("a/**/z", "a/z", False, True),
        ("a/**/z", "a/b/c/z", False, True),
        ("data/**", "data/x/y", False, True),
        ("f?.py", "f1.py", False, True),
        ("f[0-9].py", "fx.py", False, False),
        ("f[!0-9].py", "fx.py", False, True),
        ("*.py\n!keep.py", "keep.py", False, False),
        ("!keep.py\n*.py", "keep.py", False, True),
        ("# no\n\n  ", "# no", False, False),
        (r"\#yes", "#yes", False, True),
        ("a b.txt  ", "a b.txt", False, True),
        ("x*y", "x/y", False, False),
        ("a.b", "aXb", False, False),
    ],
)
def test_patterns_are_those_of_git(
    patterns: str, path: str, is_folder: bool, expected: bool
) -> None:
    assert IgnoreRules(patterns).matches(path, is_folder=is_folder) is expected
