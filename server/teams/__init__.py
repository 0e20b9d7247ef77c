"""Who is calling: teams, maintainers, their tokens."""
