"""Postgres: pool and transactions, named queries, migrations."""
