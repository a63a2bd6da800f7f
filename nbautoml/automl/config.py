"""AutoMLConfig: the settings of a run, as the SDK spelled them."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self  # Any: values of settings

import pandas as pd

from nbautoml.automl import checks
from nbautoml.automl.featurization_config import FeaturizationConfig
from nbautoml.automl.legacy import modernise
from nbautoml.automl.notices import warn_once
from nbautoml.automl.options import AUTOML_OPTIONS, DATA_OPTIONS, describe_options
from nbautoml.domain.events import json_safe
from nbautoml.domain.metrics import DEFAULT_PRIMARY
from nbautoml.domain.options import shorten, validate
from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError

if TYPE_CHECKING:
    from nbautoml.automl.automl_run import AutoMLRun
    from nbautoml.runs.experiment import Experiment

_OF = "AutoMLConfig"


class AutoMLConfig:
    """Settings of an AutoML run, checked when they are given.

    Parameters
    ----------
    task : {"classification", "regression"}
        What the label is.
    **settings
        Any keyword of the SDK's AutoMLConfig, in today's or an older spelling; the full list
        with units and defaults is in ``docs/reference/automl-config.md`` and in
        ``%automl help``. Needed are ``training_data`` and ``label_column_name``.

    Raises
    ------
    ConfigError
        For an unknown setting, a wrong value, or settings that contradict each other.
    NotAvailableError
        For a known setting whose function does not exist yet.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [40, 50], "ill": [False, True]})
    >>> config = AutoMLConfig(
    ...     "classification", training_data=frame, label_column_name="ill", iterations=5
    ... )
    >>> config.values["iterations"], config.values["primary_metric"]
    (5, 'accuracy')
    """

    def __init__(self, task: str | None = None, **settings: Any) -> None:
        self._take({"task": task, **settings}, warn=warn_once)
        checks.check_data(self._values)
        checks.check_positive_label(self._values)
        checks.check_featurization(self._values)
        checks.check_packages(self._values)

    def _take(self, given: Mapping[str, Any], *, warn: Callable[[str], None]) -> None:
        """Check settings and keep them; data may be missing."""
        checks.refuse_forecasting(given.get("task"))
        first = validate(given, AUTOML_OPTIONS, of=_OF, warn=warn)
        if first.values["task"] is None:
            raise ConfigError(
                "task of AutoMLConfig is missing; give 'classification' or 'regression'."
            )
        settings = modernise({name: first.values[name] for name in first.given}, warn=warn)
        values = {name: option.default for name, option in AUTOML_OPTIONS.items()} | settings
        checks.check_metric(values)
        checks.check_validation(values)
        checks.check_stack(values)
        settings |= checks.models_for_task(values)
        self._settings = settings
        self._values = values | settings
        if values["primary_metric"] is None:
            self._values["primary_metric"] = DEFAULT_PRIMARY[Task(values["task"])]

    @property
    def values(self) -> Mapping[str, Any]:
        """A value for every setting; old forms are converted, ``primary_metric`` is filled in."""
        return MappingProxyType(self._values)

    @property
    def given(self) -> frozenset[str]:
        """Names of the settings that the user gave, in today's spelling."""
        return frozenset(self._settings)

    @property
    def user_settings(self) -> dict[str, Any]:
        """The settings that the user gave, in today's spelling, in the order of the reference."""
        return {name: self._values[name] for name in AUTOML_OPTIONS if name in self._settings}

    @property
    def task(self) -> Task:
        """What the label is."""
        return Task(self._values["task"])

    def to_dict(self) -> dict[str, Any]:
        """Return the given settings as JSON values, without the data."""
        settings = {n: v for n, v in self.user_settings.items() if n not in DATA_OPTIONS}
        featurization = settings.get("featurization")
        if isinstance(featurization, FeaturizationConfig):
            settings["featurization"] = featurization.to_dict()
        written: dict[str, Any] = json_safe(settings)
        return written

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], **data: Any) -> Self:
        """Rebuild a config from `to_dict`, with or without its data.

        Parameters
        ----------
        settings : mapping
            What `to_dict` returned.
        **data
            ``training_data`` and ``validation_data``, where they are needed.
        """
        config = cls.__new__(cls)
        config._take({**settings, **data}, warn=_silent)
        return config

    def submit_to(
        self,
        experiment: Experiment,
        *,
        tags: Mapping[str, str] | None = None,
        show_output: bool = False,
    ) -> AutoMLRun:
        """Start a run of an experiment with these settings (``Experiment.submit`` calls this).

        Parameters
        ----------
        experiment : Experiment
            Where the run belongs.
        tags : mapping of str to str, optional
            Tags of the run.
        show_output : bool, default False
            Wait for the run and write its progress.
        """
        from nbautoml.automl.submit import submit_config  # the run classes need this module

        return submit_config(self, experiment, tags=tags, show_output=show_output)

    def __repr__(self) -> str:
        settings = ", ".join(f"{n}={_short(v)}" for n, v in self.user_settings.items())
        return f"{_OF}({settings})"

    def _repr_html_(self) -> str:
        units = {name: option.unit for name, option in AUTOML_OPTIONS.items()}
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(name)}</td>"
            f"<td style='text-align:left'>{html.escape(_short(value))} {units[name]}</td></tr>"
            for name, value in self.user_settings.items()
        )
        return f"<table><caption>{_OF}</caption><tbody>{rows}</tbody></table>"


def _silent(_text: str) -> None:
    """Take a warning that was shown when the config was first made."""


def _short(value: object) -> str:
    """Return a value for people: data as its size."""
    if isinstance(value, pd.DataFrame):
        return f"<DataFrame {value.shape[0]:,} x {value.shape[1]:,}>"
    if hasattr(value, "to_pandas_dataframe"):
        name = getattr(value, "name", None)
        return f"<{type(value).__name__}{f' {name}' if name else ''}>"
    return shorten(value)


def _signature() -> inspect.Signature:
    """Return a signature with every keyword, for help and completion in notebooks."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("task", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None),
        *(
            inspect.Parameter(row.name, keyword, default=row.default)
            for row in describe_options()
            if row.name != "task"
        ),
    ]
    return inspect.Signature(parameters)


AutoMLConfig.__signature__ = _signature()  # type: ignore[attr-defined]  # made from the table
