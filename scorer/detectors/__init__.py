"""Detectors: from an image and its public camera data to 3D boxes."""
