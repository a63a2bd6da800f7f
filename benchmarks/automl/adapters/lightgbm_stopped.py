"""LightGBM with its library's defaults and early stopping on 20 % of the rows."""

from __future__ import annotations

from benchmarks.automl.adapters.contract import serve
from benchmarks.automl.adapters.lightgbm import EarlyStoppedLightGBM

if __name__ == "__main__":
    serve(EarlyStoppedLightGBM())
