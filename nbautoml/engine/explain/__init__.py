"""Why a model answers as it does: importances, contributions of columns, dependence, what-if."""
