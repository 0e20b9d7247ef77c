"""Sends a notice to a webhook: signed, to a public address alone, bounded in time and size.

The signature is that of the Standard Webhooks specification (https://www.standardwebhooks.com): HMAC-SHA256 over
"id.timestamp.body". A receiver refuses timestamps more than five minutes old and ids that it has seen.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx

_DEADLINE_SECONDS = 15
_GONE = 410


class NotSentError(Exception):
    """It did not arrive; the message is for the team. ``final``: trying again will not help."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


def signed(secret: str, *, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent ``body``. ``secret``: whsec_ and base64; ``at``: seconds since 1970."""
    key = b64decode(secret.removeprefix("whsec_"))
    told = f"{message_id}.{at}.".encode() + body
    signature = b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


async def post(url: str, *, secret: str, message_id: str, content: Mapping[str, Any], private_too: bool) -> None:
    """Send ``content`` as JSON. ``private_too``: also to addresses that only this network reaches.

    Raises NotSentError, with no word of what the other side answered but its status.
    """
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = signed(secret, message_id=message_id, at=int(time.time()), body=body)
    headers |= {"content-type": "application/json", "user-agent": "GSI-Bench-Leaderboard"}
    try:
        with anyio.fail_after(_DEADLINE_SECONDS):
            there = await _place_of(url, private_too=private_too)
            status = await _send(there, headers, body)
    except TimeoutError as error:
        raise NotSentError(f"no answer within {_DEADLINE_SECONDS} seconds") from error
    except (httpx.HTTPError, ssl.SSLError, OSError) as error:
        raise NotSentError(_reason(error)) from error
    if status == _GONE:
        raise NotSentError("it answered 410: gone", final=True)
    if not 200 <= status < 300:
        raise NotSentError(f"it answered {status}")


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError | OSError):
        return "no connection could be made"
    return "the connection broke off"


class _Place(NamedTuple):
    """An address whose host is the number that was checked, so that a second look-up cannot lead elsewhere."""

    url: str
    host: str
    name: str


async def _send(there: _Place, headers: dict[str, str], body: bytes) -> int:
    """The status alone: redirects are not followed and the answer's body is not read."""
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=_DEADLINE_SECONDS) as client,
        client.stream(
            "POST",
            there.url,
            headers={**headers, "host": there.host},
            content=body,
            extensions={"sni_hostname": there.name},
        ) as answer,
    ):
        return answer.status_code


async def _place_of(url: str, *, private_too: bool) -> _Place:
    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = await anyio.to_thread.run_sync(_look_up, name, port, abandon_on_cancel=True)
    if not private_too and not all(is_public(each) for each in found):
        raise NotSentError("the address is not one of the public internet")
    number = f"[{found[0]}]" if ":" in found[0] else found[0]
    return _Place(parts._replace(netloc=f"{number}:{port}", fragment="").geturl(), parts.netloc, name)


def _look_up(name: str, port: int) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise NotSentError("its host name is not known") from error


def is_public(number: str) -> bool:
    """Whether an IP address is one of the public internet; an IPv4 address inside an IPv6 one counts as itself."""
    found = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inside = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inside is not None:
            return is_public(str(inside))
        if found in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast
