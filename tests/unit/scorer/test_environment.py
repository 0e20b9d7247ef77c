from __future__ import annotations

import subprocess
import sys

from scorer import environment


def test_every_version_that_can_change_a_number_is_known():
    found = environment.versions()
    assert {"python", "code", "numpy", "opencv", "pillow", "scipy", "torch", "transformers"} == set(found)
    assert "unknown" not in found.values()


def test_preparing_bounds_the_threads_and_fixes_the_draws():
    code = (
        "import cv2, torch\n"
        "from scorer import environment\n"
        "draws = []\n"
        "for _ in range(2):\n"
        "    environment.prepare(threads=1, seed=7)\n"
        "    draws.append(torch.rand(3).tolist())\n"
        "assert draws[0] == draws[1]\n"
        "assert torch.get_num_threads() == cv2.getNumThreads() == 1\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
