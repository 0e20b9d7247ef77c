"""Benchmarks: what is measured, in which version, and the public part that teams download."""
