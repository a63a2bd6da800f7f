"""Tests. A package, because others install one of this name, which would be found instead."""
