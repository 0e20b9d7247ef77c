"""The parts of the gate: limits, defects, the archive, its names and its images. Its front is ``scorer.bundle``."""
