"""Pipelines: steps that pass data to each other, their graph, and the process that runs them."""
