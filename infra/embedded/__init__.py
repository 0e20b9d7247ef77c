"""Real PostgreSQL and Redis as child processes, and the whole service on one machine."""
