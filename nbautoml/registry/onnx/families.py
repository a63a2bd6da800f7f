"""Which model families can be written as ONNX; known without loading anything."""

from __future__ import annotations

NOT_CONVERTIBLE = {
    "CatBoost": "its trees would need a converter of their own, and the package's own export "
    "makes a graph that cannot be joined with features and ensembles.",
}
"""Built-in families that cannot, and why."""

NOT_ON_TEXTS = ("GradientBoosting", "XGBoostClassifier", "XGBoostRegressor")
"""Families that cannot where a column is text: they split at values of training rows, and weights
of words differ in their last digit when they are summed in another order."""

CONVERTIBLE = frozenset(
    {
        "AveragedPerceptronClassifier",
        "BernoulliNaiveBayes",
        "DecisionTree",
        "ElasticNet",
        "ExtremeRandomTrees",
        "FastLinearRegressor",
        "GradientBoosting",
        "KNN",
        "LassoLars",
        "LightGBM",
        "LinearSVM",
        "LogisticRegression",
        "MultinomialNaiveBayes",
        "OnlineGradientDescentRegressor",
        "RandomForest",
        "SGD",
        "SVM",
        "XGBoostClassifier",
        "XGBoostRegressor",
    }
)
"""Families whose fitted estimators have a writer; a test asks each of them."""
