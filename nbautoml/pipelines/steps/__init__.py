"""The kinds of steps that a pipeline can have."""
