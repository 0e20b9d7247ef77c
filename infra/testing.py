"""`gsi test`: every test of the repository, with all it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

_ROOT = Path(__file__).resolve().parents[1]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def run_tests(arguments: Sequence[str]) -> int:
    """Run pytest on ``arguments``, on the whole of `tests/` when there are none; returns its exit code."""
    console = Console(stderr=True)
    if not (_ROOT / "tests").is_dir():
        console.print("[red]The tests are not installed here.[/red] Run ./gsi test in a checkout of the repository.")
        return 69
    if not _named_paths(arguments):
        _have_browser(console)
    processes = (
        []
        if any(a.startswith("-n") for a in arguments) or _named_paths(arguments)
        else ["-n", "2", "--dist", "loadfile"]
    )
    argv = [sys.executable, "-m", "pytest", *processes, *arguments]
    return subprocess.run(argv, cwd=_ROOT, check=False).returncode


def _named_paths(arguments: Sequence[str]) -> bool:
    return any(not a.startswith("-") and (_ROOT / a.split("::")[0]).exists() for a in arguments)


def _have_browser(console: Console) -> None:
    """The browser tests need Chromium: install Debian's package where we may, else say what will be skipped."""
    if any(shutil.which(name) for name in _BROWSERS):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        console.print("installing Chromium for the browser tests (Debian package, once)")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]  # same keywords
        install = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", "chromium"]
        if subprocess.run(install, check=False, **quiet).returncode == 0:  # type: ignore[call-overload]  # same keywords
            return
    console.print(
        "[yellow]No Chromium on this machine: the browser tests will be skipped.[/yellow] "
        "To run them: apt-get install chromium"
    )
