"""The official evaluation of GSI-Bench, number for number (docs/protocol.md)."""
