"""Text files as they come: compressed or not, in many encodings, and sometimes damaged."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from nbautoml.data.readers.base import LocalFile
from nbautoml.errors import ConfigError, DatasetError

GZIP_MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 16 << 20  # a longer first line is no table, and would fill the memory

# The SDK's spellings first; "utf-8-sig" reads files with and without a byte order mark.
ENCODINGS = {
    "utf8": "utf-8-sig",
    "utf-8": "utf-8-sig",
    "utf8bom": "utf-8-sig",
    "iso88591": "iso8859-1",
    "latin1": "iso8859-1",
    "latin-1": "iso8859-1",
    "ascii": "ascii",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "windows1252": "cp1252",
}

OTHER_FORMATS = {
    b"PAR1": "is a Parquet file; use Dataset.Tabular.from_parquet_files",
    b"ARROW1": "is an Arrow file; read it with pandas.read_feather and pass the DataFrame",
    b"PK\x03\x04": "is a zip archive or an Excel workbook; unpack it, or read it with "
    "pandas.read_excel and pass the DataFrame",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook; save it as CSV",
    b"%PDF": "is a PDF document; save its table as CSV",
    b"SQLite format 3": "is a SQLite database; read a table with pandas.read_sql",
    b"BZh": "is compressed with bzip2; decompress it, or compress it with gzip",
    b"\xfd7zXZ": "is compressed with xz; decompress it, or compress it with gzip",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; decompress it, or compress it with gzip",
}
HTML_STARTS = (b"<!doctype html", b"<html")
WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "utf32",
    codecs.BOM_UTF16_LE: "utf16",
    codecs.BOM_UTF16_BE: "utf16",
}


def accept_encoding(name: str) -> str:
    """Return the codec for an encoding's name.

    Raises
    ------
    ConfigError
        When there is no such encoding.

    Examples
    --------
    >>> accept_encoding("windows1252")
    'cp1252'
    """
    known = ENCODINGS.get(name.lower().strip().replace("_", "-"))
    if known is not None:
        return known
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ConfigError(
            f"encoding must be one of {', '.join(ENCODINGS)} or a codec of Python; got {name!r}."
        ) from None


@contextmanager
def open_bytes(file: LocalFile) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed where it is compressed with gzip.

    Raises
    ------
    DatasetError
        Also while the block runs: when the compressed data ends early or is damaged, or the
        file cannot be read.
    """
    try:
        with file.path.open("rb") as raw:
            magic = raw.read(2)
            raw.seek(0)
            if magic != GZIP_MAGIC:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield cast(BinaryIO, unpacked)
    except EOFError as error:
        raise DatasetError(
            f"{file.label} is cut off: its gzip data ends early, after "
            f"{file.path.stat().st_size:,} bytes. Fetch or compress it again."
        ) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(
            f"{file.label} is damaged: its gzip data cannot be unpacked ({error}). "
            f"Fetch or compress it again."
        ) from error
    except OSError as error:
        raise DatasetError(f"{file.label} cannot be read: {error.strerror or error}.") from error


@contextmanager
def open_text(file: LocalFile, codec: str) -> Iterator[io.TextIOWrapper]:
    """Open a text file; line ends stay as they are.

    Raises
    ------
    DatasetError
        Also while the block runs: as `open_bytes`, and for bytes that the encoding does not
        know, with their line.
    """
    with open_bytes(file) as raw:
        text = io.TextIOWrapper(raw, encoding=codec, newline="")
        try:
            yield text
        except UnicodeError as error:
            raise DatasetError(explain_encoding(file, codec, error)) from error
        finally:
            if not raw.closed:
                text.detach()


def read_head(file: LocalFile) -> bytes:
    """Return the first block of a file's content, at least to its first line end.

    Raises
    ------
    DatasetError
        When the file is empty, of another format, or has no line end in its first 16 MB.
    """
    with open_bytes(file) as raw:
        head = raw.read(BLOCK_BYTES)
        while head and not (b"\n" in head or b"\r" in head) and len(head) <= MAX_LINE_BYTES:
            more = raw.read(BLOCK_BYTES)
            if not more:
                break
            head += more
    if not head.strip(b" \t\r\n\xef\xbb\xbf"):
        raise DatasetError(f"{file.label} is empty. Name a file with a header and rows.")
    _refuse_other_formats(file, head)
    if len(head) > MAX_LINE_BYTES and not (b"\n" in head or b"\r" in head):
        raise DatasetError(
            f"{file.label}, line 1: no line end in the first {MAX_LINE_BYTES >> 20} MB, so this "
            f"is no table of lines. Check that it is a delimited text file."
        )
    return head


def _refuse_other_formats(file: LocalFile, head: bytes) -> None:
    for magic, advice in OTHER_FORMATS.items():
        if head.startswith(magic):
            raise DatasetError(f"{file.label} {advice}.")
    if head.lstrip()[:15].lower().startswith(HTML_STARTS):
        raise DatasetError(
            f"{file.label} is a web page, not a table. Take the address of the raw file (on a "
            f"code host: the 'Raw' or 'Download' link)."
        )


def refuse_wide_text(file: LocalFile, head: bytes, codec: str) -> None:
    """Raise an error when the file is UTF-16 or UTF-32 but is read as something else."""
    if codec.startswith(("utf-16", "utf-32")):
        return
    for mark, name in WIDE_MARKS.items():
        if head.startswith(mark):
            raise DatasetError(
                f"{file.label} begins with the byte order mark of {name.upper()}. "
                f"Pass encoding='{name}'."
            )
    if b"\0" in head:
        line = head[: head.index(b"\0")].count(b"\n") + 1
        raise DatasetError(explain_nul(file, line))


def explain_nul(file: LocalFile, line: int) -> str:
    """Return the message for a NUL byte."""
    return (
        f"{file.label}, line {line}: there is a NUL byte, so the file is damaged or no plain "
        f"text. Write it again; if it is UTF-16, pass encoding='utf16'."
    )


def explain_encoding(file: LocalFile, codec: str, error: UnicodeError) -> str:
    """Return the message for text that is not in the encoding; names line and byte."""
    if codec.startswith(("utf-16", "utf-32")):
        return f"{file.label} is not {codec}: {error}. Pass encoding='utf8'."
    decoder = codecs.getincrementaldecoder(codec)()
    n_lines, tail = 0, b""
    with open_bytes(file) as raw:
        while block := raw.read(BLOCK_BYTES):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as found:
                data, at = found.object, found.start
                # The decoder keeps the start of a split character: `data` may begin before block.
                line = n_lines + data[:at].count(b"\n") + 1
                column = at - (data.rfind(b"\n", 0, at) + 1) + 1
                if b"\n" not in data[:at]:
                    column += len(tail)
                other = _guess_encoding(data[max(0, at - 40) : at + 40])
                return (
                    f"{file.label}, line {line}: byte 0x{data[at]:02x} at position {column} is "
                    f"not {codec.removesuffix('-sig')}. Pass encoding='{other}', or save the "
                    f"file as UTF-8."
                )
            n_lines += block.count(b"\n")
            tail = block.rpartition(b"\n")[2] if b"\n" in block else tail + block
    return f"{file.label} is cut off in the middle of a character. Fetch it again."


def _guess_encoding(sample: bytes) -> str:
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "latin1"
    return "windows1252"
