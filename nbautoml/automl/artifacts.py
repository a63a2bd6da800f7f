"""Names of the files that AutoML runs store."""

from __future__ import annotations

SERVED_MODEL = "outputs/model.pkl"
"""The model users download: loads with public packages only, once its bundle is made."""
INTERNAL_MODEL = "internal/model.pkl"
"""The same model for this package's own use: smaller, survives a Python upgrade."""
SPLITS = "internal/cv_splits.npz"
"""Splits that were given to a run as lists of rows."""
PREDICTIONS = "predictions/predictions.csv"
"""What a test run predicted."""
MANIFEST = "outputs/manifest.json"
"""Present where a child's bundle has been made."""
VERSIONS = "dependencies_versions"
"""Property of a run: JSON of the package versions its models were made with."""
METRIC_CONFIDENCE = "outputs/metric_confidence.json"
"""Confidence intervals of the best model's metrics; the run has it, and the best child."""
