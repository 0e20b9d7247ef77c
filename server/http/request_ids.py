"""Which request is being answered: its id stands in the answer, in problem documents and in every line of the log."""

from __future__ import annotations

import logging
from contextvars import ContextVar

NONE = "-"
current: ContextVar[str] = ContextVar("gsi_request_id", default=NONE)
"""The id of the request that this code works for; `NONE` outside of any."""

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


class WithRequestId(logging.Filter):
    """Gives each record the id of the request at work (`request_id`); refuses none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id."""
        record.request_id = current.get()
        return True


def log_with_request_ids(level: int = logging.INFO) -> None:
    """Log to standard error, each line with its request's id. For the edges that start a process."""
    handler = logging.StreamHandler()
    handler.addFilter(WithRequestId())
    logging.basicConfig(level=level, format=LOG_FORMAT, handlers=[handler])
