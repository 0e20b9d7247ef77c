"""The profile gsi-official-1: the official evaluation of GSI-Bench, number for number (docs/protocol.md)."""
