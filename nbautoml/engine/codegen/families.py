"""Which code belongs to which family."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nbautoml.engine.codegen import linear_families as linear
from nbautoml.engine.codegen import tree_families as trees
from nbautoml.engine.codegen.algorithms import Algorithm, Circumstances

WRITERS: Mapping[str, Callable[[Circumstances], Algorithm]] = {
    "LightGBM": trees.light_gbm,
    "XGBoostClassifier": trees.xgboost,
    "XGBoostRegressor": trees.xgboost,
    "GradientBoosting": trees.gradient_boosting,
    "CatBoost": trees.cat_boost,
    "ExtremeRandomTrees": trees.forest,
    "RandomForest": trees.forest,
    "DecisionTree": trees.decision_tree,
    "KNN": trees.neighbours,
    "BernoulliNaiveBayes": trees.plain,
    "MultinomialNaiveBayes": linear.multinomial,
    "LogisticRegression": linear.logistic,
    "ElasticNet": linear.elastic,
    "LassoLars": linear.lasso_lars,
    "FastLinearRegressor": linear.fast_linear,
    "LinearSVM": linear.linear_svm,
    "SVM": linear.svm,
    "SGD": linear.sgd_family,
    "AveragedPerceptronClassifier": linear.perceptron,
    "OnlineGradientDescentRegressor": linear.online_descent,
}
"""By the families' names; others are written as calls of themselves."""


def write_algorithm(given: Circumstances) -> Algorithm:
    """Return the code that makes and fits the estimator of a trial."""
    return WRITERS.get(given.family.name, trees.from_elsewhere)(given)
