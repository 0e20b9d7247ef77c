"""What surrounds the numbers: versions that can change them, threads, determinism."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = {
    "code": "gsi-bench",
    "numpy": "numpy",
    "opencv": "opencv-python-headless",
    "pillow": "pillow",
    "scipy": "scipy",
    "torch": "torch",
    "transformers": "transformers",
}


def versions() -> dict[str, str]:
    """The versions of everything installed that can change a number; ``unknown`` where a package keeps none."""
    found = {"python": platform.python_version()}
    for name, package in _PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def prepare(*, threads: int, seed: int) -> None:
    """Bound the computing threads of this process and seed its generators.

    Everything but a detector or a judge that is told to use a card runs on the CPU with operations that are
    deterministic there. Torch's own switch for determinism is not
    set: it would change nothing, and loading what it needs takes three seconds.
    """
    import cv2  # loaded here, because only scoring needs them and torch takes seconds
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    cv2.setNumThreads(threads)
