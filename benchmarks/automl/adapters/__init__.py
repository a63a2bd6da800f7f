"""One small module a system, run by that system's own interpreter; `contract` is their frame."""
