"""Which texts are addresses: of a database, of a broker, of a page. None is asked whether it answers."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

_BROKERS = {"redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps", "memory"}
_UNWRITTEN = re.compile(r"[\s\x00-\x1f\x7f\\<>\"^`{|}]")
"""RFC 3986 has no place for these in an address."""


def is_database_address(text: str) -> bool:
    """Whether libpq understands ``text`` and takes no part of a password for a host or a port."""
    try:
        parts = conninfo_to_dict(text)
    except psycopg.Error:
        return False
    ports = [port for port in str(parts.get("port") or "").split(",") if port]
    return "@" not in str(parts.get("host") or "") and all(port.isdecimal() for port in ports)


def is_broker_address(text: str) -> bool:
    """Whether ``text`` is the URL of a kind of broker that Celery's queues work on, and its port a number."""
    try:
        parts = urlsplit(text)
        return parts.scheme in _BROKERS and "://" in text and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_mail_server_address(text: str) -> bool:
    """Whether ``text`` is an smtp or smtps URL that names a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_web_address(text: str) -> bool:
    """Whether ``text`` is an http or https URL that names a host, and no user or password."""
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    return (
        parts.scheme in {"http", "https"}
        and named
        and "@" not in parts.netloc
        and not _UNWRITTEN.search(text)
        and bool(host)
        and all(label and not label.startswith("-") for label in host.split("."))
    )
