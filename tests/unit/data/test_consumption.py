"""A dataset as an input of a script has a name, and no path."""

from __future__ import annotations

import pandas as pd
import pytest

from nbautoml.data.consumption import DatasetConsumptionConfig
from nbautoml.data.tabular import from_frame
from nbautoml.errors import ConfigError, NotAvailableError


def test_a_dataset_gets_a_name() -> None:
    dataset = from_frame(pd.DataFrame({"a": [1]}))

    named = dataset.as_named_input("rows")

    assert isinstance(named, DatasetConsumptionConfig)
    assert (named.name, named.dataset, named.mode) == ("rows", dataset, "direct")


@pytest.mark.parametrize("name", ["", "a b", "1a", "a-b"])
def test_a_name_that_no_script_can_use_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="An input cannot be called"):
        DatasetConsumptionConfig(name, None)


def test_a_table_has_no_path() -> None:
    named = from_frame(pd.DataFrame({"a": [1]})).as_named_input("rows")

    with pytest.raises(NotAvailableError, match="no path to mount"):
        named.as_mount()
    with pytest.raises(NotAvailableError):
        named.as_download()
    with pytest.raises(NotAvailableError):
        DatasetConsumptionConfig("rows", None, mode="mount")
