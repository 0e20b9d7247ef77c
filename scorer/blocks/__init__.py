"""The world of the Blocks benchmark: its camera, its colours and its cuboids."""
