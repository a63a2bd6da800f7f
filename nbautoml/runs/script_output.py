"""What a script writes, on its way from a file into the run's log."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

MOST_CHARS = 1_000_000
"""Characters of one script that the run's log takes; the file has all of them."""
_MOST_EVENT_CHARS = 60_000
_LAST_CHARS = 8_000
_READ_BYTES = 1 << 20
_CODES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")
"""Colours and movements of a terminal."""
_FULL = (
    "The script writes more than a run's log takes; all of it is in user_logs/std_log.txt. "
    "Its last lines follow when it has ended."
)
TRACEBACK = "Traceback (most recent call last):"
_REASON_LINES = 12


class OutputReader:
    """Hands over whole lines of a growing file.

    Parameters
    ----------
    file : pathlib.Path
        The file; it may be missing as yet.
    emit : callable
        Takes lines that belong together, joined.
    warn : callable
        Takes a sentence about what is left out.
    """

    def __init__(
        self, file: Path, emit: Callable[[str], None], warn: Callable[[str], None]
    ) -> None:
        self._file = file
        self._emit = emit
        self._warn = warn
        self._at = 0
        self._rest = b""
        self._n_chars = 0

    def read(self, *, is_last: bool = False) -> None:
        """Hand over what has come; of a line that has no end yet only the last time."""
        while part := self._next():
            whole, newline, self._rest = (self._rest + part).rpartition(b"\n")
            if newline:
                self._hand_over(whole)
        if is_last:
            if self._rest:
                self._hand_over(self._rest)
                self._rest = b""
            if self._n_chars > MOST_CHARS:
                self._emit(plain(tail_of(self._file, _LAST_CHARS)))

    def _next(self) -> bytes:
        if not self._file.is_file():
            return b""
        with self._file.open("rb") as reader:
            reader.seek(self._at)
            part = reader.read(_READ_BYTES)
        self._at += len(part)
        return part

    def _hand_over(self, content: bytes) -> None:
        if self._n_chars > MOST_CHARS:
            return
        text = plain(content.decode("utf-8", "replace"))
        self._n_chars += len(text) + 1
        for start in range(0, max(len(text), 1), _MOST_EVENT_CHARS):
            self._emit(text[start : start + _MOST_EVENT_CHARS])
        if self._n_chars > MOST_CHARS:
            self._warn(_FULL)


def plain(text: str) -> str:
    r"""Return text as it stands on a screen in the end: without codes, lines as last written.

    Examples
    --------
    >>> plain("\x1b[31mred\x1b[0m\n 10%\r 90%\r\nend")
    'red\n 90%\nend'
    """
    lines = _CODES.sub("", text).replace("\x00", "").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def tail_of(file: Path, n_chars: int) -> str:
    """Return about so many characters from the end of a file, from a line's beginning."""
    if not file.is_file():
        return ""
    size = file.stat().st_size
    with file.open("rb") as reader:
        reader.seek(max(0, size - n_chars))
        text = reader.read().decode("utf-8", "replace")
    return text.partition("\n")[2] if size > n_chars else text


def failure_of(output: str) -> str:
    r"""Return what a script's last words say of its failure: the error, then its traceback.

    Parameters
    ----------
    output : str
        The end of what it wrote.

    Examples
    --------
    >>> failure_of("epoch 1\nTraceback (most recent call last):\n  File 'a.py'\nKeyError: 'x'\n")
    "KeyError: 'x'\nTraceback (most recent call last):\n  File 'a.py'\nKeyError: 'x'"
    """
    text = plain(output).rstrip()
    if not text:
        return ""
    lines = text.split("\n")
    starts = [i for i, line in enumerate(lines) if line.startswith(TRACEBACK)]
    if not starts:
        return lines[-1].strip()
    trace = [line for line in lines[starts[-1] :] if line.strip()]
    said = [line for line in trace[1:] if not line.startswith(" ")]
    shown = trace if len(trace) <= _REASON_LINES else [trace[0], "  …", *trace[2 - _REASON_LINES :]]
    return "\n".join([said[0] if said else trace[-1], *shown])
