"""The Blocks detector: cuboids from pixels and public camera data, by render and compare."""

from scorer.detectors.blocks.detector import BlocksDetector

__all__ = ["BlocksDetector"]
