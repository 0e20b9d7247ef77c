"""The larger commands of ``python -m scorer``: their arguments and what they call."""
