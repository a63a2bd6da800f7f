"""Delimited text: CSV and its kin, plain or compressed with gzip."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any  # Any: JSON options and keyword arguments of pandas

import numpy as np
import pandas as pd

from nbautoml.data.readers.base import LocalFile, ReadRequest
from nbautoml.data.readers.layout import Layout, check_layout
from nbautoml.data.readers.text import BLOCK_BYTES, accept_encoding, open_bytes, open_text
from nbautoml.data.types import PromoteHeadersBehavior
from nbautoml.errors import ConfigError, DatasetError, did_you_mean

# What pandas takes for a missing value, less the empty string.
# fmt: off
MISSING_WORDS = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
]
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class DelimitedOptions:
    """How the text is cut into columns.

    Parameters
    ----------
    separator : str
        Between values; more than one character is a regular expression.
    header : int
        A value of `PromoteHeadersBehavior`.
    encoding : str
        A codec of Python.
    infer_types : bool
        Else all columns are text.
    empty_as_string : bool
        Read empty values as ``""`` instead of missing.
    """

    separator: str = ","
    header: int = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS.value
    encoding: str = "utf-8-sig"
    infer_types: bool = True
    empty_as_string: bool = False

    def has_header(self, is_first_file: bool) -> bool:
        """Whether a file begins with a line of names."""
        behaviour = PromoteHeadersBehavior(self.header)
        if behaviour is PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS:
            return is_first_file
        return behaviour is not PromoteHeadersBehavior.NO_HEADERS


class DelimitedReader:
    """Reads delimited text with pandas, after a check of its layout."""

    def accept_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked options; see `DelimitedOptions`."""
        known = [field.name for field in fields(DelimitedOptions)]
        for name in options:
            if name not in known:
                raise ConfigError(
                    f"Delimited files have no option {name!r}.{did_you_mean(name, known)}"
                )
        accepted = DelimitedOptions(**options)
        if not isinstance(accepted.separator, str) or not accepted.separator:
            raise ConfigError(f"separator must be text such as ','; got {accepted.separator!r}.")
        PromoteHeadersBehavior(accepted.header)
        return asdict(replace(accepted, encoding=accept_encoding(accepted.encoding)))

    def read(
        self, file: LocalFile, options: Mapping[str, Any], request: ReadRequest
    ) -> pd.DataFrame:
        """Return the rows of one file."""
        accepted = DelimitedOptions(**options)
        has_header = accepted.has_header(request.first_columns is None)
        layout = _find_layout(file, accepted, has_header, request.limit)
        names = layout.columns
        if not has_header and request.first_columns is not None:
            names = _borrow_names(file, names, request.first_columns)
        if not layout.has_rows:
            return pd.DataFrame({name: pd.Series(dtype="object") for name in names})
        call = _pandas_arguments(accepted, names, has_header, request)
        frame = _parse(file, call)
        if accepted.infer_types:
            frame = _keep_leading_zeros(file, frame, accepted.separator, call)
        return frame


DELIMITED = DelimitedReader()


def _find_layout(
    file: LocalFile, options: DelimitedOptions, has_header: bool, limit: int | None
) -> Layout:
    if len(options.separator) == 1:
        return check_layout(
            file,
            codec=options.encoding,
            separator=options.separator,
            has_header=has_header,
            limit=limit,
        )
    with open_text(file, options.encoding) as text:
        first = next((line for line in text if line.strip()), "")
    values = re.split(options.separator, first.strip())
    names = values if has_header else [f"Column{i}" for i in range(1, len(values) + 1)]
    if not first.strip():
        raise DatasetError(f"{file.label} is empty. Name a file with a header and rows.")
    return Layout(columns=tuple(names), has_rows=True)


def _borrow_names(file: LocalFile, names: Sequence[str], first: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) != len(first):
        raise DatasetError(
            f"{file.label}, line 1: {len(names)} values found, {len(first)} expected as in the "
            f"first file. Check that the files belong together."
        )
    return first


def _pandas_arguments(
    options: DelimitedOptions, names: Sequence[str], has_header: bool, request: ReadRequest
) -> dict[str, Any]:
    is_text = names if not options.infer_types else request.text_columns.intersection(names)
    return {
        "sep": options.separator,
        "header": 0 if has_header else None,
        "names": list(names),
        "index_col": False,
        "dtype": dict.fromkeys(is_text, "str"),
        "nrows": request.limit,
        "encoding": options.encoding,
        "keep_default_na": False,
        "na_values": MISSING_WORDS if options.empty_as_string else ["", *MISSING_WORDS],
        "engine": "c" if len(options.separator) == 1 else "python",
        **({"low_memory": False} if len(options.separator) == 1 else {}),
    }


def _parse(file: LocalFile, call: Mapping[str, Any]) -> pd.DataFrame:
    with open_bytes(file) as raw:
        try:
            frame: pd.DataFrame = pd.read_csv(raw, **call)
            return frame
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
            text = str(error).strip().removeprefix("Error tokenizing data. C error: ")
            found = re.search(r"EOF inside string starting at row (\d+)", text)
            if found:
                row = int(found.group(1)) + 1
                raise DatasetError(
                    f"{file.label}, line {row}: a quote that is opened there is never closed. "
                    f"Add the closing quote, or double a quote that belongs to the text."
                ) from error
            raise DatasetError(
                f"{file.label} cannot be cut into columns: {text}. Check the separator and "
                f"the line it names."
            ) from error


def _keep_leading_zeros(
    file: LocalFile, frame: pd.DataFrame, separator: str, call: Mapping[str, Any]
) -> pd.DataFrame:
    """Give columns such as zip codes as text: ``01234`` is a name, not the number 1234."""
    whole = [name for name in frame.columns if _is_whole(frame[name])]
    if not whole or len(separator) > 1 or not _has_leading_zero(file, separator, call["encoding"]):
        return frame
    text = _parse(file, {**call, "usecols": whole, "dtype": "str"})
    coded = [name for name in whole if text[name].str.match(r"\s*0\d+\s*$").any()]
    return frame.assign(**{name: text[name] for name in coded}) if coded else frame


def _is_whole(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_integer_dtype(column):
        return True
    if not pd.api.types.is_float_dtype(column):
        return False
    present = column.dropna()
    return bool(len(present)) and bool((present == present.round()).all())


def _has_leading_zero(file: LocalFile, separator: str, codec: str) -> bool:
    """Whether any value may begin with a zero before another digit; cheap and never wrongly no."""
    if codec.startswith(("utf-16", "utf-32")):
        return True
    begins = np.isin(np.arange(256), list(b'\n\r\t "' + separator.encode(codec)))
    tail = b"\n"
    with open_bytes(file) as raw:
        while block := raw.read(BLOCK_BYTES):
            seen = np.frombuffer(tail + block, dtype=np.uint8)
            is_zero = (seen[1:-1] == ord("0")) & begins[seen[:-2]]
            if (is_zero & (seen[2:] >= ord("0")) & (seen[2:] <= ord("9"))).any():
                return True
            tail = (tail + block)[-2:]
    return False
