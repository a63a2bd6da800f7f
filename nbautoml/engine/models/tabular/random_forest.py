"""RandomForest: bagged trees."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from nbautoml.engine.models._base import DataShape, FitContext, Params, is_classification
from nbautoml.engine.models.tabular._forest import Forest


class RandomForest(Forest):
    """Bagged trees (`sklearn.ensemble.RandomForestClassifier`, `RandomForestRegressor`)."""

    name: ClassVar[str] = "RandomForest"
    aliases: ClassVar[tuple[str, ...]] = (
        "RandomForestClassifier",
        "RandomForestRegressor",
        "RF",
    )
    scalers: ClassVar[tuple[str, ...]] = ("MinMaxScaler",)
    delay: ClassVar[float] = 0.6

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        kind = RandomForestClassifier if is_classification(context) else RandomForestRegressor
        return kind(**self.settings(params, shape, context))
