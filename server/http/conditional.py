"""Answers with an ETag: a reader who has the same content already gets 304 and no body."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from fastapi import Request, Response


def content_etag(content: bytes) -> str:
    """A strong ETag made of the content."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def has_already(request: Request, etag: str) -> bool:
    """Whether the reader says, by If-None-Match, that they have ``etag`` (RFC 9110, 13.1.2: weak comparison)."""
    sent = request.headers.get("if-none-match", "")
    return sent.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in sent.split(",")}


def conditional(
    request: Request, content: str | bytes, *, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """``content`` with its ETag, to be asked for again each time; 304 when the reader has it."""
    body = content.encode() if isinstance(content, str) else content
    etag = content_etag(body)
    told = {"cache-control": "public, no-cache", **(headers or {}), "etag": etag}
    if has_already(request, etag):
        return Response(status_code=304, headers=told)
    return Response(body, media_type=media_type, headers=told)
