"""Checks a delimited file before pandas reads it, and says in plain words what is wrong.

pandas fills short rows, renames repeated columns and reads a wrong separator as one column;
each of these would train a model on nonsense. One pass of the csv module finds them all.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from nbautoml.data.readers.base import LocalFile
from nbautoml.data.readers.text import explain_nul, open_text, read_head, refuse_wide_text
from nbautoml.errors import DatasetError

SEPARATOR_NAMES = {",": "','", ";": "';'", "\t": r"'\t'", "|": "'|'"}
HEAD_LINES = 20
MAX_COLUMNS = 100_000  # a wider header is no table; pandas would take minutes and gigabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Column names of a file, and whether it has any rows below them."""

    columns: tuple[str, ...]
    has_rows: bool


def check_layout(
    file: LocalFile, *, codec: str, separator: str, has_header: bool, limit: int | None
) -> Layout:
    """Return the columns of a delimited file whose rows all fit them.

    Parameters
    ----------
    file : LocalFile
        What to check.
    codec : str
        Encoding of the text.
    separator : str
        One character.
    has_header : bool
        Whether the first line names the columns; else they are ``Column1``, ``Column2``, …
    limit : int or None
        Check only that many leading rows.

    Raises
    ------
    DatasetError
        Names the file, the line, and what to do.
    """
    head = read_head(file)
    refuse_wide_text(file, head, codec)
    with open_text(file, codec) as text:
        rows = csv.reader(_checked_lines(file, text), delimiter=separator)
        first = _find_first(file, rows)
        _check_separator(file, _head_lines(head, codec), separator, len(first))
        columns = _name_columns(file, first, has_header)
        try:
            widths = set(map(len, islice(rows, limit)))
        except csv.Error as error:
            _pass_long_text(file, rows.line_num, error)
            return Layout(columns=columns, has_rows=True)
    if widths - {len(first), 0}:
        _check_rows(file, codec, separator, len(first), limit)
    return Layout(columns=columns, has_rows=bool(widths - {0}) or not has_header)


def _find_first(file: LocalFile, rows: Iterator[list[str]]) -> list[str]:
    """Return the first row that is not blank."""
    try:
        first = next((row for row in rows if not _is_blank(row)), None)
    except csv.Error as error:
        raise DatasetError(
            f"{file.label}, line 1: {error}. Check the separator and the quotes of that line."
        ) from error
    if first is None:
        raise DatasetError(f"{file.label} is empty. Name a file with a header and rows.")
    if len(first) > MAX_COLUMNS:
        raise DatasetError(
            f"{file.label}, line 1: {len(first):,} columns; at most {MAX_COLUMNS:,} can be read. "
            f"Check the separator and the line ends, or keep fewer columns."
        )
    return first


def _pass_long_text(file: LocalFile, line: int, error: csv.Error) -> None:
    """Leave a value that is too long for the csv module to pandas; refuse other errors."""
    if "field limit" not in str(error):
        raise DatasetError(f"{file.label}, line {line}: {error}. Correct that line.") from error


def _checked_lines(file: LocalFile, text: io.TextIOWrapper) -> Iterator[str]:
    for number, line in enumerate(text, start=1):
        if "\0" in line:
            raise DatasetError(explain_nul(file, number))
        yield line


def _is_blank(row: list[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


def _head_lines(head: bytes, codec: str) -> list[str]:
    text = head.decode(codec, errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[:HEAD_LINES] if len(lines) <= HEAD_LINES else lines[: HEAD_LINES - 1]


def find_separator(file: LocalFile, *, codec: str = "utf-8-sig") -> str:
    """Return the separator of a file, by its first lines; a comma where none does better.

    Parameters
    ----------
    file : LocalFile
        Delimited text, plain or compressed with gzip.
    codec : str, default "utf-8-sig"
        Its encoding.

    Raises
    ------
    DatasetError
        When the file is empty, or no text.
    """
    lines = _head_lines(read_head(file), codec)
    try:
        first: list[str] = next(csv.reader(lines), [])
        return "," if len(first) > 1 else guess_separator(lines, ",") or ","
    except csv.Error:
        return ","  # whoever reads the file says what is wrong with that line


def guess_separator(lines: list[str], separator: str) -> str | None:
    """Return another separator that cuts all lines into equally many values, if one does.

    Examples
    --------
    >>> guess_separator(["a;b", "1,5;2"], ",")
    ';'
    """
    best, best_width = None, 1
    for candidate in SEPARATOR_NAMES:
        if candidate == separator:
            continue
        widths = {len(row) for row in csv.reader(lines, delimiter=candidate) if row}
        if len(widths) == 1 and (width := widths.pop()) > best_width:
            best, best_width = candidate, width
    return best


def _check_separator(file: LocalFile, lines: list[str], separator: str, width: int) -> None:
    if width > 1:
        return
    other = guess_separator(lines, separator)
    if other is not None:
        raise DatasetError(
            f"{file.label}, line 1: one column {lines[0][:80]!r} was found with "
            f"separator={SEPARATOR_NAMES.get(separator, repr(separator))}. "
            f"Pass separator={SEPARATOR_NAMES[other]}."
        )


def _name_columns(file: LocalFile, first: list[str], has_header: bool) -> tuple[str, ...]:
    if not has_header:
        return tuple(f"Column{i}" for i in range(1, len(first) + 1))
    names = [name if name.strip() else f"Column{i}" for i, name in enumerate(first, start=1)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        places = "; ".join(
            f"{name!r} (columns {', '.join(str(i + 1) for i, n in enumerate(names) if n == name)})"
            for name in repeated[:5]
        )
        raise DatasetError(
            f"{file.label}, line 1: column names must differ; repeated: {places}. Rename them "
            f"in the file, or pass header=False if the first line holds data."
        )
    return tuple(names)


def _check_rows(file: LocalFile, codec: str, separator: str, width: int, limit: int | None) -> None:
    """Find the first row that does not fit, and raise an error that names its line."""
    head = read_head(file)
    with open_text(file, codec) as text:
        rows = csv.reader(text, delimiter=separator)
        for line, row in _numbered(rows, limit):
            if len(row) == width or _is_blank(row):
                continue
            spans = rows.line_num - line
            other = guess_separator(_head_lines(head, codec), separator)
            raise DatasetError(
                f"{file.label}, line {line}: {len(row)} values found, {width} expected as in "
                f"the first line. {_advise(other, spans, len(row) > width)}"
            )


def _numbered(rows: Iterable[list[str]], limit: int | None) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row begins, and the row; the first row is the header's."""
    line = 1
    for row in islice(rows, None if limit is None else limit + 1):
        yield line, row
        line = rows.line_num + 1  # type: ignore[attr-defined]  # a csv reader


def _advise(other: str | None, spans: int, is_long: bool) -> str:
    if other is not None:
        return f"Pass separator={SEPARATOR_NAMES[other]}."
    if spans > 2:
        return f"A quote on that line is closed only {spans} lines below: add the missing quote."
    if is_long:
        return "Put quotes around a value that holds the separator, or correct the line."
    return "Add the missing values, or delete the line if the file was cut off there."
