"""Which runner the settings ask for, and which this machine can have."""

from __future__ import annotations

import logging
from typing import NamedTuple

from server.errors import ConfigurationError
from server.scoring import bubblewrap_runner
from server.scoring.bubblewrap_runner import BubblewrapRunner
from server.scoring.container_runner import ContainerRunner
from server.scoring.containers import Engine
from server.scoring.gpus import Gpus
from server.scoring.process_runner import ProcessRunner
from server.scoring.runner import Runner
from server.settings import Settings

_LOG = logging.getLogger("gsi.scoring")
_UNSAFE = (
    "participants' files are decoded in a BARE PROCESS, which may read your files and reach your network: "
    "for files that you trust, on a machine of your own"
)


class Choice(NamedTuple):
    """A runner's name, and why it was chosen. ``warning``: what an operator must know of it; empty for nothing."""

    name: str
    why: str
    warning: str = ""


def choose(settings: Settings) -> Choice:
    """The runner of the settings. Raises ConfigurationError where it cannot be had here or may not be used.

    ``auto`` is a container in production, whatever else is installed. In development it is bubblewrap where that
    works, else a bare process. Bubblewrap in production is the operator's own word.
    """
    production = settings.environment == "production"
    match settings.runner:
        case "process":  # settings refuse it in production
            return Choice("process", "GSI_RUNNER says so", _UNSAFE)
        case "bubblewrap":
            if found := bubblewrap_runner.trouble():
                raise ConfigurationError(f"GSI_RUNNER=bubblewrap: {found}.", remedy="Install it, or choose another.")
            less = "it is less than a container: docs/operations.md says where"
            return Choice("bubblewrap", "GSI_RUNNER says so", less if production else "")
        case "auto" if not production:
            if found := bubblewrap_runner.trouble():
                return Choice("process", found, f"{_UNSAFE}. Why: {found}")
            return Choice("bubblewrap", "it works here")
        case _:
            if settings.scorer_image is None:
                raise ConfigurationError(
                    "GSI_SCORER_IMAGE names no image, and the scorer runs in a container.",
                    remedy="Build docker/scorer.Dockerfile and name the image by its digest: docs/operations.md.",
                )
            return Choice("container", "GSI_RUNNER says so" if settings.runner == "container" else "it is production")


def tell(choice: Choice) -> None:
    """Write the choice into the log, loudly where it has a warning."""
    if choice.warning:
        _LOG.warning("runner: %s (%s): %s", choice.name, choice.why, choice.warning)
    else:
        _LOG.info("runner: %s (%s)", choice.name, choice.why)


def runner_of(settings: Settings) -> Runner:
    """The runner of the settings. Raises ConfigurationError, see `choose`."""
    choice = choose(settings)
    tell(choice)
    gpus = Gpus([name for name in settings.gpus.split(",") if name], folder=settings.work_dir / "gpus")
    if choice.name == "container":
        return ContainerRunner(
            engine=Engine(settings.docker_host),
            image=settings.scorer_image or "",
            work_dir=settings.work_dir,
            gpus=gpus,
            processes=settings.scorer_processes,
        )
    if choice.name == "bubblewrap":
        return BubblewrapRunner(gpus=gpus, processes=settings.scorer_processes)
    return ProcessRunner(gpus=gpus)
