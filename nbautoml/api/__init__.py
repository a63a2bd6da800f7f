"""The REST service for callers outside of notebooks: they submit what is published."""
