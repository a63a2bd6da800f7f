"""AutoML runs: the settings, the plan, the work, and what users get back."""
