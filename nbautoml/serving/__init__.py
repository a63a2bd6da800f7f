"""Models that answer over HTTP: a supervisor and workers a deployment, and handles on them."""
