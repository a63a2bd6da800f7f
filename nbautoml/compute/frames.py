"""How a worker and its child talk: frames of one letter, a length and a body, over a socket."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum

HEADER = struct.Struct("!cQ")


class Kind(Enum):
    """What a frame says."""

    READY = b"R"  # child: its process id; it waits for a task
    CARDS = b"C"  # worker: numbers of the graphics cards that the next task may use
    TASK = b"T"  # worker: entry and pickled payload
    MESSAGE = b"M"  # child: a pickled body that the entry emitted
    DONE = b"D"  # child: the pickled value that the entry returned
    FAILED = b"F"  # child: one sentence and a traceback


def encode(kind: Kind, body: bytes) -> bytes:
    r"""Return the bytes of a frame.

    Examples
    --------
    >>> encode(Kind.DONE, b"ab")
    b'D\x00\x00\x00\x00\x00\x00\x00\x02ab'
    """
    return HEADER.pack(kind.value, len(body)) + body


class FrameReader:
    """Takes bytes as they come and gives back whole frames; a half frame never blocks.

    Examples
    --------
    >>> reader = FrameReader()
    >>> data = encode(Kind.DONE, b"ab")
    >>> list(reader.feed(data[:5])), list(reader.feed(data[5:]))
    ([], [(<Kind.DONE: b'D'>, b'ab')])
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Take in bytes, and yield the frames that are complete."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            letter, size = HEADER.unpack_from(self._buffer)
            end = HEADER.size + size
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            yield Kind(letter), body
