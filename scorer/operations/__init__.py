"""Operations: what counts as done (IC) and how exactly (SA), one operation, one file."""
