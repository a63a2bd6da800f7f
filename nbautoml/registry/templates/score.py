"""Predict a file of rows.

    python score.py rows.csv predictions.csv

It needs the packages of requirements.txt and no others; the first file may be .csv, .json
(a list of objects) or .parquet. A column "prediction" is added to the rows.
"""

import hashlib
import importlib.metadata
import json
import pickle
import platform
import sys
import warnings
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
READERS = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}


def main(source, target):
    """Read rows, predict, write."""
    try:
        model = load_model(HERE / "model.pkl")
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
    rows = READERS[Path(source).suffix.lower()](source)
    rows.assign(prediction=model.predict(rows)).to_csv(target, index=False)


def load_model(path):
    """Load a model; where a manifest lies beside it, its bytes and versions are checked first."""
    data = path.read_bytes()
    file = path.parent / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    recorded = manifest.get("files", {}).get(path.name)
    if recorded not in (None, hashlib.sha256(data).hexdigest()):
        raise RuntimeError(
            f"{path.name} is not the file that {file.name} names; it was not loaded."
        )
    check_versions({"python": manifest.get("python", ""), **manifest.get("packages", {})})
    return pickle.loads(data)


def check_versions(wanted):
    """Refuse versions that break a model, and warn of others than those it was made with."""
    here = {name: installed(name) for name, version in wanted.items() if version}
    other = [name for name in here if here[name] != wanted[name]]
    told = ", ".join(f"{name} {wanted[name]} (here: {here[name] or 'none'})" for name in other)
    pins = " ".join(f"{name}=={wanted[name]}" for name in other if name != "python")
    remedy = f"It was made with {told}. To match it: pip install {pins or '-r requirements.txt'}"
    is_broken = any(
        not here[name] or release(here[name], name) != release(wanted[name], name) for name in other
    )
    if is_broken:
        raise RuntimeError(f"The model was not loaded. {remedy}")
    if other and other != ["python"]:
        warnings.warn(remedy, stacklevel=2)


def installed(name):
    """Return the version of a package here, or nothing."""
    if name == "python":
        return platform.python_version()
    for known in {"xgboost": ("xgboost", "xgboost-cpu")}.get(name, (name,)):
        try:
            return importlib.metadata.version(known)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def release(version, name):
    """Return the part of a version that must be the same: of Python also the second number."""
    return version.split(".")[: 2 if name == "python" else 1]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
