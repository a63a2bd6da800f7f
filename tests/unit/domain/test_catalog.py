"""Plug-in points by name."""

from __future__ import annotations

import os

import pytest

from nbautoml.domain.catalog import Catalog
from nbautoml.errors import ConfigError


def test_an_entry_is_imported_when_asked_for() -> None:
    catalog: Catalog[str] = Catalog("thing", {"sep": "os:sep"}, "nbautoml.none")
    assert catalog.get("sep") == os.sep


def test_listing_names_imports_nothing() -> None:
    catalog: Catalog[str] = Catalog("thing", {"a": "no.such.module:x"}, "nbautoml.none")
    assert catalog.names() == ("a",)


def test_an_unknown_name_gets_a_hint() -> None:
    catalog: Catalog[str] = Catalog("thing", {"LightGBM": "os:sep"}, "nbautoml.none")
    with pytest.raises(ConfigError, match=r"No thing is called 'LigthGBM'\. Did you mean"):
        catalog.get("LigthGBM")


def test_a_path_reaches_what_no_catalog_lists() -> None:
    catalog: Catalog[str] = Catalog("thing", {}, "nbautoml.none")
    assert catalog.get("os:sep") == os.sep
    assert catalog.names() == ()  # a "module:attribute" name is not kept among the names


@pytest.mark.parametrize(("module", "expected"), [("json", ("a", "b")), ("no_such_one", ("a",))])
def test_a_builtin_is_left_out_where_what_it_needs_is_missing(
    module: str, expected: tuple[str, ...]
) -> None:
    paths = {"a": "os:sep", "b": "os:linesep"}
    catalog: Catalog[str] = Catalog("thing", paths, "nbautoml.none", {"b": module})
    assert catalog.names() == expected
