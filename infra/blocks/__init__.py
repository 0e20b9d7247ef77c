"""Makes the demo benchmark Blocks: scenes with exact geometry, edits, renderings, sample submissions."""
