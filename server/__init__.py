"""The service: REST API, Postgres, storage and workers. Knows the scorer by its contract alone."""
