"""Registered models, and the bundles that make them loadable without nbautoml."""
