"""MLflow: a mirror of the workspace's runs, and models in its format."""
