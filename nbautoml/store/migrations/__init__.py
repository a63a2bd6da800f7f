"""Alembic's scripts for the store, run by `nbautoml.store.schema`."""
