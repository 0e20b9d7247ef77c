"""Which runner the settings ask for."""

from __future__ import annotations

import logging

from server.errors import ConfigurationError
from server.scoring.process_runner import ProcessRunner
from server.scoring.runner import Runner
from server.settings import Settings

_LOG = logging.getLogger("gsi.scoring")


def runner_of(settings: Settings) -> Runner:
    """The runner of the settings. Raises ConfigurationError where it cannot be had or may not be used."""
    if settings.environment == "production":
        raise ConfigurationError(
            "The process runner does not isolate submissions and is refused in production.",
            remedy="Run with GSI_ENVIRONMENT=development until a container runner is configured.",
        )
    return ProcessRunner()
