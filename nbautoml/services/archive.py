"""Zip archives that are made while they are sent: they need neither memory nor a disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any  # Any: bytes, or what can be seen as bytes

_PART_BYTES = 1 << 20


def archive(files: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    """Yield a zip archive of files, by name and place, in parts that are never empty."""
    buffer = _Pipe()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, path in files:
            with path.open("rb") as source, target.open(_entry(name, path), "w") as entry:
                while chunk := source.read(_PART_BYTES):
                    entry.write(chunk)
                    yield from buffer.take()
            yield from buffer.take()
    yield from buffer.take()


class _Pipe(io.RawIOBase):
    """What is written to it, until it is taken; `zipfile` sees that it cannot go back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Whether it takes bytes."""
        return True

    def write(self, data: Any) -> int:  # Any: bytes, or what can be seen as bytes
        """Keep bytes."""
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def take(self) -> Iterator[bytes]:
        """Yield what was written since the last time, in one piece."""
        content, self._parts = b"".join(self._parts), []
        if content:
            yield content


def _entry(name: str, path: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # a fixed date: the same files give the same archive
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.file_size = path.stat().st_size  # zipfile decides on it whether the entry is large
    return entry
