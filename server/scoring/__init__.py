"""Runs: who works on which subset of a submission, how the scorer is launched, and what becomes of its report."""
