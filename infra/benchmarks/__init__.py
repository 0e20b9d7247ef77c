"""Registering benchmarks with the service: read what a maintainer has, check all of it, pack it, enter it."""
