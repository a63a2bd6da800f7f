"""Served models: what an answer costs beside other servers, and whether all answers are right."""
