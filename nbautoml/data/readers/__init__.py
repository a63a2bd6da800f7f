"""Readers: each turns one local file into a frame; other packages may add more.

A reader is one file here with one line in `BUILTINS`, or an entry point in the group
``nbautoml.readers``; it must pass ``nbautoml.testing.reader_contract.ReaderContract``.
"""

from __future__ import annotations

from nbautoml.data.readers.base import LocalFile, Reader, ReadRequest
from nbautoml.domain.catalog import Catalog

BUILTINS = {
    "delimited": "nbautoml.data.readers.delimited:DELIMITED",
    "parquet": "nbautoml.data.readers.parquet:PARQUET",
    "json_lines": "nbautoml.data.readers.json_lines:JSON_LINES",
}

READERS: Catalog[Reader] = Catalog("reader", BUILTINS, "nbautoml.readers")

__all__ = ["BUILTINS", "READERS", "LocalFile", "ReadRequest", "Reader"]
