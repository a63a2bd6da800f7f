"""Predict a file of rows.

    python score.py rows.csv predictions.csv

It needs the packages of requirements.txt and no others; the first file may be .csv, .json
(a list of objects) or .parquet. A column "prediction" is added to the rows.
"""

import hashlib
import json
import pickle
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
READERS = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}


def load_model():
    """Load model.pkl after checking that it is the file that manifest.json names."""
    data = (HERE / "model.pkl").read_bytes()
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    if hashlib.sha256(data).hexdigest() != manifest["files"]["model.pkl"]:
        raise SystemExit("model.pkl is not the file that manifest.json names; it was not loaded.")
    return pickle.loads(data)


def main(source, target):
    """Read rows, predict, write."""
    rows = READERS[Path(source).suffix.lower()](source)
    rows.assign(prediction=load_model().predict(rows)).to_csv(target, index=False)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
