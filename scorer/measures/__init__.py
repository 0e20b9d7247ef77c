"""Measures: one formula, one file."""
