"""Conformance: every vector of a folder against the functions that score (docs/protocol.md, gsi-official-1)."""
