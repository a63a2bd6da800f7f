"""Datasets and datastores: tables as immutable versions, places for files."""

from __future__ import annotations

from nbautoml.data.dataset import Dataset, as_dataset, capture, load_frame
from nbautoml.data.datastore import DataPath, Datastore
from nbautoml.data.factory import FileDatasetFactory, TabularDatasetFactory
from nbautoml.data.tabular import TabularDataset
from nbautoml.data.types import DataType, PromoteHeadersBehavior

__all__ = [
    "DataPath",
    "DataType",
    "Dataset",
    "Datastore",
    "FileDatasetFactory",
    "PromoteHeadersBehavior",
    "TabularDataset",
    "TabularDatasetFactory",
    "as_dataset",
    "capture",
    "load_frame",
]
