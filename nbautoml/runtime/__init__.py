"""All that a fitted pipeline refers to; needs only numpy, pandas, scipy and scikit-learn.

Nothing here imports from the rest of the package, so that a saved model can be carried away.
"""
