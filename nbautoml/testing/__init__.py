"""Fakes, contract suites and a fast model family: for tests of nbautoml and of its plug-ins."""
