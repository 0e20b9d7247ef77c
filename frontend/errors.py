"""What can go wrong between this side and the service, said for the person who has to mend it."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """The service refused, failed or could not be reached.

    Attributes: `code` (stable, machine readable), `title`, `detail`, `remedy` (what the reader can do; may be empty),
    `status` (HTTP status; 0 when no answer came) and `retry_after` (seconds that the service asks to wait; 0: it does
    not say).
    """

    def __init__(self, *, code: str, title: str, detail: str = "", remedy: str = "", status: int = 0) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.code = code
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.status = status
        self.retry_after = 0.0


class Unreachable(ClientError):  # noqa: N818 - named for what happened
    """No answer came: wrong address, or the service is down."""

    def __init__(self, *, url: str, reason: str) -> None:
        super().__init__(
            code="unreachable",
            title="The service cannot be reached",
            detail=f"{url}: {reason}",
            remedy="Check the address (--url or GSI_URL) and that the service is running (`gsi up`).",
        )


def from_problem(*, status: int, body: Mapping[str, Any]) -> ClientError:
    """Translate an RFC 9457 problem document; absent members get a plain default, a detail that repeats is left out."""
    title = str(body.get("title") or f"The service answered {status}")
    detail = str(body.get("detail") or "")
    return ClientError(
        code=str(body.get("code") or f"http_{status}"),
        title=title,
        detail="" if detail == title else detail,
        remedy=str(body.get("remedy") or ""),
        status=status,
    )
