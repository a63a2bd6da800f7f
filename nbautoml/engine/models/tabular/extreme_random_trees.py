"""ExtremeRandomTrees: trees with random thresholds, each on all rows."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from nbautoml.engine.models._base import DataShape, FitContext, Params, is_classification
from nbautoml.engine.models.tabular._forest import Forest


class ExtremeRandomTrees(Forest):
    """Trees with random thresholds (`sklearn.ensemble.ExtraTreesClassifier`, `...Regressor`)."""

    name: ClassVar[str] = "ExtremeRandomTrees"
    aliases: ClassVar[tuple[str, ...]] = (
        "ExtraTrees",
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
    )
    scalers: ClassVar[tuple[str, ...]] = ("MinMaxScaler",)
    delay: ClassVar[float] = 0.4

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        kind = ExtraTreesClassifier if is_classification(context) else ExtraTreesRegressor
        return kind(**self.settings(params, shape, context))

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        return super().cost(params, shape) * 0.6
