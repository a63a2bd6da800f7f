"""Entry script of the model beside it: init() once, then run(data) for each request.

It needs the packages of requirements.txt. A request is JSON in one of two forms:

    {"data": [...]}                                          reply {"result": [...]}
    {"Inputs": {"data": [...]}, "GlobalParameters": {...}}   reply {"Results": [...]}

A row is an object of column names and values, or a list in the order of schema.json. With
"method": "predict_proba" (beside "data", or in GlobalParameters) the reply holds class
probabilities. A request that cannot be answered gets {"error": "..."}.
"""

import json
import os
import pickle
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
    with path.open("rb") as file:
        model = pickle.load(file)
    schema = json.loads((path.parent / "schema.json").read_text(encoding="utf-8"))
    columns = schema["columns"]


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
