"""What a schedule was asked for: how often or on which change, and with which values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any  # Any: JSON values, and values of parameters

from nbautoml.errors import ConfigError
from nbautoml.pipelines.recurrence import ScheduleRecurrence

POLLING_MINUTES = 5
"""The SDK's default."""
MAX_POLLING_MINUTES = 7 * 24 * 60
_MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """The settings of a schedule; either a recurrence or a datastore says when it runs.

    Parameters
    ----------
    recurrence : ScheduleRecurrence, optional
        How often.
    datastore : str, optional
        Name of a datastore whose files are watched.
    path_on_datastore : str, default ""
        File or folder to watch; the whole datastore when empty.
    polling_interval : int, default 5
        Minutes between two looks at the datastore.
    data_path_parameter_name : str, optional
        Parameter that gets the path that changed last.
    parameters : mapping
        Values of parameters; the others have their defaults.
    continue_on_step_failure : bool, optional
        Whether other steps go on when one has failed; as published when not given.
    """

    recurrence: ScheduleRecurrence | None = None
    datastore: str | None = None
    path_on_datastore: str = ""
    polling_interval: int = POLLING_MINUTES
    data_path_parameter_name: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    continue_on_step_failure: bool | None = None

    def check(self) -> None:
        """Raise an error when the settings do not fit.

        Raises
        ------
        ConfigError
            When they do not.
        """
        if (self.recurrence is None) == (self.datastore is None):
            raise ConfigError(
                "A schedule needs either recurrence= (how often it runs) or datastore= (whose "
                "files it watches)."
            )
        if self.datastore is None and (self.path_on_datastore or self.data_path_parameter_name):
            raise ConfigError(
                "path_on_datastore and data_path_parameter_name of a schedule go with datastore=."
            )
        minutes = self.polling_interval
        is_integer = isinstance(minutes, int) and not isinstance(minutes, bool)
        if not is_integer or not 1 <= minutes <= MAX_POLLING_MINUTES:
            raise ConfigError(
                f"polling_interval of a schedule must be 1 to {MAX_POLLING_MINUTES} minutes; got "
                f"{minutes!r}."
            )

    def started(self, now: float) -> ScheduleSettings:
        """Return the settings with a recurrence that has a start."""
        if self.recurrence is None:
            return self
        return replace(self, recurrence=self.recurrence.started(now))

    def next_after(self, now: float) -> float:
        """Return the moment of the next run, or of the next look."""
        if self.recurrence is None:
            return now + self.polling_interval * _MINUTE_SECONDS
        return self.recurrence.next_after(now)

    def first_at(self, now: float) -> float:
        """Return the first moment of settings that are new; a start that is now counts."""
        if self.recurrence is None:
            return now + self.polling_interval * _MINUTE_SECONDS
        is_without_start = self.recurrence.start_time is None
        started = self.recurrence.started(now)
        return started.first(1)[0] if is_without_start else started.next_after(now)

    def in_words(self) -> str:
        """Return when it runs, for people.

        Examples
        --------
        >>> ScheduleSettings(datastore="blobs", path_on_datastore="in").in_words()
        'when files of blobs/in change (every 5 minutes)'
        """
        if self.recurrence is not None:
            return str(self.recurrence)
        place = f"{self.datastore}/{self.path_on_datastore}".rstrip("/")
        unit = "minute" if self.polling_interval == 1 else f"{self.polling_interval} minutes"
        return f"when files of {place} change (every {unit})"

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        recurrence = None if self.recurrence is None else self.recurrence.to_dict()
        return {**asdict(self), "parameters": dict(self.parameters), "recurrence": recurrence}

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> ScheduleSettings:
        """Return what `to_json` wrote."""
        found = content.get("recurrence")
        recurrence = None if found is None else ScheduleRecurrence.from_dict(found)
        return ScheduleSettings(**{**content, "recurrence": recurrence})
