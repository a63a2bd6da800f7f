"""Ensembles chosen on out-of-fold predictions."""
