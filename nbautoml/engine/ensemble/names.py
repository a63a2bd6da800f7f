"""Names of ensembles and of what a stack may have on top, as the SDK spells them."""

from __future__ import annotations

from nbautoml.domain.tasks import Task

VOTING = "VotingEnsemble"
STACK = "StackEnsemble"

META_LEARNERS: dict[Task, tuple[str, ...]] = {
    Task.CLASSIFICATION: ("LogisticRegression", "LogisticRegressionCV", "LightGBMClassifier"),
    Task.REGRESSION: ("ElasticNet", "ElasticNetCV", "LightGBMRegressor", "LinearRegression"),
}
"""The names that the SDK documents for ``stack_meta_learner_type``, by task; a stack has the
first one when nobody says otherwise."""
