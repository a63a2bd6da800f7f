"""Predict a file of rows with model.onnx.

    python score_onnx.py rows.csv predictions.csv

It needs onnxruntime, numpy and pandas. The first file may be .csv, .json (a list of objects) or
.parquet. A column "prediction" is added to the rows, and one a class for probabilities.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd

HERE = Path(__file__).parent
READERS = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}


def to_tensor(column, source):
    """Return a column as an input of the graph: n rows of one cell."""
    if source["tensor"] == "string":
        cells = ["" if pd.isna(cell) else to_text(cell) for cell in column]
        return np.array(cells, dtype=object).reshape(-1, 1)
    if source["unit"].startswith("seconds since"):
        times = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
        seconds = np.where(np.isnat(times), np.nan, times.astype("int64") / 1e6)
    elif source["unit"] == "seconds":
        seconds = pd.to_timedelta(column).dt.total_seconds().to_numpy()
    else:
        seconds = pd.to_numeric(column).to_numpy(dtype="float64", na_value=np.nan)
    return seconds.reshape(-1, 1)


def to_text(cell):
    """Return a cell as the text under which the model knows it: 3.0 is "3"."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def main(source, target):
    """Read rows, predict, write."""
    rows = READERS[Path(source).suffix.lower()](source)
    resource = json.loads((HERE / "model_onnx.json").read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(str(HERE / "model.onnx"))
    feed = {s["input"]: to_tensor(rows[s["name"]], s) for s in resource["inputs"]}
    answers = session.run(None, feed)
    shares = {}
    if resource["classes"] is not None:
        columns = zip(resource["classes"], answers[1].T, strict=True)
        shares = {f"probability_{label}": column for label, column in columns}
    rows.assign(prediction=answers[0], **shares).to_csv(target, index=False)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
