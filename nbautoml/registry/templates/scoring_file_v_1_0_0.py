"""Entry script of the model beside it: init() once, then run(data) for each request.

It needs the packages of requirements.txt. A request is JSON in one of two forms:

    {"data": [...]}                                          reply {"result": [...]}
    {"Inputs": {"data": [...]}, "GlobalParameters": {...}}   reply {"Results": [...]}

A row is an object of column names and values, or a list in the order of schema.json. With
"method": "predict_proba" (beside "data", or in GlobalParameters) the reply holds class
probabilities. A request that cannot be answered gets {"error": "..."}.
"""

import hashlib
import importlib.metadata
import json
import os
import pickle
import platform
import warnings
from pathlib import Path

import pandas as pd

model = None
columns = []


def init():
    """Load the model and the names of its columns."""
    global model, columns
    folder = Path(os.environ.get("AZUREML_MODEL_DIR") or Path(__file__).parent)
    path = next(iter(sorted(folder.rglob("model.pkl"))), None)
    if path is None:
        raise FileNotFoundError(f"There is no model.pkl in {folder}.")
    model = load_model(path)
    schema = path.parent / "schema.json"
    columns = json.loads(schema.read_text(encoding="utf-8"))["columns"] if schema.is_file() else []


def run(data):
    """Answer one request: JSON text, bytes or an object that was read from it."""
    try:
        request = json.loads(data) if isinstance(data, (str, bytes, bytearray)) else data
        if not isinstance(request, dict):
            raise ValueError('a request is an object such as {"data": [...]}')
        is_nested = "Inputs" in request
        body = request["Inputs"] if is_nested else request
        options = request.get("GlobalParameters") if is_nested else request
        method = options.get("method", "predict") if isinstance(options, dict) else "predict"
        answer = predict(body.get("data") if isinstance(body, dict) else body, method)
    except Exception as error:  # noqa: BLE001 - a service's border: each failure is a reply
        return json.dumps({"error": f"{type(error).__name__}: {error}"})
    return json.dumps({"Results" if is_nested else "result": answer})


def predict(rows, method="predict"):
    """Return predictions for rows as JSON values."""
    if method not in ("predict", "predict_proba"):
        raise ValueError(f'"method" must be "predict" or "predict_proba"; got {method!r}')
    result = getattr(model, method)(to_frame(rows))
    values = result.tolist() if hasattr(result, "tolist") else list(result)
    return [v.isoformat() if hasattr(v, "isoformat") else v for v in values]


def to_frame(rows):
    """Make a frame of the model's columns from the rows of a request."""
    if not isinstance(rows, list) or not rows:
        raise ValueError('"data" must be a list of rows')
    names = [column["name"] for column in columns]
    if isinstance(rows[0], dict):
        frame = pd.DataFrame.from_records(rows)
    elif not isinstance(rows[0], list):
        raise ValueError("a row must be an object or a list")
    elif not names:
        raise ValueError("a row must be an object: there is no schema.json beside the model")
    elif any(len(row) != len(names) for row in rows):
        raise ValueError(f"a row must have {len(names)} values: {', '.join(names)}")
    else:
        frame = pd.DataFrame(rows, columns=names)
    for column in columns:
        if column["name"] in frame:
            frame[column["name"]] = cast(frame[column["name"]], column)
    return frame


def cast(values, column):
    """Give one column the kind of values that it had in training."""
    kind = column["dtype"].lower()
    try:
        if kind.startswith(("int", "uint", "float")):
            return pd.to_numeric(values)
        if kind.startswith("datetime"):
            return pd.to_datetime(values)
    except (ValueError, TypeError) as error:
        raise ValueError(f'column "{column["name"]}" must be {kind}: {error}') from None
    return values


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
