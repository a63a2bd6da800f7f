"""AveragedPerceptronClassifier: the mean of a perceptron's weights over its steps."""

from __future__ import annotations

from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from sklearn.linear_model import SGDClassifier

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import DataShape, FitContext, Params, SearchSpace, Span
from nbautoml.engine.models.tabular._descent import descent_seconds, most_passes
from nbautoml.engine.models.tabular._margin import MarginClassifier, n_splits


class AveragedPerceptronClassifier(MarginClassifier):
    """Averaged perceptron (`sklearn.linear_model.SGDClassifier`, its loss), calibrated.

    Notes
    -----
    Freund and Schapire, "Large margin classification using the perceptron algorithm", 1999.
    """

    name: ClassVar[str] = "AveragedPerceptronClassifier"
    aliases: ClassVar[tuple[str, ...]] = (
        "AveragedPerceptron",
        "AveragedPerceptronBinaryClassifier",
        "AveragedPerceptronMulticlassClassifier",
        "Perceptron",
    )
    delay: ClassVar[float] = 1.7

    def space(self, task: Task) -> SearchSpace:
        """Return the settings that the search may vary."""
        return SearchSpace(
            {
                "alpha": Span(1e-7, 1e-2, is_log=True),
                "max_iter": Span(2, 50, is_log=True, is_whole=True),
            }
        )

    def portfolio(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return settings worth trying before any search, the best first."""
        return ({"alpha": 1e-6, "max_iter": 10},)

    def cost(self, params: Params, shape: DataShape) -> float:
        """Return about how many seconds one fit takes on one thread."""
        passes = min(params["max_iter"], most_passes(shape.n_rows))
        return 8e-3 + n_splits(shape.n_rows) * descent_seconds(shape, passes)

    def margin(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the classifier that is calibrated, not yet fitted."""
        return SGDClassifier(
            loss="perceptron",
            alpha=params["alpha"],
            max_iter=min(params["max_iter"], most_passes(shape.n_rows)),
            learning_rate="constant",
            eta0=1.0,
            average=True,
            random_state=context.seed,
        )
