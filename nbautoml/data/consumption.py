"""`DatasetConsumptionConfig`: a dataset as an input of a script, under a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn  # Any: a dataset, or a parameter that is one

from nbautoml.errors import ConfigError, NotAvailableError

if TYPE_CHECKING:
    from nbautoml.data.tabular import TabularDataset

__all__ = ["DatasetConsumptionConfig"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class DatasetConsumptionConfig:
    """A dataset as an input of a script; ``dataset.as_named_input(name)`` makes one.

    As an argument it arrives as the dataset's id; in the script
    ``Run.get_context().input_datasets[name]`` is the dataset.

    Parameters
    ----------
    name : str
        Its name in the script: letters, digits and ``_``.
    dataset : TabularDataset or PipelineParameter
        The dataset, or the parameter of a pipeline that stands for one.
    mode : str
        The SDK's argument; only ``"direct"``.

    Raises
    ------
    ConfigError
        When the name cannot be used.
    """

    def __init__(
        self,
        name: str,
        dataset: TabularDataset | Any,
        mode: str = "direct",
        path_on_compute: object = None,
    ) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigError(
                f"An input cannot be called {name!r}: use letters, digits and '_', with a letter "
                "first."
            )
        if mode != "direct":
            self.as_mount()
        self.name = name
        self.dataset = dataset
        self.mode = mode

    def as_mount(self, path_on_compute: object = None) -> NoReturn:
        """Refuse: a table has no path.

        Raises
        ------
        NotAvailableError
            Always; it says what does the work.
        """
        raise NotAvailableError(
            "A tabular dataset has no path to mount or download. Pass it as it is: the script gets "
            "its id, and Run.get_context().input_datasets has the dataset."
        )

    as_download = as_mount

    def __repr__(self) -> str:
        return f"DatasetConsumptionConfig(name={self.name!r}, dataset={self.dataset!r})"
