"""Experiments and runs: what was submitted, what became of it, and the process that does it."""
