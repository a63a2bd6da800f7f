"""The data of a submitted run, as its settings name it: what is learned from, what is tested on."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any  # Any: settings are JSON values

import numpy as np

from nbautoml.automl.artifacts import SPLITS
from nbautoml.runs import files

if TYPE_CHECKING:
    import pandas as pd

    from nbautoml.engine.validation.plan import Fold
    from nbautoml.store.session import Session

TEST_SEED = 0
"""Test rows follow from data and settings alone, so that they can be drawn again."""


class RunData:
    """Reads the data of one run.

    Parameters
    ----------
    session : Session
        The open store.
    settings : mapping
        The settings of the run's row.
    """

    def __init__(self, session: Session, settings: Mapping[str, Any]) -> None:
        self._session = session
        self._settings = settings

    @property
    def label(self) -> str:
        """Name of the label's column."""
        return str(self._settings["label"])

    @property
    def has_test(self) -> bool:
        """Whether the best model is to be tested after the run."""
        given = self._settings["config"].get("test_size")
        return bool(given) or self._settings.get("test_data") is not None

    def training(self) -> pd.DataFrame:
        """Return the rows to learn from; rows that are set aside for a test are not among them."""
        frame = self._load("training_data")
        return self._part(frame, 0) if self._settings["config"].get("test_size") else frame

    def training_and_validation(self) -> tuple[pd.DataFrame, int]:
        """Return the training rows, with given validation rows behind them, and their number."""
        import pandas as pd

        training = self.training()
        if self._settings.get("validation_data") is None:
            return training, 0
        validation = self._load("validation_data")
        if self._settings["config"].get("exclude_nan_labels", True):
            # They are no use for validation; the engine counts those for training.
            validation = validation[validation[self.label].notna()]
        return pd.concat([training, validation], ignore_index=True), len(validation)

    def features(self) -> pd.DataFrame:
        """Return the columns that a model takes, as far as the settings say."""
        aside = [self.label, *self._settings.get("columns_aside", ())]
        return self.training().drop(columns=aside)

    def test(self) -> pd.DataFrame:
        """Return the rows to test on."""
        if self._settings.get("test_data") is not None:
            return self._load("test_data")
        return self._part(self._load("training_data"), 1)

    def _load(self, name: str) -> pd.DataFrame:
        from nbautoml.data.dataset import load_frame

        return load_frame(self._session, str(self._settings[name]))

    def _part(self, frame: pd.DataFrame, part: int) -> pd.DataFrame:
        """Return the rows to learn from (0) or to test on (1) of `training_data`."""
        from nbautoml.engine.rows import read_groups
        from nbautoml.engine.validation import split_test_rows

        config = self._settings["config"]
        group = config.get("group_column_name")
        groups = None
        if group is not None:
            groups = read_groups(frame, str(group), np.ones(len(frame), dtype=bool))
        rows = split_test_rows(
            frame[self.label],
            str(self._settings["task"]),
            float(config["test_size"]),
            TEST_SEED,
            groups,
        )
        return frame.iloc[rows[part]].reset_index(drop=True)


def save_splits(session: Session, run_id: str, splits: Sequence[Fold]) -> None:
    """Keep given splits with a run."""
    stream = io.BytesIO()
    arrays = {
        f"{part}{number}": rows
        for number, split in enumerate(splits)
        for part, rows in zip(("train", "valid"), split, strict=True)
    }
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type] # numpy's stub: names of flags
    session.save_artifact(run_id, SPLITS, stream.getvalue())


def load_splits(session: Session, run_id: str) -> tuple[Fold, ...]:
    """Return the splits that were given to a run; none when none were."""
    if SPLITS not in files.names(session, run_id, SPLITS):
        return ()
    with np.load(session.load_artifact(run_id, SPLITS)) as arrays:
        n_splits = len(arrays.files) // 2
        return tuple((arrays[f"train{i}"], arrays[f"valid{i}"]) for i in range(n_splits))
