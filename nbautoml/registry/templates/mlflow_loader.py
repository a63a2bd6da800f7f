"""Loads the model of this folder for MLflow; it needs the packages of requirements.txt."""

import hashlib
import json
import pickle
from pathlib import Path

import pandas as pd


class BundleModel:
    """Answers tables of rows; parameter "method" is "predict" or "predict_proba"."""

    def __init__(self, folder):
        data = (folder / "model.pkl").read_bytes()
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if hashlib.sha256(data).hexdigest() != manifest["files"]["model.pkl"]:
            raise ValueError("model.pkl is not the file that manifest.json names.")
        self.model = pickle.loads(data)
        self.schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))

    def predict(self, model_input, params=None):
        """Return labels or numbers, or a table of probabilities."""
        method = (params or {}).get("method", "predict")
        if method not in ("predict", "predict_proba"):
            raise ValueError(f'method must be "predict" or "predict_proba"; got {method!r}')
        rows = pd.DataFrame(model_input)
        for column in self.schema["columns"]:
            if column["name"] not in rows:  # it may be missing, as its cells may
                rows[column["name"]] = None
        answers = getattr(self.model, method)(rows)
        if method == "predict_proba":
            return pd.DataFrame(answers, columns=[str(label) for label in self.model.classes_])
        return answers


def _load_pyfunc(path):
    return BundleModel(Path(path))
